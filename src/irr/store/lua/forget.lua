-- Takes away all that is held of a source. A dump that is being taken expires by itself.

local generations = redis.call('LRANGE', lib.OLD, 0, -1)
generations[#generations + 1] = lib.current()
for _, generation in ipairs(generations) do redis.call('UNLINK', lib.pages(generation)) end
redis.call('UNLINK', lib.STATE, lib.JOURNAL, lib.OLD)
