-- Keeps an answer under an idempotency key.
-- Arguments: the key; the fingerprint of the request; the answer; for how many milliseconds.

local key, fingerprint, answer, ttl = args(4)
key = P .. 'answer:' .. key
redis.call('HSET', key, 'fingerprint', fingerprint, 'answer', answer)
redis.call('PEXPIRE', key, ttl)
