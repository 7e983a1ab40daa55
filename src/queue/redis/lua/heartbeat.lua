-- Renews the lease of a claim, and keeps the `progress` of the job or appends a `note` to its checkpoint. The first one of
-- a claim counts an attempt; attempts count from the last note on. Answers `yours`, `cancelled` or `lost`, and whether a job is ready, or due, that no
-- worker has claimed.

local READY = P .. 'ready'
local job = lib.claimed()
if not job then return { 'lost', 0 } end
-- Without a group there is no lease; the next claim makes one. Without the message `repair` ends the lease, unless it
-- hears of the worker.
redis.pcall('XCLAIM', READY, 'workers', args.worker, 0, job.entry, 'JUSTID')
job.missed = false
lib.begin(job)
job.progress = args.progress
if args.note then
    redis.call('RPUSH', P .. 'notes:' .. job.id, args.note)
    job.attempts = '1'
end
lib.write_back()
local running = redis.pcall('XPENDING', READY, 'workers')
local unclaimed = redis.call('XLEN', READY) - (running.err and 0 or running[1])
local due = redis.call('ZCOUNT', P .. 'delayed', '-inf', NOW)
return { job.cancelled and 'cancelled' or 'yours', unclaimed + due > 0 and 1 or 0 }
