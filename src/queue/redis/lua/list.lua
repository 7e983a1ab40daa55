-- Lists jobs, the newest first, of a `state` and a `config` if these are given, and `before` a job. Looks at `count` of
-- them: a script that takes long holds up everybody.
-- Answers the last one looked at or nothing, and what is known about each that fits.

local from = args.before and '(' .. args.before or '+'
local ids = redis.call('ZREVRANGEBYLEX', P .. 'jobs', from, '-', 'LIMIT', 0, args.count)

local function fits(id)
    if not args.state and not args.config then return true end
    local state, config = unpack(redis.call('HMGET', P .. 'job:' .. id, 'state', 'config'))
    return state == (args.state or state) and config == (args.config or config)
end

local found = {}
for _, id in ipairs(ids) do
    if fits(id) then found[#found + 1] = lib.view(id) end
end
return { ids[#ids] or '', found }
