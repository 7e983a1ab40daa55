-- What every script begins with: where the keys are, what time it is, and its arguments one after the other.
-- Times are milliseconds since 1970 by the clock of Redis, so that replicas with other clocks agree.

local P = KEYS[1]
local CLOCK = redis.call('TIME')
local NOW = CLOCK[1] * 1000 + math.floor(CLOCK[2] / 1000)

local at = 0

local function args(count)
    local from = at + 1
    at = at + count
    return unpack(ARGV, from, at)
end
