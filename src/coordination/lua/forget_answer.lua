-- Frees the place of a `request` of a `user`.

local key, all = P .. 'answer:' .. args.request, P .. 'answers:' .. args.user
local bytes = redis.call('HGET', key, 'bytes')
if bytes then redis.call('ZREM', all, bytes .. ':' .. args.request) end
redis.call('DEL', key)
