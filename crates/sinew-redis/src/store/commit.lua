-- One commit of one record: all of it, or nothing.
-- KEYS: the record, and where it is moved to, if it is.
-- ARGV: create, clear, time to live in ms or '', most fields or '', most bytes or '', then three
-- lists, each after its length: what is expected (name, '1' or '0' for absent, value), what is
-- removed (name), what is set (name, value).
-- Answers {0} when it was applied, {1, PTTL, fields} on a conflict, {2} when there is no record,
-- {3} and {4} when it would have too many fields or bytes.
local key, target = KEYS[1], KEYS[2]
local mark = '\0'
local at = 5
local function take()
  at = at + 1
  return ARGV[at]
end

local stored = redis.pcall('HGETALL', key)
if stored.err then return stored end
local life = redis.call('PTTL', key)
if life == -2 and ARGV[1] == '0' then return {2} end

local fields, is_marked = {}, false
for i = 1, #stored, 2 do
  if stored[i] == mark then
    is_marked = true
  else
    fields[stored[i]] = stored[i + 1]
  end
end

for _ = 1, tonumber(take()) do
  local name, is_there, value = take(), take(), take()
  if is_there == '0' then value = nil end
  if fields[name] ~= value then return {1, life, stored} end
end

local clear = ARGV[2] == '1'
if clear then fields = {} end
local removed = {}
for _ = 1, tonumber(take()) do
  local name = take()
  removed[#removed + 1] = name
  fields[name] = nil
end
local written = {}
for _ = 1, tonumber(take()) do
  local name, value = take(), take()
  written[#written + 1] = name
  written[#written + 1] = value
  fields[name] = value
end

if #written > 0 then
  local count, bytes = 0, 0
  for name, value in pairs(fields) do
    count = count + 1
    bytes = bytes + #name + #value
    -- An escape is no part of the name.
    if string.byte(name) == 0 then bytes = bytes - 1 end
  end
  if ARGV[4] ~= '' and count > tonumber(ARGV[4]) then return {3} end
  if ARGV[5] ~= '' and bytes > tonumber(ARGV[5]) then return {4} end
end

-- From here on it writes. Only the first write of a script is refused for want of memory, so
-- what has begun is brought to its end.
local is_ended = false
if clear then
  redis.call('DEL', key)
  is_ended = true
elseif #removed > 0 then
  for i = 1, #removed, 1000 do
    redis.call('HDEL', key, unpack(removed, i, math.min(i + 999, #removed)))
  end
  -- A hash ends with its last field, and its expiry with it.
  is_ended = not is_marked
end
if not is_marked or is_ended then
  written[#written + 1] = mark
  written[#written + 1] = ''
end
for i = 1, #written, 1000 do
  local done = redis.pcall('HSET', key, unpack(written, i, math.min(i + 999, #written)))
  if type(done) == 'table' and done.err then return done end
end
if ARGV[3] ~= '' then
  redis.call('PEXPIRE', key, ARGV[3])
elseif is_ended and life >= 0 then
  redis.call('PEXPIRE', key, life)
end
if target and target ~= key then
  -- It is gone already when its time to live is nothing.
  if redis.call('EXISTS', key) == 1 then
    redis.call('RENAME', key, target)
  else
    redis.call('DEL', target)
  end
end
return {0}
