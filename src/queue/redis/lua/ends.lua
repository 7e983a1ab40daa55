-- How jobs end.

local WRITERS, OVER, LETTERS = P .. 'writers', P .. 'over', P .. 'letters'

-- Defined in runs.lua.
local end_part, end_run

local function bury(...) return redis.call('XADD', LETTERS, 'MAXLEN', '~', KEPT, '*', ...) end

-- Has a job that is over not be over any more.
local function dig_out(job)
    redis.call('ZREM', OVER, job.id)
    if job.letter then redis.call('XDEL', LETTERS, job.letter) end
    job.letter = false
end

local function forget(ids)
    if #ids == 0 then return end
    for _, id in ipairs(ids) do
        local state, letter = unpack(redis.call('HMGET', hash(id), 'state', 'letter'))
        if COUNTED[state] then redis.call('SREM', P .. state, id) end
        if letter then redis.call('XDEL', LETTERS, letter) end
        redis.call('DEL', hash(id), P .. 'more:' .. id, P .. 'open:' .. id, P .. 'parts:' .. id)
    end
    redis.call('ZREM', OVER, unpack(ids))
    redis.call('ZREM', JOBS, unpack(ids))
end

-- Forgets jobs that have been over for long enough, and the oldest when they are too many; not all at once. Has to come
-- before anything else that finds jobs.
local function forget_old()
    forget(redis.call('ZRANGEBYSCORE', OVER, '-inf', NOW, 'LIMIT', 0, 100))
    local excess = math.min(redis.call('ZCARD', OVER) - KEPT, 100)
    if excess > 0 then forget(redis.call('ZRANGE', OVER, 0, excess - 1)) end
end

-- Gives the key of a job that is over to the next in line.
local function give_key_on(job)
    local next = job.twin and find(job.twin)
    job.twin = false
    if next then
        redis.call('HSET', HEADS, job.key, next.id)
        place(next)
    else
        redis.call('HDEL', HEADS, job.key)
    end
end

-- Ends a job for good, and whatever waited for that.
-- An outcome has a state, and maybe a result (JSON), an error (text), and a part: what it is for its run.
local function conclude(job, outcome)
    local has_key = job.state ~= 'parked' and job.state ~= 'dead'
    take_off_stream(job)
    job.ended, job.result, job.error = NOW, outcome.result or false, outcome.error or job.error
    turn_to(job, outcome.state)
    local keep = KEEP
    if outcome.state == 'dead' then
        job.letter = bury('job', job.id, 'key', job.key, 'body', job.body, 'error', job.error or '')
        keep = keep * 4
    end
    redis.call('ZADD', OVER, NOW + keep, job.id)
    if job.run and job.run ~= job.id then
        local run = find(job.run)
        if run then
            end_part(run, job, outcome.part)
            end_run(run, job)
        end
    end
    if has_key then give_key_on(job) end
end

local function dead(error) return { state = 'dead', error = error, part = 'e' .. error } end

local function cancelled(error) return { state = 'cancelled', error = error, part = 'ecancelled' } end

-- Takes a parked job out of its line.
local function step_out(job)
    local before = head_of(job.key)
    while before and before.twin ~= job.id do before = before.twin and find(before.twin) end
    if before then before.twin = job.twin or false end
    job.twin = false
end

local function cancel_waiting(job)
    if job.state == 'parked' then step_out(job) end
    if job.state == 'delayed' then redis.call('ZREM', DELAYED, job.id) end
    job.due, job.latest = false, false
    conclude(job, cancelled())
end
