-- Takes a sign of life, which begins the lease anew.
-- Arguments: the job; the number of the claim; the worker; its progress as JSON.
-- Answers `yours`, `cancelled` or `lost`.

local id, fence, worker, progress = args(4)
local job = P .. 'job:' .. id
local state, current, entry, cancelled, before =
    unpack(redis.call('HMGET', job, 'state', 'fence', 'entry', 'cancelled', 'progress'))
if state ~= 'running' or current ~= fence then return 'lost' end
-- Without a group there is no lease; the next claim makes one.
redis.pcall('XCLAIM', P .. 'ready', 'workers', worker, 0, entry, 'JUSTID')
if before ~= progress then
    redis.call('HSET', job, 'progress', progress)
    redis.call('HINCRBY', job, 'version', 1)
end
if cancelled then return 'cancelled' end
return 'yours'
