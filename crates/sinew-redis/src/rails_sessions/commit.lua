-- Further KEYS: 4 and 5 where blob and mark stand afterwards (1 and 2 when nothing moves).
-- Further ARGV: 2 what must be stored: n, or the kind and the SHA-1 of the text; 3 what to write:
-- b a blob, m a mark, t the life alone; 4 the text; 5 the life in milliseconds, or `keep`.
-- The answer is what is stored, when that is something else; otherwise nothing.

local kind, text, life, name = look()
local found = kind
if kind ~= 'n' then
  found = digest(kind, text)
end
if found ~= ARGV[2] then
  return { kind, text, life }
end
if ARGV[5] ~= 'keep' then
  life = tonumber(ARGV[5])
end

if ARGV[3] == 't' then
  redis.call('PEXPIRE', name, life)
  return false
end

local function write(target)
  if life >= 0 then
    redis.call('SET', target, ARGV[4], 'PX', math.max(life, 1))
  else
    redis.call('SET', target, ARGV[4])
  end
end

local function drop(target)
  for _, other in ipairs(KEYS) do
    if other ~= target then
      redis.call('DEL', other)
    end
  end
end

if ARGV[3] == 'm' then
  -- Dropped first: a server that is full then takes the mark as well, and sessions can end there.
  drop(KEYS[5])
  write(KEYS[5])
else
  -- Written first: a server that is full refuses it, and nothing has happened.
  write(KEYS[4])
  drop(KEYS[4])
end
return false
