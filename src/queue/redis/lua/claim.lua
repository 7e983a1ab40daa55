-- Claims jobs: forgets what is old, moves what is due, takes over what was dropped, and reads what is ready, in one step.
-- Arguments: the limits; the worker; how many jobs at most.
-- Answers the claims, the number of the newest message, and milliseconds until the next job is due (-1: none is; 0: there
-- is more to do at once).

local worker, most = args(2)
most = tonumber(most)
-- A script that takes long holds up everybody: what is left is for the next one.
local steps = math.max(200, most * 2)
local claims = {}

local function start(job)
    local turn = begin_writing(job)
    if not turn then return end
    job.attempts, job.fence, job.started, job.worker = (job.attempts or 0) + 1, (job.fence or 0) + 1, NOW, worker
    turn_to(job, 'running')
    local more = job.more and redis.call('SMEMBERS', P .. 'more:' .. job.id) or {}
    claims[#claims + 1] = { job.id, job.body, job.attempts, job.fence, tonumber(job.created), turn, more }
end

-- Looks at a message that is this worker's now, and at what became of its job.
local function receive(message)
    local entry, fields = message[1], message[2]
    local job = fields[1] == 'job' and find(fields[2])
    if not job then
        bury('error', 'no job belongs to this message', unpack(fields))
        remove_entry(entry)
    elseif job.entry ~= entry then
        remove_entry(entry)
    elseif job.state == 'ready' then
        start(job)
    elseif job.cancelled then
        finish(job, cancelled(), 0)
    elseif tonumber(job.attempts) >= ATTEMPTS then
        finish(job, dead('the worker died in attempt ' .. job.attempts .. ' of ' .. ATTEMPTS), 0)
    else
        start(job)
    end
end

local function promote()
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', DELAYED, '-inf', NOW, 'LIMIT', 0, steps)) do
        redis.call('ZREM', DELAYED, id)
        local job = find(id)
        if job then place(job) end
    end
end

-- The messages of workers that gave no sign of life. Redis may have been emptied: then there is no group yet.
local function dropped()
    local pending = redis.pcall('XPENDING', READY, GROUP, 'IDLE', LEASE, '-', '+', math.max(most, 1))
    if not pending.err then return pending end
    redis.call('XGROUP', 'CREATE', READY, GROUP, '0', 'MKSTREAM')
    return {}
end

local function take_over()
    for _, pending in ipairs(dropped()) do
        if #claims >= most then return end
        local message = redis.call('XCLAIM', READY, GROUP, worker, 0, pending[1])[1]
        if message then receive(message) else remove_entry(pending[1]) end
    end
end

local function read()
    while #claims < most and steps > 0 do
        local count = math.min(most - #claims, steps)
        local streams = redis.call('XREADGROUP', 'GROUP', GROUP, worker, 'COUNT', count, 'STREAMS', READY, '>')
        if not streams then return end
        for _, message in ipairs(streams[1][2]) do
            steps = steps - 1
            receive(message)
        end
    end
end

local function newest()
    local about = redis.call('XINFO', 'STREAM', READY)
    for i = 1, #about, 2 do
        if about[i] == 'last-generated-id' then return about[i + 1] end
    end
end

local function next_due()
    if steps <= 0 then return 0 end
    local first = redis.call('ZRANGE', DELAYED, 0, 0, 'WITHSCORES')
    if not first[1] then return -1 end
    return math.max(tonumber(first[2]) - NOW, 0)
end

forget_old()
promote()
take_over()
read()
write_back()
if #claims > 0 then return { claims, '', 0 } end
return { claims, newest(), next_due() }
