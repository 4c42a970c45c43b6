"""What Redis does in one go, as Lua: writes of canaries and deeds, and the lifting of a freeze.

All keys of a script carry the same hash tag, the indexes over all services included, so there is
no moment in which a canary is stored and not found. A record is a hash of version, epoch, owner,
write, data, chain and previous. `write` is a token drawn anew for every call: a call whose answer
was lost is sent once more with the same token, and finds that it has already been done. What can
fail comes before the first change, because Redis does not undo. Only commands of Redis 7.0 are
used.

A failover may lose the last writes, together with their answers. So a write names its owner beside
version and epoch: when a claim was lost and another replica has claimed the same epoch since, the
two cannot take each other's version for their own.

`chain` is the hash of the stream's last entry. Redis cannot compute it, so it is handed over with
the entries, together with the one that they were chained to; where that is not the last one
(any more), nothing is written, and the right one is answered.
"""

from typing import Final

STREAM_LENGTH: Final = 20_000
"""Entries a canary's stream has at least before the oldest make room for newer ones."""

_APPEND: Final = """
local function append(stream, first)
  for i = first, #ARGV, 4 do
    redis.call('XADD', stream, 'MAXLEN', '~', 'LENGTH', '*',
      'at', ARGV[i], 'kind', ARGV[i + 1], 'data', ARGV[i + 2], 'hash', ARGV[i + 3])
  end
end
""".replace("LENGTH", str(STREAM_LENGTH))

_KEEP: Final = """
local function keep(record, stream, open, id, owner, finished, milliseconds)
  if finished == '1' then
    redis.call('HDEL', open, id)
    redis.call('PEXPIRE', record, milliseconds)
    redis.call('PEXPIRE', stream, milliseconds)
  else
    redis.call('HSET', open, id, owner)
    redis.call('PERSIST', record)
    redis.call('PERSIST', stream)
  end
end
"""

CREATE: Final = (
    _APPEND
    + _KEEP
    + """
-- KEYS: record, stream, live, open, the service's history, the shard's history
-- ARGV: token, id, owner, data, ended, finished, keep in ms, created at, oldest to remember,
--       a live canary whose record is gone, the id of the service's canary before it, that as the
--       record tells it, chain;
--       then at, kind, data and hash of each happening
local before = redis.call('HMGET', KEYS[1], 'version', 'write')
if before[2] == ARGV[1] then
  return {'done'}
end
if before[1] then
  return {'busy', ARGV[2]}
end
local live = redis.call('GET', KEYS[3])
if live and live ~= ARGV[10] then
  return {'busy', live}
end
local newest = redis.call('ZREVRANGE', KEYS[5], 0, 0)[1] or ''
if newest ~= ARGV[11] then
  return {'after', newest}
end
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', '(' .. ARGV[9])
redis.call('ZREMRANGEBYSCORE', KEYS[6], '-inf', '(' .. ARGV[9])
append(KEYS[2], 14)
redis.call('ZADD', KEYS[5], ARGV[8], ARGV[2])
redis.call('ZADD', KEYS[6], ARGV[8], ARGV[2])
redis.call('HSET', KEYS[1], 'version', 1, 'epoch', 1, 'owner', ARGV[3], 'write', ARGV[1],
  'data', ARGV[4], 'previous', ARGV[12], 'chain', ARGV[13])
if ARGV[5] == '0' then
  redis.call('SET', KEYS[3], ARGV[2])
end
keep(KEYS[1], KEYS[2], KEYS[4], ARGV[2], ARGV[3], ARGV[6], ARGV[7])
return {'done'}
"""
)

SAVE: Final = (
    _APPEND
    + _KEEP
    + """
-- KEYS: record, stream, live, open
-- ARGV: token, id, data, ended, finished, keep in ms, version, epoch, owner, chain as it was and as
--       it becomes; then as above
local before = redis.call('HMGET', KEYS[1], 'version', 'epoch', 'owner', 'write', 'chain')
if not before[1] then
  return {'gone'}
end
if before[4] == ARGV[1] then
  return {'done', before[3]}
end
if before[1] ~= ARGV[7] or before[2] ~= ARGV[8] or before[3] ~= ARGV[9] then
  return {'stale', before[1], before[2], before[3]}
end
if (before[5] or '') ~= ARGV[10] then
  return {'chain', before[5] or ''}
end
local live = redis.call('GET', KEYS[3])
append(KEYS[2], 12)
redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('HSET', KEYS[1], 'write', ARGV[1], 'data', ARGV[3], 'chain', ARGV[11])
if ARGV[4] == '1' and live == ARGV[2] then
  redis.call('DEL', KEYS[3])
end
keep(KEYS[1], KEYS[2], KEYS[4], ARGV[2], before[3], ARGV[5], ARGV[6])
return {'done', before[3]}
"""
)

CLAIM: Final = """
-- KEYS: record, open
-- ARGV: token, id, owner, the epoch it was seen in
local before = redis.call('HMGET', KEYS[1], 'version', 'write', 'epoch')
if before[1] and before[2] ~= ARGV[1] then
  if before[3] ~= ARGV[4] then
    return {'stale', before[3]}
  end
  redis.call('HINCRBY', KEYS[1], 'version', 1)
  redis.call('HINCRBY', KEYS[1], 'epoch', 1)
  redis.call('HSET', KEYS[1], 'owner', ARGV[3], 'write', ARGV[1])
  if redis.call('HEXISTS', KEYS[2], ARGV[2]) == 1 then
    redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
  end
end
return redis.call('HMGET', KEYS[1], 'data', 'version', 'epoch', 'owner', 'chain', 'previous')
"""

LIFT: Final = """
-- KEYS: the freezes
-- ARGV: scope, the freeze as it was read
local stands = redis.call('HMGET', KEYS[1], ARGV[1])[1]
if not stands then
  return {'gone'}
end
if stands ~= ARGV[2] then
  return {'changed'}
end
redis.call('HDEL', KEYS[1], ARGV[1])
return {'done'}
"""

DEED: Final = """
-- KEYS: the trail, its head
-- ARGV: token, chain as it was and as it becomes, at, kind, data
local before = redis.call('HMGET', KEYS[2], 'chain', 'write')
if before[2] == ARGV[1] then
  return {'done'}
end
if (before[1] or '') ~= ARGV[2] then
  return {'chain', before[1] or ''}
end
redis.call('XADD', KEYS[1], '*', 'at', ARGV[4], 'kind', ARGV[5], 'data', ARGV[6],
  'hash', ARGV[3])
redis.call('HSET', KEYS[2], 'chain', ARGV[3], 'write', ARGV[1])
return {'done'}
"""
