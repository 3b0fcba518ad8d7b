/**
 * What the server does, in Lua: a script runs alone, so it is atomic. Conditions come first, since Redis takes nothing back.
 *
 * Everything lies under one prefix, in braces so that a cluster keeps it in one slot:
 *
 * | key | type | content |
 * |---|---|---|
 * | `{p}n` | number | the version drawn last |
 * | `{p}m:<space>` | hash | key → `version expires` (milliseconds since the epoch; 0 = never) |
 * | `{p}v:<space>` | hash | key → value |
 * | `{p}o:<space>` | sorted set, all scores 0 | the keys in the order of their bytes |
 * | `{p}x` | sorted set by time | `space NUL key` of everything that expires |
 *
 * Redis' own expiry is not used: it would leave the order behind, and lets `volatile-*` policies evict entries.
 */

const common = `
local p = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Version (as text) and expiry of what is there and has not expired.
local function find(space, key)
  local found = redis.call('HGET', p .. 'm:' .. space, key)
  if not found then return end
  local version, expires = string.match(found, '^(%d+) (%d+)$')
  expires = tonumber(expires)
  if expires > 0 and expires <= now then return end
  return version, expires
end

local function remove(space, key)
  redis.call('HDEL', p .. 'm:' .. space, key)
  redis.call('HDEL', p .. 'v:' .. space, key)
  redis.call('ZREM', p .. 'o:' .. space, key)
  redis.call('ZREM', p .. 'x', space .. '\\0' .. key)
end

local function sweep(most)
  local due = redis.call('ZRANGEBYSCORE', p .. 'x', '-inf', now, 'LIMIT', 0, most)
  for _, member in ipairs(due) do
    local at = string.find(member, '\\0', 1, true)
    remove(string.sub(member, 1, at - 1), string.sub(member, at + 1))
  end
  return #due
end

local function left(expires)
  if expires == 0 then return -1 end
  return expires - now
end
`;

/** ARGV: op, space, key, when, ttl, value of each item. Yields { 1, version } or { 0, index of the conflict }. */
export const writeScript = `${common}
for i = 1, #ARGV, 6 do
  local when = ARGV[i + 3]
  if when ~= '' then
    local version = find(ARGV[i + 1], ARGV[i + 2]) or 'absent'
    if version ~= when then return { 0, (i - 1) / 6 } end
  end
end

-- As text: Lua writes large numbers with an exponent.
local version = string.format('%.0f', redis.call('INCR', p .. 'n'))

for i = 1, #ARGV, 6 do
  local op, space, key, ttl = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 4]
  local member = space .. '\\0' .. key
  local expires = '0'
  if ttl ~= '' then expires = string.format('%.0f', now + ttl) end
  if op == 'delete' then
    remove(space, key)
  elseif op == 'put' then
    redis.call('HSET', p .. 'm:' .. space, key, version .. ' ' .. expires)
    redis.call('HSET', p .. 'v:' .. space, key, ARGV[i + 5])
    redis.call('ZADD', p .. 'o:' .. space, 0, key)
    if ttl == '' then redis.call('ZREM', p .. 'x', member) else redis.call('ZADD', p .. 'x', expires, member) end
  elseif ttl ~= '' then
    redis.call('HSET', p .. 'm:' .. space, key, ARGV[i + 3] .. ' ' .. expires)
    redis.call('ZADD', p .. 'x', expires, member)
  end
end

-- Whoever writes clears away a little more than it can have brought.
sweep(2 + #ARGV / 3)
return { 1, version }
`;

/** ARGV: space, key. Yields { version, milliseconds left or -1, value }, or nothing. */
export const getScript = `${common}
local version, expires = find(ARGV[1], ARGV[2])
if not version then return false end
return { version, left(expires), redis.call('HGET', p .. 'v:' .. ARGV[1], ARGV[2]) }
`;

/** ARGV: space, first, last, limit, bytes. Yields { where the next page goes on or nothing, entries }. */
export const listScript = `${common}
local space, limit, most = ARGV[1], tonumber(ARGV[4]), tonumber(ARGV[5])
local keys = redis.call('ZRANGEBYLEX', p .. 'o:' .. space, ARGV[2], ARGV[3], 'LIMIT', 0, limit + 1)
local entries, bytes, next = {}, 0, false
if #keys > limit then next = keys[limit] end
for i = 1, math.min(#keys, limit) do
  local version, expires = find(space, keys[i])
  if version then
    bytes = bytes + redis.call('HSTRLEN', p .. 'v:' .. space, keys[i])
    if #entries > 0 and bytes > most then
      next = keys[i - 1]
      break
    end
    entries[#entries + 1] = { keys[i], version, left(expires), redis.call('HGET', p .. 'v:' .. space, keys[i]) }
  end
end
return { next, entries }
`;

/** ARGV: how many at most. Yields how many were removed. */
export const sweepScript = `${common}
return sweep(ARGV[1])
`;
