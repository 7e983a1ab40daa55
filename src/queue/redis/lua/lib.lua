-- Jobs, where they wait, and orders: the same steps as in `queue/memory`, under the same names. It is all that an
-- order needs; `ends.lua` goes on from it.
--
-- A script finds the jobs it needs, changes them as tables, and writes back at its end what has changed of each.

local READY, DELAYED, HEADS, JOBS = P .. 'ready', P .. 'delayed', P .. 'heads', P .. 'jobs'
local GROUP = 'workers'
local WAITS = { delayed = true, parked = true, ready = true }
local IS_OVER = { done = true, cancelled = true, dead = true }
-- A hash that is made of the jobs has this field. One without it was lost, or is new, and is made anew from the jobs.
local WHOLE = 'whole'
-- States that no other key counts.
local COUNTED = { parked = true, dead = true }

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

-- The jobs that have a message: those that are ready or running.
local function with_message()
    local ids = {}
    for _, message in ipairs(redis.call('XRANGE', READY, '-', '+')) do
        if message[2][1] == 'job' then ids[#ids + 1] = message[2][2] end
    end
    return ids
end

local function restore_heads()
    for _, ids in ipairs({ redis.call('ZRANGE', DELAYED, 0, -1), with_message() }) do
        for _, id in ipairs(ids) do
            local key = redis.call('HGET', hash(id), 'key')
            if key then redis.call('HSETNX', HEADS, key, id) end
        end
    end
    redis.call('HSET', HEADS, WHOLE, 1)
end

-- The job that has a key; nothing when none has it.
local function head_of(key)
    local id = redis.call('HGET', HEADS, key)
    if not id and redis.call('HEXISTS', HEADS, WHOLE) == 0 then
        restore_heads()
        id = redis.call('HGET', HEADS, key)
    end
    local head = id and find(id)
    return head and not IS_OVER[head.state] and head or nil
end

-- The job that is parked behind one, and waits for its end.
local function parked_behind(job)
    local next = job.twin and find(job.twin)
    return next and next.state == 'parked' and next or nil
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
    local twin = head and (WAITS[head.state] and head or parked_behind(head))
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
    local job = { id = order.id, key = order.key, body = order.body, created = NOW }
    job.config, job.alone_at = order.config, order.alone_at
    job.due, job.latest = NOW + order.wait, NOW + order.longest
    found[job.id] = setmetatable(job, { __index = {} })
    redis.call('ZADD', JOBS, 0, job.id)
    line_up(job, head)
    return job.id, 0
end

return {
    find = find, write_back = write_back, set_state = set_state, place = place, put_off = put_off,
    remove_entry = remove_entry, take_off_stream = take_off_stream, head_of = head_of, line_up = line_up, enqueue = enqueue,
    hash = hash, with_message = with_message, parked_behind = parked_behind, WHOLE = WHOLE, IS_OVER = IS_OVER,
}
