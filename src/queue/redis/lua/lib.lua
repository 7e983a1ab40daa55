-- Jobs and where they wait: the same steps as in `queue/memory`, under the same names.
--
-- A script finds the jobs it needs, changes them as tables, and writes back at its end what has changed of each.

local READY, DELAYED, HEADS, JOBS = P .. 'ready', P .. 'delayed', P .. 'heads', P .. 'jobs'
local AT_WORK, OVER, DEAD = P .. 'at-work', P .. 'over', P .. 'dead'
local GROUP = 'workers'
local WAITS = { delayed = true, parked = true, ready = true }
-- States that no other key counts.
local COUNTED = { parked = true, dead = true }
local limits = args.limits

-- The jobs of this script, by id. A job holds what the script changes; behind it is what it was. What is not there is
-- nil or false; false takes away what was.
local found = {}

local function hash(id) return P .. 'job:' .. id end

-- The job of an id; nothing when it is not known.
local function find(id)
    if found[id] then return found[id] end
    local fields = redis.call('HGETALL', hash(id))
    if not fields[1] then return nil end
    local was = {}
    for i = 1, #fields, 2 do was[fields[i]] = fields[i + 1] end
    found[id] = setmetatable({ id = id }, { __index = was })
    return found[id]
end

-- The running job of a claim; nothing when the claim does not count any more.
local function claimed()
    local job = find(args.job)
    if job and job.state == 'running' and tonumber(job.fence) == args.fence then return job end
end

local function write(job)
    local was, set, gone = getmetatable(job).__index, {}, {}
    for name, value in pairs(job) do
        if value and value ~= was[name] and name ~= 'id' then
            set[#set + 1], set[#set + 2] = name, value
        elseif not value and was[name] then
            gone[#gone + 1] = name
        end
    end
    if #set + #gone == 0 then return end
    redis.call('HSET', hash(job.id), 'version', (was.version or 0) + 1, unpack(set))
    if #gone > 0 then redis.call('HDEL', hash(job.id), unpack(gone)) end
end

local function write_back()
    for _, job in pairs(found) do write(job) end
end

local function set_state(job, state)
    if COUNTED[job.state] then redis.call('SREM', P .. 'state:' .. job.state, job.id) end
    if COUNTED[state] then redis.call('SADD', P .. 'state:' .. state, job.id) end
    job.state = state
end

-- Puts a job where it waits: among the delayed ones, or the ready ones when it is due.
local function place(job)
    local due = tonumber(job.due or 0)
    if due > NOW then
        redis.call('ZADD', DELAYED, due, job.id)
        set_state(job, 'delayed')
    else
        job.due, job.latest = false, false
        job.entry = redis.call('XADD', READY, '*', 'job', job.id)
        set_state(job, 'ready')
    end
end

-- Takes a message out of the stream, whoever it was delivered to.
local function remove_entry(entry)
    redis.call('XACK', READY, GROUP, entry)
    redis.call('XDEL', READY, entry)
end

local function take_off_stream(job)
    if job.entry then remove_entry(job.entry) end
    job.entry = false
end

-- Has a job wait for a time that no order set.
local function put_off(job, wait)
    take_off_stream(job)
    job.due, job.latest = NOW + wait, false
    place(job)
end

-- Keys: the first of equal jobs has the key, the others are parked behind it, one behind the other.

local function head_of(key)
    local id = redis.call('HGET', HEADS, key)
    return id and find(id) or nil
end

-- Gives a job its key, or parks it behind the last one that wants it.
local function line_up(job, head)
    if not head then
        redis.call('HSET', HEADS, job.key, job.id)
        place(job)
        return
    end
    local last, next = head, head
    while next do
        last, next = next, next.twin and find(next.twin)
    end
    last.twin = job.id
    set_state(job, 'parked')
end

-- Passes the key of a job that is over to the next in line.
local function pass_key_on(job)
    local next = job.twin and find(job.twin)
    job.twin = false
    if next then
        redis.call('HSET', HEADS, job.key, next.id)
        place(next)
    else
        redis.call('HDEL', HEADS, job.key)
    end
end

-- Takes a parked job out of its line.
local function step_out(job)
    local before = head_of(job.key)
    while before and before.twin ~= job.id do before = before.twin and find(before.twin) end
    if before then before.twin = job.twin or false end
    job.twin = false
end

-- Configs: one job at a time is at work at each; those that came meanwhile wait in line.

local function line_of(config) return P .. 'line:' .. config end

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

-- Gives a job its config, or puts it in line for it. The holder of a config may be lost, with the keys of its job.
local function take_config(job)
    if not job.config then return true end
    local line, holder = line_of(job.config), redis.call('HGET', AT_WORK, job.config)
    if holder and holder ~= job.id and (find(holder) or {}).state == 'running' then
        local last = redis.call('ZRANGE', line, -1, -1, 'WITHSCORES')[2] or 0
        redis.call('ZADD', line, 'NX', last + 1, job.id)
        put_off(job, limits.busy_config_delay)
        return false
    end
    redis.call('HSET', AT_WORK, job.config, job.id)
    redis.call('ZREM', line, job.id)
    return true
end

local function release_config(job)
    if not job.config or redis.call('HGET', AT_WORK, job.config) ~= job.id then return end
    redis.call('HDEL', AT_WORK, job.config)
    call_next(job.config)
end

-- Orders.

-- When a job that waits is due after a further order, and when at the latest. A time without the latter was set by the
-- queue itself, and only an order that does not wait changes it.
local function due_after(due, latest, order)
    local wanted, wanted_latest = NOW + order.wait, NOW + order.longest
    if order.delay == 'none' then return wanted, wanted_latest end
    if not latest then return due, false end
    latest = math.min(latest, wanted_latest)
    if order.delay == 'for' then return math.min(due, wanted), latest end
    return math.min(wanted, latest), latest
end

-- Takes an order; the id of the job that does it, and whether that was there before.
local function enqueue(order)
    local head = head_of(order.key)
    -- What is equal becomes part of the job that has the key, unless that runs; then of the one parked behind it.
    local twin = head and (WAITS[head.state] and head or head.twin and find(head.twin))
    if twin then
        local ids = order.additions
        for from = 1, #ids, 1000 do
            twin.more = redis.call('SADD', P .. 'more:' .. twin.id, unpack(ids, from, math.min(from + 999, #ids)))
        end
        if twin.due then
            twin.due, twin.latest = due_after(tonumber(twin.due), twin.latest and tonumber(twin.latest), order)
            if twin.state == 'delayed' then
                redis.call('ZREM', DELAYED, twin.id)
                place(twin)
            end
        end
        return twin.id, 1
    end
    local job = { id = order.id, key = order.key, body = order.body, config = order.config, created = NOW }
    job.due, job.latest = NOW + order.wait, NOW + order.longest
    found[job.id] = setmetatable(job, { __index = {} })
    redis.call('ZADD', JOBS, 0, job.id)
    line_up(job, head)
    return job.id, 0
end

-- Ends.

local function bury(...) return redis.call('XADD', DEAD, 'MAXLEN', '~', limits.max_over, '*', ...) end

-- Has a job that is over not be over any more.
local function dig_out(job)
    redis.call('ZREM', OVER, job.id)
    if job.letter then redis.call('XDEL', DEAD, job.letter) end
    job.letter = false
end

-- Ends a job for good, and whatever waited for that. An error takes the place of an earlier one.
local function conclude(job, state, error, result)
    local has_key = job.state ~= 'parked' and job.state ~= 'dead'
    take_off_stream(job)
    redis.call('DEL', P .. 'notes:' .. job.id)
    job.ended, job.result, job.error = NOW, result or false, error or job.error
    set_state(job, state)
    local keep = limits.keep
    if state == 'dead' then
        job.letter = bury('job', job.id, 'key', job.key, 'body', job.body, 'error', job.error or '')
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

-- What is known about a job, as it is answered; nothing when it is not known.
local function view(id)
    local fields = redis.call('HGETALL', hash(id))
    return fields[1] and { id, fields, redis.call('SMEMBERS', P .. 'more:' .. id) }
end

return {
    find = find, claimed = claimed, view = view, write_back = write_back, set_state = set_state, place = place,
    put_off = put_off, remove_entry = remove_entry, head_of = head_of, line_up = line_up, step_out = step_out,
    call_next = call_next, take_config = take_config, release_config = release_config, enqueue = enqueue, bury = bury,
    dig_out = dig_out, conclude = conclude, finish = finish,
}
