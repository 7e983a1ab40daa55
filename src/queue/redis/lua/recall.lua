-- Looks up what was answered under an idempotency key, and reserves it if nothing was.
-- Arguments: the key; the fingerprint of the request; for how many milliseconds it is reserved.
-- Answers what is known, and the answer.

local key, fingerprint, reserved = args(3)
key = P .. 'answer:' .. key
local before, answer = unpack(redis.call('HMGET', key, 'fingerprint', 'answer'))
if not before then
    redis.call('HSET', key, 'fingerprint', fingerprint)
    redis.call('PEXPIRE', key, reserved)
    return { 'new' }
end
if before ~= fingerprint then return { 'other' } end
if not answer then return { 'busy' } end
return { 'answer', answer }
