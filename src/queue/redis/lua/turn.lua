-- Takes a turn at a registry instance: the generic cell rate algorithm. `turn:` holds when the next turn would be due if
-- all came evenly; as many as the burst may come before it. Microseconds, which a double holds until the year 2255.
-- Arguments: the instance; turns a second; the burst.
-- Answers how many microseconds to wait; 0: the turn is taken.

local instance, per_second, burst = args(3)
local now = CLOCK[1] * 1000000 + CLOCK[2]
local pause = tonumber(redis.call('GET', P .. 'pause:' .. instance) or 0) - now
if pause > 0 then return pause end
if per_second == '0' then return 0 end
local apart = 1000000 / per_second
local even = math.max(tonumber(redis.call('GET', P .. 'turn:' .. instance) or 0), now)
local wait = even - now - apart * (math.max(tonumber(burst), 1) - 1)
if wait > 0 then return math.ceil(wait) end
even = even + apart
redis.call('SET', P .. 'turn:' .. instance, string.format('%.0f', even), 'PX', math.ceil((even - now) / 1000) + 1)
return 0
