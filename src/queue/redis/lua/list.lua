-- Lists jobs, the newest first, from a number of them that is looked at: a script that takes long holds up everybody.
-- Arguments: a state or nothing; a config or nothing; the job before which to begin or nothing; how many to look at.
-- Answers the last one looked at or nothing, and what is known about each that fits.

local state, config, before, count = args(4)
local from = before == '' and '+' or '(' .. before
local ids = redis.call('ZREVRANGEBYLEX', P .. 'jobs', from, '-', 'LIMIT', 0, count)

local function fits(id)
    if state == '' and config == '' then return true end
    local its_state, its_config = unpack(redis.call('HMGET', P .. 'job:' .. id, 'state', 'config'))
    return (state == '' or its_state == state) and (config == '' or its_config == config)
end

local found = {}
for _, id in ipairs(ids) do
    if fits(id) then found[#found + 1] = view(id) end
end
return { ids[#ids] or '', found }
