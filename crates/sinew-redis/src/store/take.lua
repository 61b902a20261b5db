-- Removes a record if it is still as somebody has read it.
-- KEYS: the record. ARGV: '1' if it was there, then names and values.
-- Answers 1 when it is gone and was so, 0 when somebody has written to it.
local stored = redis.pcall('HGETALL', KEYS[1])
if stored.err then return stored end
if ARGV[1] == '0' then
  if #stored == 0 then return 1 end
  return 0
end
local read, count = {}, 0
for i = 2, #ARGV, 2 do
  read[ARGV[i]] = ARGV[i + 1]
  count = count + 1
end
for i = 1, #stored, 2 do
  if stored[i] ~= '\0' then
    if read[stored[i]] ~= stored[i + 1] then return 0 end
    count = count - 1
  end
end
if #stored == 0 or count ~= 0 then return 0 end
redis.call('UNLINK', KEYS[1])
return 1
