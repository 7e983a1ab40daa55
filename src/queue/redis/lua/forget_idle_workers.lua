-- Forgets workers that have had nothing to do with the queue for longer than `idle` milliseconds and that no message is
-- with.
-- Answers how many.

local READY = P .. 'ready'
local workers = redis.pcall('XINFO', 'CONSUMERS', READY, 'workers')
local count = 0
for _, worker in ipairs(workers.err and {} or workers) do
    local about = {}
    for i = 1, #worker, 2 do about[worker[i]] = worker[i + 1] end
    if about.pending == 0 and about.idle > args.idle then
        redis.call('XGROUP', 'DELCONSUMER', READY, 'workers', about.name)
        count = count + 1
    end
end
return count
