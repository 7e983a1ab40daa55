-- Claims, configs and ends: what goes beyond orders. It goes on from `lib`.

local HEADS, DELAYED, AT_WORK, OVER, DEAD = P .. 'heads', P .. 'delayed', P .. 'at-work', P .. 'over', P .. 'dead'
local find, place, limits = lib.find, lib.place, args.limits

-- The running job of a claim; nothing when the claim does not count any more.
local function claimed()
    local job = find(args.job)
    if job and job.state == 'running' and tonumber(job.fence) == args.fence then return job end
end

-- Counts an attempt, with the first that a claim is heard of: nobody may have got its answer.
local function begin(job)
    if job.begun == job.fence then return end
    job.begun, job.attempts = job.fence, (job.attempts or 0) + 1
end

-- Passes the key of a job that is over to the next in line. When Redis has lost who has the key, another one may have it.
local function pass_key_on(job)
    local next, head = lib.parked_behind(job), redis.call('HGET', HEADS, job.key)
    job.twin = false
    if head and head ~= job.id then
        if next then lib.line_up(next, lib.head_of(job.key)) end
    elseif next then
        redis.call('HSET', HEADS, job.key, next.id)
        place(next)
    else
        redis.call('HDEL', HEADS, job.key)
    end
end

-- Takes a parked job out of its line.
local function step_out(job)
    local before = lib.head_of(job.key)
    while before and before.twin ~= job.id do before = before.twin and find(before.twin) end
    if before then before.twin = job.twin or false end
    job.twin = false
end

-- Configs: one job at a time is at work at each; those that came meanwhile wait in line. In the place of its config, a
-- preview has its user.

local function line_of(config) return P .. 'line:' .. config end

-- Where a job wants to be alone. One of an earlier version says only its config.
local function alone_at(job) return job.alone_at or job.config end

-- Calls the first in line, if the config is free.
local function call_next(config)
    local next = redis.call('ZRANGE', line_of(config), 0, 0)[1]
    if not next or redis.call('HEXISTS', AT_WORK, config) == 1 then return end
    local job = find(next)
    if not job then
        redis.call('ZREM', line_of(config), next)
        call_next(config)
    elseif redis.call('ZREM', DELAYED, next) == 1 then
        job.due = false
        place(job)
    end
end

local function restore_at_work()
    for _, id in ipairs(lib.with_message()) do
        local state, alone, config = unpack(redis.call('HMGET', lib.hash(id), 'state', 'alone_at', 'config'))
        if state == 'running' and (alone or config) then redis.call('HSETNX', AT_WORK, alone or config, id) end
    end
    redis.call('HSET', AT_WORK, lib.WHOLE, 1)
end

-- The job that has a config; nothing when it is free.
local function holder_of(config)
    local holder = redis.call('HGET', AT_WORK, config)
    if not holder and redis.call('HEXISTS', AT_WORK, lib.WHOLE) == 0 then
        restore_at_work()
        holder = redis.call('HGET', AT_WORK, config)
    end
    return holder
end

local function get_in_line(job, config)
    local last = redis.call('ZRANGE', line_of(config), -1, -1, 'WITHSCORES')[2] or 0
    redis.call('ZADD', line_of(config), 'NX', last + 1, job.id)
    job.in_line = 1
end

-- Gives a job its config, or puts it in line for it. The one that has it may be lost: its worker is still to hear of it,
-- and `repair` frees the config after a lease.
local function take_config(job)
    local config = alone_at(job)
    if not config then return true end
    local holder = holder_of(config)
    if holder and holder ~= job.id and (find(holder) or { state = 'running' }).state == 'running' then
        get_in_line(job, config)
        lib.put_off(job, limits.busy_config_delay)
        return false
    end
    redis.call('HSET', AT_WORK, config, job.id)
    redis.call('ZREM', line_of(config), job.id)
    job.in_line = false
    return true
end

local function release_config(job)
    local config = alone_at(job)
    if not config or (redis.call('HGET', AT_WORK, config) or job.id) ~= job.id then return end
    redis.call('HDEL', AT_WORK, config)
    call_next(config)
end

-- Ends.

local function bury(...) return redis.call('XADD', DEAD, 'MAXLEN', '~', limits.max_over, '*', ...) end

local function write_letter(job)
    job.letter = bury('job', job.id, 'key', job.key, 'body', job.body, 'error', job.error or '')
end

-- Has a job that is over not be over any more.
local function dig_out(job)
    redis.call('ZREM', OVER, job.id)
    if job.letter then redis.call('XDEL', DEAD, job.letter) end
    job.letter = false
end

-- Ends a job for good, and whatever waited for that. An error takes the place of an earlier one.
local function conclude(job, state, error, result)
    local has_key = job.state ~= 'parked' and job.state ~= 'dead'
    lib.take_off_stream(job)
    redis.call('DEL', P .. 'notes:' .. job.id)
    job.in_line = false
    job.ended, job.result, job.error = NOW, result or false, error or job.error
    lib.set_state(job, state)
    local keep = limits.keep
    if state == 'dead' then
        write_letter(job)
        keep = keep * 4
    end
    redis.call('ZADD', OVER, NOW + keep, job.id)
    if has_key then pass_key_on(job) end
end

-- Ends a job that ran.
local function finish(job, state, error, result)
    conclude(job, state, error, result)
    release_config(job)
end

-- Ends a job whose worker is gone, if it is to end; whether it did.
local function finish_dropped(job)
    local attempts = tonumber(job.attempts or 0)
    if job.cancelled then
        finish(job, 'cancelled')
    elseif attempts >= limits.max_attempts then
        finish(job, 'dead', 'the worker died in attempt ' .. attempts .. ' of ' .. limits.max_attempts)
    else
        return false
    end
    return true
end

-- What is known about a job, as it is answered; nothing when it is not known.
local function view(id)
    local fields = redis.call('HGETALL', P .. 'job:' .. id)
    return fields[1] and { id, fields, redis.call('SMEMBERS', P .. 'more:' .. id) }
end

lib.claimed, lib.view, lib.step_out, lib.call_next, lib.take_config = claimed, view, step_out, call_next, take_config
lib.get_in_line = get_in_line
lib.alone_at, lib.begin, lib.finish_dropped, lib.write_letter = alone_at, begin, finish_dropped, write_letter
lib.release_config, lib.bury, lib.dig_out, lib.conclude, lib.finish = release_config, bury, dig_out, conclude, finish
return lib
