-- Keeps the `plan` with this `id`, whose parts are there, for `ttl` milliseconds. Of its `user`, at most `most_plans` with
-- at most `most_bytes` are kept: the oldest give way.

local index = P .. 'plans'

local function drop(id, parts)
    for number = 0, parts - 1 do redis.call('DEL', P .. 'plan:' .. id .. ':' .. number) end
    redis.call('HDEL', index, id)
end

local mine, all = {}, redis.call('HGETALL', index)
for at = 1, #all, 2 do
    local id, plan = all[at], cjson.decode(all[at + 1])
    if redis.call('EXISTS', P .. 'plan:' .. id .. ':0') == 0 then
        redis.call('HDEL', index, id)
    elseif plan.user == args.user and id ~= args.id then
        mine[#mine + 1] = plan
    end
end
table.sort(mine, function(a, b) return a.id > b.id end)
local plans, bytes = 1, args.bytes
for _, plan in ipairs(mine) do
    plans, bytes = plans + 1, bytes + plan.bytes
    if plans > args.most_plans or bytes > args.most_bytes then drop(plan.id, plan.parts) end
end
for number = 0, args.parts - 1 do redis.call('PEXPIRE', P .. 'plan:' .. args.id .. ':' .. number, args.ttl) end
redis.call('HSET', index, args.id, args.plan)
