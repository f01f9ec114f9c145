-- The rate gate for many processes: resilience/gate.py, step for step, in one script that Redis runs as a whole.
-- The clock is the server's, in microseconds, so that the clocks of the hosts do not matter. A test feeds both gates
-- the same calls and compares what they say.

local state, line, turns, peers, rates = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local asked_now, what, peer = ARGV[1], ARGV[2], ARGV[3]
local wish, most_burst, full_rate = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local returns, pause, given_up = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]

local GRACE = 1000000     -- after its turn, one who has not come back no longer holds up the others
local SILENT = 60000000   -- a process that has been silent for so long is gone
local SETTLE = 3000000    -- within this, all who are busy notice that the store is back
local SOON = 1

local now = tonumber(asked_now)
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local kept = redis.call('HMGET', state, 'due', 'rate', 'burst', 'paused', 'numbers', 'seen', 'since', 'until', 'expected')
local due, rate, burst = tonumber(kept[1]), tonumber(kept[2]), tonumber(kept[3])
local paused = tonumber(kept[4]) or -1e18
local numbers = tonumber(kept[5]) or math.floor(now / 1000) -- a place of before is not taken for a new one
local seen = tonumber(kept[6]) or now
local since, settles, expected = tonumber(kept[7]) or 0, tonumber(kept[8]) or 0, tonumber(kept[9]) or 0

if seen - now > 1000000 then -- the clock was set back: what lies ahead moves with it
  due, paused, settles = due - (seen - now), paused - (seen - now), 0
  redis.call('DEL', line, turns, peers, rates)
elseif seen > now then
  now = seen
end

-- Who asks here, and how fast each of them finds right: the slowest counts.
redis.call('ZADD', peers, string.format('%.0f', now), peer)
redis.call('HSET', rates, peer, ARGV[4])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', peers, '-inf', string.format('%.0f', now - SILENT))) do
  redis.call('ZREM', peers, gone)
  redis.call('HDEL', rates, gone)
end
local known = redis.call('ZCARD', peers)
local slowest = wish
for _, one in ipairs(redis.call('HVALS', rates)) do
  slowest = math.min(slowest, tonumber(one))
end

-- Nothing is known of what went out before, so at first only one may leave at once.
local fresh = not due
if fresh then
  rate, burst, due = full_rate, most_burst, now + (most_burst - 1) * 1000000 / full_rate
end

-- While some still go by their own share of the limit, those who are back have no more than theirs.
if returns > 0 then
  if now >= settles then
    since, expected = now, 0
    due = math.max(due, now + burst * 1000000 / rate)
  end
  settles, expected = now + SETTLE, math.max(expected, returns)
end
local share = 1
if now < settles then
  local back = redis.call('ZCOUNT', peers, string.format('%.0f', since), '+inf')
  if back < expected then share = back / expected else settles = 0 end
end

local step = 1000000 / rate
local right = slowest * share
if right ~= rate then
  local begins = math.max(now, paused)
  local used = math.max(due - begins, 0) / step
  rate, step = right, 1000000 / right
  burst = math.max(1, math.min(math.floor(most_burst * rate / full_rate), most_burst))
  if paused > now then used = math.min(used, burst - 1) end
  if used > 0 then due = begins + used * step end
end

if pause > 0 and now + pause > paused then
  paused = now + pause
  due = math.max(due, paused + (burst - 1) * step)
end

local function release(number)
  redis.call('ZREM', line, number)
  redis.call('HDEL', turns, number)
end

for number in string.gmatch(given_up, '%d+') do release(number) end

local function turn(ahead)
  return math.max(math.max(due, now) + (ahead + 1 - burst) * step, paused + ahead * step, now)
end

-- Whether a call can leave now although others are before it, for they sleep and will have their turns too.
local function is_free(ahead)
  if ahead == 0 or ahead > 4000 then return false end
  local late, soonest = 0, math.huge
  for _, one in ipairs(redis.call('HMGET', turns, unpack(redis.call('ZRANGE', line, 0, ahead - 1)))) do
    local at = tonumber(one or 0)
    if at <= now then late = late + 1 else soonest = math.min(soonest, at) end
  end
  return turn(late) - now <= SOON and turn(late + 1) <= soonest
end

local wait, place, refused = 0, '0', 0
if what == 'ask' then
  local lane, within = tonumber(ARGV[10]), tonumber(ARGV[11])
  place = ARGV[12]
  while true do
    local first = redis.call('ZRANGE', line, 0, 0)[1]
    if not first or now - tonumber(redis.call('HGET', turns, first) or 0) <= GRACE then break end
    release(first)
  end
  local before = place ~= '' and redis.call('HEXISTS', turns, place) == 1
  if place == '' then
    numbers = numbers + 1
    place = string.format('%.0f', numbers)
  end
  if not before then
    redis.call('ZADD', line, string.format('%.0f', lane * 1e15 + tonumber(place)), place)
  end
  local ahead = redis.call('ZRANK', line, place)
  local at = turn(ahead)
  if at - now > SOON and before and is_free(ahead) then at = now end
  if at - now > within then
    release(place)
    wait, refused = math.ceil(at - now), 1
  elseif at - now > SOON then
    redis.call('HSET', turns, place, string.format('%.17g', at))
    wait = math.ceil(at - now)
  else
    release(place)
    due = math.max(due, now) + step
  end
end

local function exact(value) return string.format('%.17g', value) end
redis.call('HSET', state, 'due', exact(due), 'rate', exact(rate), 'burst', burst, 'paused', exact(paused),
  'numbers', string.format('%.0f', numbers), 'seen', string.format('%.0f', now),
  'since', string.format('%.0f', since), 'until', string.format('%.0f', settles), 'expected', expected)
local lasts = 120000 + math.ceil(math.max(due - now, paused - now, 0) / 1000)
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, lasts) end
return {wait, place, refused, math.ceil(math.max(paused - now, 0)), known}
