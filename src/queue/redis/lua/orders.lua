-- Orders: equal ones, and when they are due.

-- Makes a job a part of the run it names, if that still takes parts.
local function join(job)
    local run = job.names and find(job.names)
    if not run or run.state ~= 'spread' or run.recorder then return end
    redis.call('SADD', P .. 'open:' .. run.id, job.id)
    -- A part that gets a new life was counted before.
    if redis.call('HDEL', P .. 'parts:' .. run.id, job.id) == 0 then run.total = run.total + 1 end
    job.run = run.id
end

-- When a job that waits is due after a further order, and when at the latest. A time without the latter was set by the
-- queue itself, and only an order that does not wait changes it.
local function due_after(due, latest, delay, wait, longest)
    local wanted, wanted_latest = NOW + wait, NOW + longest
    if delay == 'none' then return wanted, wanted_latest end
    if not latest then return due, false end
    latest = math.min(latest, wanted_latest)
    if delay == 'for' then return math.min(due, wanted), latest end
    return math.min(wanted, latest), latest
end

local function coalesce(job, ids, delay, wait, longest)
    for from = 1, #ids, 1000 do
        job.more = redis.call('SADD', P .. 'more:' .. job.id, unpack(ids, from, math.min(from + 999, #ids)))
    end
    if not job.due then return end
    job.due, job.latest = due_after(tonumber(job.due), job.latest and tonumber(job.latest), delay, wait, longest)
    if job.state == 'delayed' then
        redis.call('ZREM', DELAYED, job.id)
        place(job)
    end
end

-- Reads an order from the arguments and takes it; the id of the job that does it, and whether that was there before.
local function enqueue()
    local id, key, body, config, names, recorder_key, recorder_body, delay, wait, longest, count = args(11)
    local ids = {}
    for i = 1, tonumber(count) do ids[i] = args(1) end
    wait, longest = tonumber(wait), tonumber(longest)
    local head = head_of(key)
    -- What is equal becomes part of the job that has the key, unless that runs; then of the one parked behind it.
    local twin = head and (WAITS[head.state] and head or head.twin and find(head.twin))
    if twin then
        coalesce(twin, ids, delay, wait, longest)
        return twin.id, 1
    end
    local job = { id = id, key = key, body = body, created = NOW, due = NOW + wait, latest = NOW + longest }
    if config ~= '' then job.config = config end
    if names ~= '' then job.names = names end
    if recorder_key ~= '' then job.recorder_key, job.recorder_body = recorder_key, recorder_body end
    create(job)
    join(job)
    line_up(job, head)
    return id, 0
end
