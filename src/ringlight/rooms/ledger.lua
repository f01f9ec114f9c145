-- The ledger of one room: a head (hash), the entries (list), and the whole room after some entry (string).
-- KEYS: head, entries, whole. ARGV: what to do, and what it needs. All keys are of one slot, as a cluster wants it.
-- An entry is the text `epoch number milliseconds node serial body`; it is kept and published as it is.
local head, entries, whole = KEYS[1], KEYS[2], KEYS[3]
local what = ARGV[1]

local function last(seconds)
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, seconds) end
end

if what == 'write' then
  local node, serial, body, chance, channel, lasts = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
  local known = redis.call('HMGET', head, 'epoch', 'number', 'ms', 'w' .. node, 'clock')
  if known[4] and tonumber(known[4]) >= tonumber(serial) then return 0 end -- asked again: it was written the first time
  local time = redis.call('TIME')
  -- The time of a room never goes back. Where Redis's clock was set back, it goes on at half the speed until that has
  -- caught up: were it to stand, everything in the room that waits would wait for as long.
  local clock, last_ms = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(known[3] or '0')
  local ms = clock
  if clock < last_ms then
    ms = last_ms + math.floor(math.max(0, clock - tonumber(known[5] or clock)) / 2)
  end
  local number = string.format('%.0f', tonumber(known[2] or '0') + 1)
  local epoch = known[1] or chance
  ms = string.format('%.0f', ms)
  redis.call('HSET', head, 'epoch', epoch, 'number', number, 'ms', ms, 'w' .. node, serial,
    'clock', string.format('%.0f', clock))
  local entry = table.concat({epoch, number, ms, node, serial, body}, ' ')
  redis.call('RPUSH', entries, entry)
  redis.call('PUBLISH', channel, entry)
  last(lasts)
  return 1
end

local known = redis.call('HMGET', head, 'epoch', 'number', 'first', 'kept')
local epoch, number = known[1] or '', tonumber(known[2] or '0')
local first, kept = tonumber(known[3] or '1'), tonumber(known[4] or '0')

if what == 'load' then -- from an entry on that the reader knows, or from the whole room
  local begins, room = kept, redis.call('GET', whole)
  if epoch ~= '' and epoch == ARGV[2] and tonumber(ARGV[3]) >= first - 1 then
    begins, room = tonumber(ARGV[3]), false
  end
  return {epoch, string.format('%.0f', begins), room, redis.call('LRANGE', entries, begins + 1 - first, -1)}
elseif what == 'keep' then -- entries before the room that was kept last may go; slow readers still need those after it
  if epoch ~= ARGV[2] or kept >= tonumber(ARGV[3]) then return 0 end
  redis.call('SET', whole, ARGV[4])
  redis.call('LTRIM', entries, kept + 1 - first, -1)
  redis.call('HSET', head, 'first', string.format('%.0f', kept + 1), 'kept', ARGV[3])
  last(ARGV[5])
  return 1
elseif what == 'forget' then -- unless something was written meanwhile
  if epoch == ARGV[2] and number == tonumber(ARGV[3]) then redis.call('DEL', head, entries, whole) end
  return 1
end
