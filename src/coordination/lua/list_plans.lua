-- Answers the plans that are kept, and forgets those whose time is over.

local index, kept = P .. 'plans', {}
local all = redis.call('HGETALL', index)
for at = 1, #all, 2 do
    if redis.call('EXISTS', P .. 'plan:' .. all[at] .. ':0') == 1 then
        kept[#kept + 1] = all[at + 1]
    else
        redis.call('HDEL', index, all[at])
    end
end
return kept
