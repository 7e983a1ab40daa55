-- Begins a generation and returns its number. It follows the time, so that none comes twice even if Redis was emptied.

local last = tonumber(redis.call('HGET', lib.STATE, 'generations') or '0')
local generation = string.format('%.0f', math.max(last + 1, NOW))
redis.call('HSET', lib.STATE, 'generations', generation)
return generation
