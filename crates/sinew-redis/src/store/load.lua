-- One record: its PTTL and its fields, or nil.
-- KEYS: the record.
local stored = redis.pcall('HGETALL', KEYS[1])
if stored.err then return stored end
if #stored == 0 then return false end
return {redis.call('PTTL', KEYS[1]), stored}
