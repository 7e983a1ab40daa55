-- Ends a claim with an `ending` and what belongs to it.
-- Answers whether the ending was taken.

local job = lib.claimed()
if not job then return 0 end
lib.begin(job)

-- Back to where it waits. Who waits for its config comes first.
local function put_back(wait)
    lib.release_config(job)
    lib.put_off(job, wait)
end

local ending = args.ending
if ending == 'done' then
    for _, order in ipairs(args.orders) do lib.enqueue(order) end
    lib.finish(job, 'done', nil, args.result)
elseif ending == 'refused' then
    job.attempts = job.attempts - 1
    lib.finish(job, 'dead', args.error)
elseif ending == 'cancelled' or job.cancelled then
    lib.finish(job, 'cancelled', args.error)
elseif ending == 'put-back' then
    job.attempts = job.attempts - 1
    put_back(args.wait)
elseif args.wait and tonumber(job.attempts) < args.limits.max_attempts then
    job.error = args.error
    put_back(args.wait)
else
    lib.finish(job, 'dead', args.error)
end
lib.write_back()
return 1
