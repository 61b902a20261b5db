-- Adds to a counter. A new one is given a time to live.
-- KEYS: the counter. ARGV: what is added, the time to live in ms or ''.
-- Answers {1, sum}, {2} when the value is no number, {3} when the sum would be too large.
-- The sum is read as text: numbers of Lua have 53 bits.
local is_new = redis.call('EXISTS', KEYS[1]) == 0
local sum = redis.pcall('INCRBY', KEYS[1], ARGV[1])
if type(sum) == 'table' and sum.err then
  if string.find(sum.err, 'not an integer', 1, true) then return {2} end
  if string.find(sum.err, 'overflow', 1, true) then return {3} end
  return sum
end
if is_new and ARGV[2] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return {1, redis.call('GET', KEYS[1])}
