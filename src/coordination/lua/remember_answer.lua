-- Keeps an `answer` under an idempotency `key`, with the `fingerprint` of the request, for `ttl` milliseconds.

local key = P .. 'answer:' .. args.key
redis.call('HSET', key, 'fingerprint', args.fingerprint, 'answer', args.answer)
redis.call('PEXPIRE', key, args.ttl)
