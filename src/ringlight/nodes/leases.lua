-- Who holds which camera. KEYS, all of one slot: holders (hash: camera -> `token node`, `token -` where it is free),
-- nodes (by the time until which they count), addresses of nodes (hash).
-- ARGV: what to do, the node that asks, its address, milliseconds that it counts; then what each needs.
local holders, nodes, addresses = KEYS[1], KEYS[2], KEYS[3]
local what, me = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function text(number) return string.format('%.0f', number) end

-- What is no entry is as none. A token of more digits would no longer grow by one.
local function entry(camera)
  local token, node = string.match(redis.call('HGET', holders, camera) or '', '^(%d+) (.+)$')
  if not token or #token > 15 then return 0, '-' end
  return tonumber(token), node
end

-- Nobody counts for longer than was asked for: who does has died before Redis's clock was set back.
local longest = now + tonumber(ARGV[4]) + 60000

local function is_there(node)
  local ends = tonumber(redis.call('ZSCORE', nodes, node) or '0')
  return ends > now and ends < longest
end

local function is_anothers(node) return node ~= '-' and node ~= me and is_there(node) end

local function show()
  redis.call('ZADD', nodes, text(now + tonumber(ARGV[4])), me)
  redis.call('HSET', addresses, me, ARGV[3])
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, 86400) end
end

-- The token is never lower than the clock, so that it grows over a Redis that has lost all.
local function take(camera, above)
  local last = entry(camera)
  local token = math.max(now, last + 1, above + 1)
  redis.call('HSET', holders, camera, text(token) .. ' ' .. me)
  return text(token)
end

if what == 'claim' then
  local camera, above = ARGV[5], tonumber(ARGV[6])
  local token, node = entry(camera)
  if is_anothers(node) then
    return {'0', node, redis.call('HGET', addresses, node) or '', text(token)}
  end
  show()
  if node == me then return {text(token)} end
  return {take(camera, above)}
elseif what == 'beat' then
  show()
  local kept = {}
  for at = 5, #ARGV, 2 do
    local token, node = entry(ARGV[at])
    if is_anothers(node) then kept[#kept + 1] = '0'
    else
      if node ~= me then take(ARGV[at], tonumber(ARGV[at + 1])) end
      kept[#kept + 1] = '1'
    end
  end
  for _, range in ipairs({{'-inf', text(now)}, {text(longest), '+inf'}}) do
    for _, node in ipairs(redis.call('ZRANGEBYSCORE', nodes, range[1], range[2])) do
      redis.call('ZREM', nodes, node)
      redis.call('HDEL', addresses, node)
    end
  end
  return {kept, redis.call('HGETALL', addresses), redis.call('HGETALL', holders)}
elseif what == 'look' then
  local token, node = entry(ARGV[5])
  if not is_anothers(node) then return {} end
  return {node, redis.call('HGET', addresses, node) or '', text(token)}
elseif what == 'release' then
  local token, node = entry(ARGV[5])
  if node == me and token == tonumber(ARGV[6]) then redis.call('HSET', holders, ARGV[5], text(token) .. ' -') end
elseif what == 'leave' then
  redis.call('ZREM', nodes, me)
  redis.call('HDEL', addresses, me)
end
return {}
