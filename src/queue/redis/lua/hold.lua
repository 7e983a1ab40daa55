-- Takes or keeps a lease by name.
-- Arguments: the name; the owner; for how many milliseconds.
-- Answers whether the owner has it now.

local name, owner, ttl = args(3)
local holder = redis.call('GET', P .. 'lease:' .. name)
if holder and holder ~= owner then return 0 end
redis.call('SET', P .. 'lease:' .. name, owner, 'PX', ttl)
return 1
