-- What several steps of a mirrored source do. Serials and generations are text here: Lua has no integers of their size.

local lib = { STATE = P .. 'state', JOURNAL = P .. 'journal', OLD = P .. 'old' }

-- Whether the source is still what the step stands on.
function lib.is_stale()
    return (redis.call('HGET', lib.STATE, 'basis') or '') ~= args.expected
end

-- Takes away the entries of the journal beyond a serial, and lets entries follow it again.
function lib.drop_after(serial)
    if redis.call('EXISTS', lib.JOURNAL) == 0 then return end
    while true do
        local entries = redis.call('XRANGE', lib.JOURNAL, '(' .. serial .. '-0', '+', 'COUNT', 1000)
        if not entries[1] then break end
        local ids = {}
        for at, entry in ipairs(entries) do ids[at] = entry[1] end
        redis.call('XDEL', lib.JOURNAL, unpack(ids))
    end
    redis.call('XSETID', lib.JOURNAL, serial .. '-0')
end

-- The keys of a generation.
function lib.pages(generation)
    return P .. 'g:' .. generation, P .. 'k:' .. generation
end

-- The generation that is current, or nothing.
function lib.current()
    return string.match(redis.call('HGET', lib.STATE, 'basis') or '', '^%d+')
end

return lib
