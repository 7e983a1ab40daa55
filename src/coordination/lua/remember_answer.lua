-- Keeps the `answer` to a `request` of a `user`, with the `fingerprint` of the request, for `ttl` milliseconds.

local key, all = P .. 'answer:' .. args.request, P .. 'answers:' .. args.user
local reserved = redis.call('HGET', key, 'bytes')
if reserved then redis.call('ZREM', all, reserved .. ':' .. args.request) end
local bytes = #args.answer
redis.call('HSET', key, 'fingerprint', args.fingerprint, 'answer', args.answer, 'bytes', bytes)
redis.call('PEXPIRE', key, args.ttl)
redis.call('ZADD', all, NOW + args.ttl, bytes .. ':' .. args.request)
if redis.call('PTTL', all) < args.ttl then redis.call('PEXPIRE', all, args.ttl) end
