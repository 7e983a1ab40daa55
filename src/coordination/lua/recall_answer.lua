-- Looks up the answer to a `request` of a `user`. If there is none, reserves its place for the request with this
-- `fingerprint`, for `ttl` milliseconds, if the `quota` of the user has room for it. `answers:USER` has a member
-- `BYTES:REQUEST` for each answer of the user, by the time at which it is forgotten.
-- Answers what is known, and the answer; or `no-room`, and the milliseconds until the next answer is forgotten.

local key, all, quota = P .. 'answer:' .. args.request, P .. 'answers:' .. args.user, args.quota
local fingerprint, answer = unpack(redis.call('HMGET', key, 'fingerprint', 'answer'))
if fingerprint then
    if fingerprint ~= args.fingerprint then return { 'other-request' } end
    if not answer then return { 'in-progress' } end
    return { 'answer', answer }
end

redis.call('ZREMRANGEBYSCORE', all, '-inf', NOW)
local kept, bytes = redis.call('ZRANGE', all, 0, -1), 0
for _, member in ipairs(kept) do bytes = bytes + tonumber(string.match(member, '^(%d+):')) end
if #kept >= quota.answers or bytes + quota.largest > quota.bytes then
    local next = redis.call('ZRANGE', all, 0, 0, 'WITHSCORES')[2]
    return { 'no-room', next and string.format('%.0f', next - NOW) or '0' }
end
redis.call('HSET', key, 'fingerprint', args.fingerprint, 'bytes', quota.largest)
redis.call('PEXPIRE', key, args.ttl)
redis.call('ZADD', all, NOW + args.ttl, quota.largest .. ':' .. args.request)
if redis.call('PTTL', all) < args.ttl then redis.call('PEXPIRE', all, args.ttl) end
return { 'reserved' }
