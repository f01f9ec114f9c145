-- Who is there: nodes by the time until which they count. KEYS: that set. ARGV: this node, milliseconds; 0 to leave.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if tonumber(ARGV[2]) > 0 then
  redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
else
  redis.call('ZREM', KEYS[1], ARGV[1])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
-- Nobody counts for as long as that: it has died before Redis's clock was set back.
redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('%.0f', now + 120000), '+inf')
return redis.call('ZRANGE', KEYS[1], 0, -1)
