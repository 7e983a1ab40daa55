-- Takes `orders`, all or none.
-- Answers the job of each order and whether it was there before.

local enqueued = {}
for number, order in ipairs(args.orders) do enqueued[number] = { lib.enqueue(order) } end
lib.write_back()
return enqueued
