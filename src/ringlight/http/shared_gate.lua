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
local FURTHEST = 172800000000 -- two days: no wait that Ring may name is longer than one

local function whole(value) return string.format('%.0f', value) end

-- What is not as this script writes it is as nothing, and the gate goes on: what is no number, or one that cannot be.
local function number(text, least, most)
  local found = tonumber(text or '')
  if found and found >= least and found <= most then return found end
end

for at, kind in ipairs({'hash', 'zset', 'hash', 'zset', 'hash'}) do
  local found = redis.call('TYPE', KEYS[at]).ok
  if found ~= kind and found ~= 'none' then redis.call('DEL', KEYS[at]) end
end

local now = tonumber(asked_now)
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local kept = redis.call('HMGET', state, 'due', 'rate', 'burst', 'paused', 'numbers', 'seen', 'since', 'until', 'expected')
local seen = number(kept[6], 0, 1e17) or now
local latest = seen + FURTHEST
local due, rate, burst = number(kept[1], 0, latest), number(kept[2], 1e-6, 1e6), number(kept[3], 1, 1e6)
local paused = number(kept[4], 0, latest) or -1e18
local numbers = number(kept[5], 1, 1e14) or math.floor(now / 1000) -- a place of before is not taken for a new one
local since, settles = number(kept[7], 0, seen) or 0, number(kept[8], 0, seen + SETTLE) or 0
local expected = number(kept[9], 1, 1e6) or 0

if seen - now > 1000000 then -- the clock was set back: what lies ahead moves with it
  due, paused, settles = due and due - (seen - now), paused - (seen - now), 0
  redis.call('DEL', line, turns, peers, rates)
elseif seen > now then
  now = seen
end

-- Who asks here, and how fast each of them finds right: the slowest counts.
redis.call('ZADD', peers, whole(now), peer)
redis.call('HSET', rates, peer, ARGV[4])
for _, range in ipairs({{'-inf', whole(now - SILENT)}, {whole(now + SILENT), '+inf'}}) do
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', peers, range[1], range[2])) do
    redis.call('ZREM', peers, gone)
    redis.call('HDEL', rates, gone)
  end
end
local known = redis.call('ZCARD', peers)
local slowest = wish
for _, one in ipairs(redis.call('HVALS', rates)) do
  slowest = math.min(slowest, number(one, 1e-6, 1e6) or wish)
end

-- Nothing is known of what went out before, so at first only one may leave at once.
local fresh = not (due and rate and burst)
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
  local back = redis.call('ZCOUNT', peers, whole(since), '+inf')
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

for one in string.gmatch(given_up, '%d+') do release(one) end

local function turn(ahead)
  return math.max(math.max(due, now) + (ahead + 1 - burst) * step, paused + ahead * step, now)
end

-- Whether a call can leave now although others are before it, for they sleep and will have their turns too.
local function is_free(ahead)
  if ahead == 0 or ahead > 4000 then return false end
  local late, soonest = 0, math.huge
  for _, one in ipairs(redis.call('HMGET', turns, unpack(redis.call('ZRANGE', line, 0, ahead - 1)))) do
    local at = number(one, 0, now + FURTHEST) or 0
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
    if not first or now - (number(redis.call('HGET', turns, first), 0, now + FURTHEST) or 0) <= GRACE then break end
    release(first)
  end
  local before = place ~= '' and redis.call('HEXISTS', turns, place) == 1
  if place == '' then
    numbers = numbers + 1
    place = whole(numbers)
  end
  if not before then
    redis.call('ZADD', line, whole(lane * 1e15 + tonumber(place)), place)
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
  'numbers', whole(numbers), 'seen', whole(now),
  'since', whole(since), 'until', whole(settles), 'expected', expected)
local lasts = 120000 + math.ceil(math.max(due - now, paused - now, 0) / 1000)
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, lasts) end
return {wait, place, refused, math.ceil(math.max(paused - now, 0)), known}
