-- Notes that a process is there.
-- Arguments: its name; for how many milliseconds it counts.
-- Answers how many are.

local worker, counts = args(2)
redis.call('ZADD', P .. 'present', NOW, worker)
redis.call('ZREMRANGEBYSCORE', P .. 'present', '-inf', NOW - counts)
return redis.call('ZCARD', P .. 'present')
