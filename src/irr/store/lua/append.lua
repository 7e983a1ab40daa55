-- Appends `entries` to the journal, if the source is as `expected`. Many are appended in several steps of one `writer`;
-- nobody sees them before the step that `is_last` moves the serial. The one that `is_first` takes away what lies beyond
-- the serial `after`: a writer left it that did not finish, or one that may not go on from now.

if lib.is_stale() then return 'stale' end
if args.is_first then
    lib.drop_after(args.after)
    redis.call('HSET', lib.STATE, 'writer', args.writer, 'written', 0)
elseif redis.call('HGET', lib.STATE, 'writer') ~= args.writer then
    return 'stale'
end
for _, entry in ipairs(args.entries) do
    redis.call('XADD', lib.JOURNAL, entry.serial .. '-0', 'op', entry.op, 'class', entry.class, 'key', entry.key,
        'text', entry.text)
end
local written = redis.call('HINCRBY', lib.STATE, 'written', #args.entries)
if not args.is_last then return 'more' end
if written ~= args.count then return 'lost' end
redis.call('HSET', lib.STATE, 'basis', args.basis, 'holding', args.holding, 'notes', args.notes)
redis.call('HDEL', lib.STATE, 'writer', 'written')
return 'done'
