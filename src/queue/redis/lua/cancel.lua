-- Cancels a `job`, as `by` asks. One that runs is told with its next heartbeat.
-- Answers `taken`, `unknown`, or the state that does not allow it.

local job = lib.find(args.job)
if not job then return 'unknown' end
if job.state == 'done' or job.state == 'cancelled' then return job.state end
job.cancelled_by = args.by
if job.state == 'running' then
    job.cancelled = 1
elseif job.state == 'dead' then
    lib.dig_out(job)
    lib.conclude(job, 'cancelled')
else
    if job.state == 'parked' then lib.step_out(job) end
    redis.call('ZREM', P .. 'delayed', job.id)
    job.due, job.latest = false, false
    lib.conclude(job, 'cancelled')
    -- It may have been called just now.
    local config = lib.alone_at(job)
    if config and redis.call('ZREM', P .. 'line:' .. config, job.id) == 1 then lib.call_next(config) end
end
lib.write_back()
return 'taken'
