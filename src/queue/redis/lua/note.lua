-- Appends a `note` to the checkpoint of a claimed job, renews the lease, and counts attempts from here on.
-- Answers `yours`, `cancelled` or `lost`, and whether a job is ready, or due, that no worker has claimed.

local job = lib.claimed()
if not job then return { 'lost', 0 } end
lib.renew(job)
redis.call('RPUSH', P .. 'notes:' .. job.id, args.note)
job.attempts = '1'
lib.write_back()
local running = redis.pcall('XPENDING', P .. 'ready', 'workers')
local unclaimed = redis.call('XLEN', P .. 'ready') - (running.err and 0 or running[1])
local due = redis.call('ZCOUNT', P .. 'delayed', '-inf', NOW)
return { job.cancelled and 'cancelled' or 'yours', unclaimed + due > 0 and 1 or 0 }
