-- Takes `notes`, if the source is as `expected`. Returns whether it is.

if lib.is_stale() then return 0 end
redis.call('HSET', lib.STATE, 'notes', args.notes)
return 1
