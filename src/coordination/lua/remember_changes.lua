-- Remembers `changes` for `ttl` milliseconds, each as a name and the time until when it had been made.

for _, change in ipairs(args.changes) do
    redis.call('SET', P .. 'seen:' .. change[1], change[2], 'PX', args.ttl)
end
