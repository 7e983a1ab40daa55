-- Claims jobs for a `worker`, `most` at most and none that it `holds`, by its `call` of that number: forgets what is old,
-- moves what is due, gives again what the worker was given and does not hold, takes over what was dropped, and reads what
-- is ready, in one step. Answers the claims, the number of the newest message, and milliseconds until the next job is due
-- (-1: none is; 0: there is more to do at once).

local READY, DELAYED, OVER, GROUP = P .. 'ready', P .. 'delayed', P .. 'over', 'workers'
local limits = args.limits
-- A script that takes long holds up everybody: what is left is for the next one.
local steps = math.max(200, args.most * 2)
local claims = {}
local holds, held = {}, args.holds or {}
for _, id in ipairs(held) do holds[id] = true end

local function forget(ids)
    if #ids == 0 then return end
    for _, id in ipairs(ids) do
        local letter = redis.call('HGET', P .. 'job:' .. id, 'letter')
        if letter then redis.call('XDEL', P .. 'dead', letter) end
        redis.call('SREM', P .. 'state:dead', id)
        redis.call('DEL', P .. 'job:' .. id, P .. 'more:' .. id)
    end
    redis.call('ZREM', OVER, unpack(ids))
    redis.call('ZREM', P .. 'jobs', unpack(ids))
end

-- Forgets jobs that have been over for long enough, and the oldest when they are too many; not all at once. Has to come
-- before anything else that finds jobs.
local function forget_old()
    forget(redis.call('ZRANGEBYSCORE', OVER, '-inf', NOW, 'LIMIT', 0, 100))
    local excess = math.min(redis.call('ZCARD', OVER) - limits.max_over, 100)
    if excess > 0 then forget(redis.call('ZRANGE', OVER, 0, excess - 1)) end
end

local function start(job)
    if not lib.take_config(job) then return end
    job.fence, job.started, job.worker, job.call = (job.fence or 0) + 1, NOW, args.worker, args.call
    lib.set_state(job, 'running')
    local more = job.more and redis.call('SMEMBERS', P .. 'more:' .. job.id) or {}
    claims[#claims + 1] = { job.id, job.body, (job.attempts or 0) + 1, job.fence, tonumber(job.created), more }
end

-- Looks at a message that is this worker's now, and at what became of its job.
local function receive(message)
    local entry, fields = message[1], message[2]
    local job = fields[1] == 'job' and lib.find(fields[2])
    if not job then
        lib.bury('error', 'no job belongs to this message', unpack(fields))
        lib.remove_entry(entry)
    elseif job.entry ~= entry then
        lib.remove_entry(entry)
    elseif holds[job.id] then
        lib.put_off(job, limits.held_delay)
    elseif job.state == 'ready' or not lib.finish_dropped(job) then
        start(job)
    end
end

local function promote()
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', DELAYED, '-inf', NOW, 'LIMIT', 0, steps)) do
        redis.call('ZREM', DELAYED, id)
        local job = lib.find(id)
        if job then lib.place(job) end
    end
end

-- The messages of workers that sent no heartbeat. Redis may have been emptied: then there is no group yet.
local function dropped()
    local pending = redis.pcall('XPENDING', READY, GROUP, 'IDLE', limits.lease, '-', '+',
        math.max(args.most, 1) + #held)
    if not pending.err then return pending end
    redis.call('XGROUP', 'CREATE', READY, GROUP, '0', 'MKSTREAM')
    return {}
end

-- Whether a message is about a job that the worker holds. Its lease is over, and its next heartbeat renews it.
local function is_held(pending)
    if pending[2] ~= args.worker or not next(holds) then return false end
    local message = redis.call('XRANGE', READY, pending[1], pending[1])[1]
    return message and message[2][1] == 'job' and holds[message[2][2]]
end

-- What an earlier call of this worker got, and the worker does not hold: the answer was lost, or the job was given up. A
-- call that was held up on its way is not given what a later one got.
local function was_lost(message)
    local id = message and message[2][1] == 'job' and message[2][2]
    local job = id and not holds[id] and lib.find(id)
    return job and job.state == 'running' and job.worker == args.worker and tonumber(job.call or 0) < args.call
end

local function take_back()
    if not args.holds then return end
    local pending = redis.pcall('XPENDING', READY, GROUP, '-', '+', math.max(args.most, 1) + #held, args.worker)
    for _, mine in ipairs(pending.err and {} or pending) do
        if #claims >= args.most then return end
        local message = redis.call('XRANGE', READY, mine[1], mine[1])[1]
        if was_lost(message) then
            redis.call('XCLAIM', READY, GROUP, args.worker, 0, mine[1], 'JUSTID')
            receive(message)
        end
    end
end

local function take_over()
    for _, pending in ipairs(dropped()) do
        if #claims >= args.most then return end
        if not is_held(pending) then
            local message = redis.call('XCLAIM', READY, GROUP, args.worker, 0, pending[1])[1]
            if message then receive(message) else lib.remove_entry(pending[1]) end
        end
    end
end

-- Whether a message is about a job that runs. The group does not know it any more, and it has become this worker's: the
-- next heartbeat of its own makes it the other's again, or the lease ends.
local function runs(message)
    local job = message[2][1] == 'job' and lib.find(message[2][2])
    return job and job.state == 'running' and job.entry == message[1]
end

local function read()
    while #claims < args.most and steps > 0 do
        local count = math.min(args.most - #claims, steps)
        local streams = redis.call('XREADGROUP', 'GROUP', GROUP, args.worker, 'COUNT', count, 'STREAMS', READY, '>')
        if not streams then return end
        for _, message in ipairs(streams[1][2]) do
            steps = steps - 1
            if not runs(message) then receive(message) end
        end
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
take_back()
take_over()
read()
lib.write_back()
if #claims > 0 then return { claims, '', 0 } end
local newest = redis.call('XREVRANGE', READY, '+', '-', 'COUNT', 1)[1]
return { claims, newest and newest[1] or '0', next_due() }
