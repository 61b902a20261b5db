local kind = look()
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
if kind == 'n' then
  return 0
end
return 1
