-- Gives nobody a turn at a registry instance for a while; never shortens a pause.
-- Arguments: the instance; for how many milliseconds.

local instance, pause = args(2)
local now = CLOCK[1] * 1000000 + CLOCK[2]
local until_then = now + pause * 1000
if until_then <= tonumber(redis.call('GET', P .. 'pause:' .. instance) or 0) then return end
redis.call('SET', P .. 'pause:' .. instance, string.format('%.0f', until_then), 'PX', pause)
