-- Cancels a job.
-- Arguments: the limits; the job.
-- Answers `taken`, `unknown`, or the state that does not allow it.

local function ask_to_stop(job) job.cancelled = 1 end

-- The parts of a run: those that wait are over at once, the one that runs is told.
local function cancel_parts(run)
    local open = redis.call('SMEMBERS', P .. 'open:' .. run.id)
    table.sort(open)
    for _, id in ipairs(open) do
        local part = find(id)
        if part and WAITS[part.state] then cancel_waiting(part) end
        if part and part.state == 'running' then ask_to_stop(part) end
    end
end

local job = find((args(1)))
if not job then return 'unknown' end
if job.state == 'done' or job.state == 'cancelled' then return job.state end
if WAITS[job.state] then
    cancel_waiting(job)
elseif job.state == 'dead' then
    dig_out(job)
    conclude(job, cancelled())
elseif job.state == 'running' then
    ask_to_stop(job)
else
    ask_to_stop(job)
    cancel_parts(job)
end
write_back()
return 'taken'
