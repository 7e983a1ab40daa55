-- Registers a `process` as alive for `ttl` milliseconds.
-- Answers how many are.

redis.call('ZADD', P .. 'present', NOW, args.process)
redis.call('ZREMRANGEBYSCORE', P .. 'present', '-inf', NOW - args.ttl)
return redis.call('ZCARD', P .. 'present')
