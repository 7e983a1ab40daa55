-- Takes or keeps the lease of a `name` for an `owner`, for `ttl` milliseconds.
-- Answers whether the owner has it now.

local holder = redis.call('GET', P .. 'lease:' .. args.name)
if holder and holder ~= args.owner then return 0 end
redis.call('SET', P .. 'lease:' .. args.name, args.owner, 'PX', args.ttl)
return 1
