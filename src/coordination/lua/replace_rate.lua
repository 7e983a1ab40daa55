-- Replaces the rate of an `instance` of a registry, `was`, by what it `becomes`, for `ttl` milliseconds; not if somebody
-- else has changed it, and not without the two.
-- Answers whether it did, the time in microseconds, which a double holds until the year 2255, and the rate as it is now.

local key, now = P .. 'limit:' .. args.instance, CLOCK[1] * 1000000 + CLOCK[2]
local is = redis.call('GET', key) or ''
if type(args.becomes) ~= 'string' or is ~= args.was then return { 0, now, is } end
redis.call('SET', key, args.becomes, 'PX', args.ttl)
return { 1, now, args.becomes }
