-- Counts jobs.
-- Answers how many are delayed, parked, ready, running and dead, and for how many milliseconds the oldest ready job has
-- been ready.

local READY = P .. 'ready'

-- How many messages are with workers, and which were delivered.
local function group()
    local groups = redis.pcall('XINFO', 'GROUPS', READY)
    for _, group in ipairs(groups.err and {} or groups) do
        local about = {}
        for i = 1, #group, 2 do about[group[i]] = group[i + 1] end
        if about.name == 'workers' then return about.pending, '(' .. about['last-delivered-id'] end
    end
    return 0, '-'
end

local running, delivered = group()
local oldest = redis.call('XRANGE', READY, delivered, '+', 'COUNT', 1)[1]
local since = oldest and tonumber((string.match(oldest[1], '^(%d+)'))) or NOW
return {
    redis.call('ZCARD', P .. 'delayed'), redis.call('SCARD', P .. 'state:parked'), redis.call('XLEN', READY) - running,
    running, redis.call('SCARD', P .. 'state:dead'), math.max(NOW - since, 0),
}
