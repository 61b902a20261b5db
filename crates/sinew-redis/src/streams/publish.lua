-- Publishes a message with its position in its stream, and answers the position.
-- KEYS: the counter of the stream. ARGV: the counter's life in ms, the channel, the payload.
-- A counter begins at the time in microseconds, so that one that begins anew goes on above the
-- one before. A message says by `!` that its counter has begun with it, and by `:` that it has not.
local begins = false
local position = redis.pcall('INCR', KEYS[1])
if type(position) ~= 'number' or position == 1 then
  begins = true
  local now = redis.call('TIME')
  position = now[1] * 1000000 + now[2]
end
local text = string.format('%.0f', position)
if begins then
  local kept = redis.pcall('SET', KEYS[1], text)
  -- No room for a counter: the next message begins one.
  if kept.err then redis.call('DEL', KEYS[1]) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('PUBLISH', ARGV[2], text .. (begins and '!' or ':') .. ARGV[3])
return text
