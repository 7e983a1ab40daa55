-- Ends a claim.
-- Arguments: the limits; the job; the number of the claim; the ending and what belongs to it.
-- Answers whether the ending was taken.

local id, fence, ending = args(3)
local job = find(id)
if not job or job.state ~= 'running' or job.fence ~= fence then return 0 end

-- Back to where it waits.
local function put_back(wait)
    put_off(job, wait)
    stop_writing(job)
end

-- The same, as if this attempt had not been.
local function give_back(wait)
    job.attempts = job.attempts - 1
    put_back(wait)
end

if ending == 'done' then
    local result, part, orders = args(3)
    finish(job, { state = 'done', result = result, part = part ~= '' and part or nil }, tonumber(orders))
elseif ending == 'failed' then
    local error, retry = args(2)
    retry = tonumber(retry)
    if job.cancelled then
        finish(job, cancelled(error), 0)
    elseif retry >= 0 and tonumber(job.attempts) < ATTEMPTS then
        job.error = error
        put_back(retry)
    else
        finish(job, dead(error), 0)
    end
elseif ending == 'refused' then
    job.attempts = job.attempts - 1
    conclude(job, dead((args(1))))
    stop_writing(job)
elseif ending == 'cancelled' or job.cancelled then
    finish(job, cancelled(), 0)
elseif ending == 'again' then
    give_back(tonumber((args(1))))
elseif ending == 'handed-back' then
    give_back(0)
end
write_back()
return 1
