-- Looks up the answer under an idempotency `key`. If there is none, reserves the key for the request with this
-- `fingerprint`, for `ttl` milliseconds.
-- Answers what is known, and the answer.

local key = P .. 'answer:' .. args.key
local fingerprint, answer = unpack(redis.call('HMGET', key, 'fingerprint', 'answer'))
if not fingerprint then
    redis.call('HSET', key, 'fingerprint', args.fingerprint)
    redis.call('PEXPIRE', key, args.ttl)
    return { 'reserved' }
end
if fingerprint ~= args.fingerprint then return { 'other-request' } end
if not answer then return { 'in-progress' } end
return { 'answer', answer }
