-- Forgets workers that have had nothing to do with the queue for long and that no message is with.
-- Arguments: for how many milliseconds.
-- Answers how many.

local idle = tonumber((args(1)))
local workers = redis.pcall('XINFO', 'CONSUMERS', P .. 'ready', 'workers')
local count = 0
for _, worker in ipairs(workers.err and {} or workers) do
    local about = {}
    for i = 1, #worker, 2 do about[worker[i]] = worker[i + 1] end
    if about.pending == 0 and about.idle > idle then
        redis.call('XGROUP', 'DELCONSUMER', P .. 'ready', 'workers', about.name)
        count = count + 1
    end
end
return count
