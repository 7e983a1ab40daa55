-- Every script begins with this: where the keys are, the arguments by name, and the time.
-- Times are milliseconds since 1970 by the clock of Redis, so that replicas with other clocks agree.

local P, args = KEYS[1], cjson.decode(ARGV[1])
local CLOCK = redis.call('TIME')
local NOW = CLOCK[1] * 1000 + math.floor(CLOCK[2] / 1000)
