-- Gives a dead or cancelled `job` a new life.
-- Answers `taken`, `unknown`, or the state that does not allow it.

local job = lib.find(args.job)
if not job then return 'unknown' end
if job.state ~= 'dead' and job.state ~= 'cancelled' then return job.state end
lib.dig_out(job)
for _, name in ipairs({ 'attempts', 'cancelled', 'ended', 'result', 'progress' }) do job[name] = false end
job.due, job.latest = NOW, NOW
lib.line_up(job, lib.head_of(job.key))
lib.write_back()
return 'taken'
