-- Finds the job that a worker is doing at a `config`.
-- Answers its id, or nothing when there is none, or when its lease is over.

local id = redis.call('HGET', P .. 'at-work', args.config)
local job = id and lib.find(id)
if not job or not job.entry then return id end
local over = redis.pcall('XPENDING', P .. 'ready', 'workers', 'IDLE', args.limits.lease, job.entry, job.entry, 1)
-- Where the message or its group is lost, nobody can tell, and `repair` ends the lease.
return (over.err or not over[1]) and id
