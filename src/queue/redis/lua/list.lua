-- Lists jobs, the newest first, of a `state`, of a `config` and `alone_at` a place if these are given, and `before` a job.
-- Looks at `count` of them: a script that takes long holds up everybody.
-- Answers the last one looked at or nothing, and what is known about each that fits.

local from = args.before and '(' .. args.before or '+'
local ids = redis.call('ZREVRANGEBYLEX', P .. 'jobs', from, '-', 'LIMIT', 0, args.count)

local function fits(id)
    if not args.state and not args.config and not args.alone_at then return true end
    local state, config, alone_at = unpack(redis.call('HMGET', P .. 'job:' .. id, 'state', 'config', 'alone_at'))
    return state == (args.state or state) and config == (args.config or config) and alone_at == (args.alone_at or alone_at)
end

local found = {}
for _, id in ipairs(ids) do
    if fits(id) then found[#found + 1] = lib.view(id) end
end
return { ids[#ids] or '', found }
