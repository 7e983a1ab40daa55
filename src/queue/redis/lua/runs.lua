-- Runs of several parts, and who writes for a config.

-- The run that a job writes for; one that is part of none is a run by itself.
local function run_of(job) return job.run or job.id end

-- The jobs that wait for a config, in the order in which they came.
local function line_of(config) return P .. 'line:' .. config end

-- Has a job wait until it is called, or for a while if nobody calls it; the longer the line is, the longer.
local function stand_in_line(job)
    local line = line_of(job.config)
    redis.call('ZADD', line, 'NX', redis.call('HINCRBY', P .. 'lines', job.config, 1), job.id)
    put_off(job, BUSY * math.min(math.ceil(redis.call('ZCARD', line) / 10), 30))
end

-- The number of a job's claim at its config, if it may run now: no other run is at work there, and no other job of its own
-- run. Else it stands in line. A writer that is not known any more is none.
local function begin_writing(job)
    if not job.config then return 0 end
    local run = run_of(job)
    local writer = redis.call('HGET', WRITERS, job.config)
    if writer then
        local owner, other = string.match(writer, '^(%S+) ?(%S*)$')
        local at_work = owner == run and other or owner
        local state = at_work ~= '' and at_work ~= job.id and (find(at_work) or {}).state
        if state == 'running' or (owner ~= run and state == 'spread') then
            stand_in_line(job)
            return nil
        end
    end
    redis.call('HSET', WRITERS, job.config, run .. ' ' .. job.id)
    redis.call('ZREM', line_of(job.config), job.id)
    return redis.call('HINCRBY', P .. 'turns', job.config, 1)
end

-- Calls the first in line for a config, of a run if that goes on, else of any.
local function call_next(config, run)
    local line = line_of(config)
    for _, id in ipairs(redis.call('ZRANGE', line, 0, 99)) do
        local job = find(id)
        if not job or (job.state ~= 'delayed' and job.state ~= 'ready') then
            redis.call('ZREM', line, id)
        elseif not run or run_of(job) == run then
            if redis.call('ZREM', DELAYED, id) == 1 then
                job.due = NOW
                place(job)
            end
            return
        end
    end
end

-- Lets the next one write: of the same run if that goes on, else of any.
local function stop_writing(job)
    if not job.config then return end
    local run = run_of(job)
    if redis.call('HGET', WRITERS, job.config) ~= run .. ' ' .. job.id then return end
    if (find(run) or {}).state == 'spread' then
        redis.call('HSET', WRITERS, job.config, run)
        call_next(job.config, run)
    else
        redis.call('HDEL', WRITERS, job.config)
        call_next(job.config)
    end
end

-- Begins a run with the job that has just ended as its first part.
local function begin_run(job, outcome)
    take_off_stream(job)
    job.recorder, job.run, job.fate, job.total = false, job.id, outcome.state, 1
    job.error = outcome.error or job.error
    redis.call('DEL', P .. 'open:' .. job.id, P .. 'parts:' .. job.id)
    redis.call('SADD', P .. 'open:' .. job.id, job.id)
    turn_to(job, 'spread')
end

local function record_run(run)
    local id = string.format('%012x', NOW) .. string.sub(redis.sha1hex(run.id .. ' ' .. run.fence), 1, 12)
    local job = {
        id = id, key = run.recorder_key, body = run.recorder_body, config = run.config, names = run.id, run = run.id,
        created = NOW,
    }
    run.recorder = id
    create(job)
    line_up(job, head_of(job.key))
end

-- Takes note of the end of a part; when it was the last one, the run is recorded.
end_part = function(run, job, part)
    if redis.call('SREM', P .. 'open:' .. run.id, job.id) == 0 then return end
    run.ended_parts = (run.ended_parts or 0) + 1
    if part then redis.call('HSET', P .. 'parts:' .. run.id, job.id, run.ended_parts .. ' ' .. part) end
    if redis.call('SCARD', P .. 'open:' .. run.id) == 0 then record_run(run) end
end

-- Ends a run if the job that has just ended is the one that records it.
end_run = function(run, job)
    if run.state ~= 'spread' or run.recorder ~= job.id then return end
    local outcome = { state = run.fate, result = job.result, error = run.error or job.error }
    if run.fate == 'done' then outcome.state = job.state end
    if run.cancelled then outcome.state = 'cancelled' end
    redis.call('HDEL', WRITERS, run.config)
    conclude(run, outcome)
    call_next(run.config)
end

-- Ends a job that ran. One that begins a run stays until the run is over. The arguments end with further orders.
local function finish(job, outcome, orders)
    if job.recorder_key then begin_run(job, outcome) end
    for _ = 1, orders do enqueue() end
    if job.recorder_key then end_part(job, job, outcome.part) else conclude(job, outcome) end
    stop_writing(job)
end
