-- Gives a dead or cancelled job a new life.
-- Arguments: the limits; the job.
-- Answers `taken`, `unknown`, or the state that does not allow it.

local job = find((args(1)))
if not job then return 'unknown' end
if job.state ~= 'dead' and job.state ~= 'cancelled' then return job.state end
dig_out(job)
for _, name in ipairs({ 'attempts', 'cancelled', 'ended', 'result', 'progress', 'run' }) do job[name] = false end
job.due, job.latest = NOW, NOW
join(job)
line_up(job, head_of(job.key))
write_back()
return 'taken'
