-- Puts right what Redis has lost, if it throws keys away or somebody deleted some: looks at `count` jobs `before` one, the
-- newest first, whether each is where its state says, and at about as many keys of equal work and configs from the
-- cursors `heads` and `configs` on.
-- Answers the last job looked at or nothing, the next cursors, how many jobs were put back, and how many are gone.

local READY, DELAYED, JOBS, OVER, DEAD = P .. 'ready', P .. 'delayed', P .. 'jobs', P .. 'over', P .. 'dead'
local HEADS, AT_WORK, VANISHED, PARKED = P .. 'heads', P .. 'at-work', P .. 'vanished', P .. 'state:parked'
local GROUP = 'workers'
local limits = args.limits
local put_back, gone = 0, 0

-- Forgets a job whose record is lost. Whoever gets its message finds out.
local function forget(id)
    gone = gone + 1
    for _, places in ipairs({ JOBS, DELAYED, OVER }) do redis.call('ZREM', places, id) end
    redis.call('SREM', PARKED, id)
    redis.call('SREM', P .. 'state:dead', id)
    redis.call('DEL', lib.hash(id), P .. 'more:' .. id, P .. 'notes:' .. id)
end

-- The list of all jobs from where they are, if it is shorter.
local function restore_list()
    local places = redis.call('ZCARD', DELAYED) + redis.call('XLEN', READY) + redis.call('SCARD', PARKED)
        + redis.call('ZCARD', OVER)
    if places <= redis.call('ZCARD', JOBS) then return end
    local is_known = function(id) return redis.call('EXISTS', lib.hash(id)) == 1 end
    for _, ids in ipairs({ redis.call('ZRANGE', DELAYED, 0, -1), redis.call('SMEMBERS', PARKED),
        redis.call('ZRANGE', OVER, 0, -1) }) do
        for _, id in ipairs(ids) do
            if is_known(id) then redis.call('ZADD', JOBS, 0, id) else forget(id) end
        end
    end
    for _, id in ipairs(lib.with_message()) do
        if is_known(id) then redis.call('ZADD', JOBS, 0, id) end
    end
end

local function has_message(job) return job.entry and redis.call('XRANGE', READY, job.entry, job.entry)[1] end

-- Whether a job is with a worker that has a lease.
local function has_lease(job)
    local pending = job.entry and redis.pcall('XPENDING', READY, GROUP, job.entry, job.entry, 1)
    return pending and not pending.err and pending[1]
end

local function take_key(job)
    if not lib.head_of(job.key) then redis.call('HSET', HEADS, job.key, job.id) end
end

-- A job that was in line for its config goes to the end of the line; it need not be its turn.
local function look_at_line(job)
    local config = job.in_line and lib.alone_at(job)
    if not config or redis.call('ZSCORE', P .. 'line:' .. config, job.id) then return end
    lib.get_in_line(job, config)
    lib.call_next(config)
end

local function look_at_waiting(job)
    take_key(job)
    look_at_line(job)
    local is_there
    if job.state == 'delayed' then is_there = redis.call('ZSCORE', DELAYED, job.id) else is_there = has_message(job) end
    if is_there then return end
    job.entry = false
    lib.place(job)
    put_back = put_back + 1
end

local function look_at_parked(job)
    redis.call('SADD', PARKED, job.id)
    local before = lib.head_of(job.key)
    while before and before.twin ~= job.id do before = before.twin and lib.find(before.twin) end
    if before then return end
    -- Whoever is parked behind it is looked at as well.
    job.twin = false
    lib.line_up(job, lib.head_of(job.key))
    put_back = put_back + 1
end

-- A job that has neither message nor lease is taken from its worker when no heartbeat came for as long as a lease lasts.
local function look_at_running(job)
    take_key(job)
    local config = lib.alone_at(job)
    if config then redis.call('HSETNX', AT_WORK, config, job.id) end
    if has_lease(job) or has_message(job) then
        job.missed = false
    elseif not job.missed then
        job.missed = NOW
    elseif NOW - job.missed >= limits.lease then
        job.missed = false
        put_back = put_back + 1
        if lib.finish_dropped(job) then return end
        lib.release_config(job)
        lib.put_off(job, 0)
    end
end

local function look_at_over(job)
    local is_dead = job.state == 'dead'
    redis.call('ZADD', OVER, 'NX', (job.ended or NOW) + limits.keep * (is_dead and 4 or 1), job.id)
    if not is_dead then return end
    redis.call('SADD', P .. 'state:dead', job.id)
    -- The oldest letters give way when there are too many.
    if redis.call('XLEN', DEAD) >= limits.max_over then return end
    if not (job.letter and redis.call('XRANGE', DEAD, job.letter, job.letter)[1]) then lib.write_letter(job) end
end

-- Most jobs are over, and in their places.
local function is_well(id, state)
    return (state == 'done' or state == 'cancelled') and redis.call('ZSCORE', OVER, id)
end

local function look_at(id)
    local state, key, body = unpack(redis.call('HMGET', lib.hash(id), 'state', 'key', 'body'))
    if not (state and key and body) then return forget(id) end
    if is_well(id, state) then return end
    local job = lib.find(id)
    if lib.IS_OVER[job.state] then
        look_at_over(job)
    elseif job.state == 'parked' then
        look_at_parked(job)
    elseif job.state == 'running' then
        look_at_running(job)
    else
        look_at_waiting(job)
    end
end

-- A config whose job is lost is free when the job's worker must have heard of that.
local function look_at_config(config, id)
    local state = redis.call('HGET', lib.hash(id), 'state')
    if state == 'running' then return end
    if not state then
        local who, since = string.match(redis.call('HGET', VANISHED, config) or '', '^(%w+) (%d+)$')
        if who ~= id then
            redis.call('HSET', VANISHED, config, id .. ' ' .. NOW)
            return
        end
        if NOW - since < limits.lease then return end
    end
    redis.call('HDEL', VANISHED, config)
    redis.call('HDEL', AT_WORK, config)
    lib.call_next(config)
end

-- An order makes no use of a key whose job is lost; it only takes up room.
local function look_at_key(key, id)
    if redis.call('EXISTS', lib.hash(id)) == 0 then redis.call('HDEL', HEADS, key) end
end

-- Looks at some fields of a hash that is made of the jobs; where to go on.
local function look_through(hash, cursor, look)
    local next, some = unpack(redis.call('HSCAN', hash, cursor or '0', 'COUNT', args.count))
    for at = 1, #some, 2 do
        if some[at] ~= lib.WHOLE then look(some[at], some[at + 1]) end
    end
    return next
end

restore_list()
local from = args.before and '(' .. args.before or '+'
local ids = redis.call('ZREVRANGEBYLEX', JOBS, from, '-', 'LIMIT', 0, args.count)
for _, id in ipairs(ids) do look_at(id) end
local configs = look_through(AT_WORK, args.configs, look_at_config)
lib.write_back()
local heads = look_through(HEADS, args.heads, look_at_key)
return { #ids == args.count and ids[#ids] or '', heads, configs, put_back, gone }
