-- Puts a whole record where it belongs, whatever was there.
-- KEYS: the record. ARGV: its time to live in ms or '', then names and values.
local written = {'\0', ''}
for i = 2, #ARGV do written[#written + 1] = ARGV[i] end
local there = redis.call('UNLINK', KEYS[1])
for i = 1, #written, 1000 do
  local done = redis.pcall('HSET', KEYS[1], unpack(written, i, math.min(i + 999, #written)))
  if type(done) == 'table' and done.err then return done end
end
if ARGV[1] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return there
