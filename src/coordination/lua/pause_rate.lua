-- Lets no request to an `instance` of a registry go for `pause` milliseconds; never shortens a pause.

local now = CLOCK[1] * 1000000 + CLOCK[2]
local until_then = now + args.pause * 1000
if until_then <= tonumber(redis.call('GET', P .. 'pause:' .. args.instance) or 0) then return end
redis.call('SET', P .. 'pause:' .. args.instance, string.format('%.0f', until_then), 'PX', args.pause)
