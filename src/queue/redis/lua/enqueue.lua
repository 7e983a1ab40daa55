-- Takes orders, all or none.
-- Arguments: the limits; the key of a hint or nothing, and how long it is remembered; the number of orders; the orders.
-- Answers the job of each order and whether it was there before.

local hint, remembered, count = args(3)
if hint ~= '' then redis.call('SET', P .. 'heard:' .. hint, '', 'PX', remembered) end
local tickets = {}
for _ = 1, tonumber(count) do
    local id, coalesced = enqueue()
    tickets[#tickets + 1] = { id, coalesced }
end
write_back()
return tickets
