-- Jobs and where they wait. The same steps as in `queue/memory`, under the same names.
--
-- A script finds the jobs it needs, changes them as tables, and writes back at its end what has changed of each.

local READY, DELAYED, HEADS, JOBS = P .. 'ready', P .. 'delayed', P .. 'heads', P .. 'jobs'
local GROUP = 'workers'
local WAITS = { delayed = true, parked = true, ready = true }
-- What has no other place to be counted in.
local COUNTED = { parked = true, spread = true, dead = true }

local KEEP, ATTEMPTS, LEASE, BUSY, KEPT = args(5)
KEEP, ATTEMPTS, LEASE, BUSY, KEPT = tonumber(KEEP), tonumber(ATTEMPTS), tonumber(LEASE), tonumber(BUSY), tonumber(KEPT)

-- The jobs of this script, by id. A job holds what the script changes; behind it is what it was. What is not there is nil
-- or false; false takes away what was.
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

local function create(job)
    found[job.id] = setmetatable(job, { __index = {} })
    redis.call('ZADD', JOBS, 0, job.id)
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

local function turn_to(job, state)
    if COUNTED[job.state] then redis.call('SREM', P .. job.state, job.id) end
    if COUNTED[state] then redis.call('SADD', P .. state, job.id) end
    job.state = state
end

-- Puts a job where it waits: among the delayed ones, or the ready ones when it is due.
local function place(job)
    local due = tonumber(job.due or 0)
    if due > NOW then
        redis.call('ZADD', DELAYED, due, job.id)
        turn_to(job, 'delayed')
    else
        job.due, job.latest = false, false
        job.entry = redis.call('XADD', READY, '*', 'job', job.id)
        turn_to(job, 'ready')
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

-- The job that has a key.
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
    turn_to(job, 'parked')
end
