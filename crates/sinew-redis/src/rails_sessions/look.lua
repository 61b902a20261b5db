-- What is stored of a session, for every script of this folder.
-- KEYS: 1 the blob, 2 the mark that the session has ended, 3 the blob's older name (or 1 again).
-- ARGV: 1 the most bytes of a blob.
-- A blob counts for more than a mark: then Rails has begun a session of that name again.

local function digest(kind, text)
  return kind .. redis.sha1hex(text)
end

-- The kind (b blob, o blob under its older name, m mark, n nothing, l too long), the text, the
-- remaining life in milliseconds (-1 without an end), and the name it stands under.
local function look()
  local names = { { 'b', KEYS[1] }, { 'o', KEYS[3] }, { 'm', KEYS[2] } }
  for _, entry in ipairs(names) do
    local kind, name = entry[1], entry[2]
    local text = redis.call('GET', name)
    if text then
      if #text > tonumber(ARGV[1]) then
        return 'l', '', -1, name
      end
      return kind, text, redis.call('PTTL', name), name
    end
  end
  return 'n', '', -1, KEYS[1]
end
