-- Who is there: `node:stretch` by the time until which they count; a stretch is one connection of a node without a break.
-- KEYS: that set. ARGV: this node, milliseconds (0 to leave), its stretch.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ours = ARGV[1] .. ':'
for _, one in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.sub(one, 1, #ours) == ours then redis.call('ZREM', KEYS[1], one) end
end
if tonumber(ARGV[2]) > 0 then
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), ours .. ARGV[3])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
-- Nobody counts for as long as that: it has died before Redis's clock was set back.
redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('%.0f', now + 120000), '+inf')
return redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
