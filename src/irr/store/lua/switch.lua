-- Makes a `generation` of so many `blocks` the current one, if the source is as `expected` and none of the blocks is
-- missing. The generation before stays for `replaced_for` milliseconds, and no more than `most_replaced` of them.
--
-- Without `keep` the journal goes and the `notes` are taken: an import. With `keep` so many of the newest entries up to
-- the serial `after` stay: a compaction.

if lib.is_stale() then return 'stale' end
local members, keys = lib.pages(args.generation)
if redis.call('HLEN', members) ~= args.blocks or redis.call('HLEN', keys) ~= args.blocks then return 'lost' end

local before = lib.current()
redis.call('HSET', lib.STATE, 'basis', args.basis, 'holding', args.holding)
redis.call('HDEL', lib.STATE, 'writer', 'written')
redis.call('PERSIST', members)
redis.call('PERSIST', keys)
if before then
    for _, key in ipairs({ lib.pages(before) }) do redis.call('PEXPIRE', key, args.replaced_for) end
    redis.call('LPUSH', lib.OLD, before)
    while redis.call('LLEN', lib.OLD) > args.most_replaced do
        redis.call('UNLINK', lib.pages(redis.call('RPOP', lib.OLD)))
    end
end
if args.keep == '' then
    redis.call('UNLINK', lib.JOURNAL)
    redis.call('HSET', lib.STATE, 'notes', args.notes)
    redis.call('HDEL', lib.STATE, 'accepted')
else
    lib.drop_after(args.after)
    redis.call('XTRIM', lib.JOURNAL, 'MAXLEN', args.keep)
end
return 'done'
