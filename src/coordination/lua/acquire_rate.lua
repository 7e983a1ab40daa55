-- Lets one request to an `instance` of a registry go, of `per_second` with bursts of `burst`: the generic cell rate
-- algorithm. `rate:` holds when the next request would be due if all came evenly; as many as the burst may come before
-- it. Microseconds, which a double holds until the year 2255.
-- Answers how many microseconds to wait; 0: it may go.

local now = CLOCK[1] * 1000000 + CLOCK[2]
local pause = tonumber(redis.call('GET', P .. 'pause:' .. args.instance) or 0) - now
if pause > 0 then return pause end
if args.per_second == 0 then return 0 end
local apart = 1000000 / args.per_second
local even = math.max(tonumber(redis.call('GET', P .. 'rate:' .. args.instance) or 0), now)
local wait = even - now - apart * (math.max(args.burst, 1) - 1)
if wait > 0 then return math.ceil(wait) end
even = even + apart
local ttl = math.ceil((even - now) / 1000) + 1
redis.call('SET', P .. 'rate:' .. args.instance, string.format('%.0f', even), 'PX', ttl)
return 0
