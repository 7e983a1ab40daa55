-- Gives a dead or cancelled `job` a new life, as `by` asks. If it is `owned`, by key and body, it is somebody else's now.
-- Answers `taken`, `unknown`, or the state that does not allow it.

local job = lib.find(args.job)
if not job then return 'unknown' end
if job.state ~= 'dead' and job.state ~= 'cancelled' then return job.state end
lib.dig_out(job)
for _, name in ipairs({ 'attempts', 'cancelled', 'cancelled_by', 'ended', 'result', 'progress' }) do job[name] = false end
job.retried_by = args.by
if args.owned then
    job.key, job.body, job.alone_at = args.owned.key, args.owned.body, args.owned.alone_at or false
end
job.due, job.latest = NOW, NOW
lib.line_up(job, lib.head_of(job.key))
lib.write_back()
return 'taken'
