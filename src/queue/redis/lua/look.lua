-- Looks at jobs.
-- Defines view(id): what is known about a job, as it is answered; nothing when it is not known.

local function view(id)
    local job = P .. 'job:' .. id
    local fields = redis.call('HGETALL', job)
    if #fields == 0 then return nil end
    return { id, fields, redis.call('SMEMBERS', P .. 'more:' .. id), redis.call('SCARD', P .. 'open:' .. id) }
end
