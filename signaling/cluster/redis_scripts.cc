#include "signaling/cluster/redis_scripts.h"

#include "absl/strings/str_cat.h"

namespace sluice::cluster {
namespace {

// Of all scripts. `stranger` answers what is in the way of whoever asks; nil: nothing.
constexpr char kCommon[] = R"(
local self, token = ARGV[1], ARGV[2]
local function run(n) return 'sluice:run:' .. n end
local function get(n, field) return redis.call('HGET', run(n), field) end
local function lives(n) return redis.call('EXISTS', 'sluice:lease:' .. n) end
local function now() return tonumber(redis.call('TIME')[1]) end
local function stranger()
  local known = get(self, 'token')
  if not known then return {'unknown'} end
  if known ~= token then return {'ousted', get(self, 'name') or ''} end
  local owner = get(self, 'owner')
  if owner ~= self then return {'ousted', owner and get(owner, 'name') or ''} end
  return nil
end
local function enrol(n)
  redis.call('SADD', 'sluice:runs', n)
  redis.call('HSET', run(n), 'token', token, 'name', ARGV[4], 'home', ARGV[5], 'host', ARGV[6], 'epoch', ARGV[7],
             'address', ARGV[8], 'shards', ARGV[9], 'owner', n)
end
local function renew(n) redis.call('SET', 'sluice:lease:' .. n, token, 'PX', ARGV[3]) end
local function take(gone, taker)
  for _, n in ipairs(redis.call('SMEMBERS', 'sluice:runs')) do
    if n == gone or get(n, 'owner') == gone then
      redis.call('HSET', run(n), 'owner', taker)
      redis.call('HSETNX', run(n), 'taken', now())
    end
  end
  redis.call('DEL', 'sluice:lease:' .. gone)
end
)";

// A run is forgotten a week after it was taken over: no dialog is left then that has its number.
constexpr char kJoin[] = R"(
local earlier = {}
for _, n in ipairs(redis.call('SMEMBERS', 'sluice:runs')) do
  local owner = get(n, 'owner')
  if get(n, 'name') == ARGV[4] and (owner == n or owner == '0') then
    if owner == n and lives(n) == 1 and get(n, 'home') ~= ARGV[5] then return {'busy', get(n, 'host') or ''} end
    table.insert(earlier, n)
  end
  local taken = tonumber(get(n, 'taken') or '')
  if owner ~= n and owner ~= '0' and taken and now() - taken > 604800 and redis.call('EXISTS', 'sluice:calls:' .. n) == 0
  then
    redis.call('DEL', run(n))
    redis.call('SREM', 'sluice:runs', n)
  end
end
local number = tonumber(redis.call('GET', 'sluice:next_run') or ARGV[10]) or 0
for _ = 1, 65535 do
  number = number % 65535 + 1
  if redis.call('EXISTS', run(number)) == 0 then break end
end
redis.call('SET', 'sluice:next_run', number)
local n = tostring(number)
enrol(n)
renew(n)
for _, gone in ipairs(earlier) do take(gone, n) end
return {'ok', n}
)";

constexpr char kBeat[] = R"(
local why = stranger()
if why and why[1] ~= 'unknown' then return why end
if why then enrol(self) end
for i = 10, #ARGV - 2, 3 do
  local n = ARGV[i]
  if get(n, 'owner') ~= self then
    redis.call('SADD', 'sluice:runs', n)
    redis.call('HSET', run(n), 'token', '', 'name', ARGV[i + 1], 'epoch', ARGV[i + 2], 'owner', self, 'taken', now())
  end
end
local answer = {'ok', lives(self)}
renew(self)
for _, n in ipairs(redis.call('SMEMBERS', 'sluice:runs')) do
  local fields = redis.call('HMGET', run(n), 'owner', 'name', 'epoch', 'address', 'shards')
  for _, part in ipairs({n, fields[1] or '', lives(n), fields[2] or '', fields[3] or '', fields[4] or '',
                         fields[5] or ''}) do
    table.insert(answer, part)
  end
end
return answer
)";

constexpr char kTake[] = R"(
local why = stranger()
if why then return why end
local answer = {'ok'}
-- What has kept this one from renewing its lease may have kept the others.
if lives(self) == 0 then return answer end
for i = 3, #ARGV do
  local gone = ARGV[i]
  local owner = get(gone, 'owner')
  if owner == '0' or (owner == gone and lives(gone) == 0) then
    take(gone, self)
    table.insert(answer, gone)
  end
end
return answer
)";

constexpr char kKeep[] = R"(
local why = stranger()
if why then return why end
local mine = 'sluice:calls:' .. self
local i = 4
for _ = 1, tonumber(ARGV[3]) do
  redis.call('HSET', mine, ARGV[i], ARGV[i + 1])
  if ARGV[i + 2] ~= '0' then redis.call('HDEL', 'sluice:calls:' .. ARGV[i + 2], ARGV[i]) end
  i = i + 3
end
for k = i, #ARGV - 1, 2 do
  redis.call('HDEL', mine, ARGV[k])
  if ARGV[k + 1] ~= '0' then redis.call('HDEL', 'sluice:calls:' .. ARGV[k + 1], ARGV[k]) end
end
return {'ok'}
)";

constexpr char kDrop[] = R"(
local why = stranger()
if why then return why end
for i = 4, #ARGV do redis.call('HDEL', 'sluice:calls:' .. ARGV[3], ARGV[i]) end
return {'ok'}
)";

constexpr char kBindings[] = R"(
local why = stranger()
if why then return why end
local generation = redis.call('GET', 'sluice:binding_generation')
if not generation then
  -- Also another one than the same controller may have begun before.
  generation = table.concat(redis.call('TIME'), '.') .. '-' .. token
  redis.call('SET', 'sluice:binding_generation', generation)
end
local since = generation == ARGV[4] and ARGV[3] or '0'
local limit = 200
local changes = redis.call('ZRANGEBYSCORE', 'sluice:binding_changes', '(' .. since, '+inf', 'WITHSCORES', 'LIMIT', 0,
                           limit)
local answer = {'ok', generation, since, 1}
local read = {}
for i = 1, #changes, 2 do
  local account = changes[i]
  read[account] = true
  answer[3] = changes[i + 1]
  table.insert(answer, account)
  table.insert(answer, redis.call('GET', 'sluice:bindings:' .. account) or '')
end
if #changes == 2 * limit then
  answer[4] = 0
  return answer
end
for i = 5, #ARGV - 2, 3 do
  local account, bindings, lifetime = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if not read[account] then
    local version = redis.call('INCR', 'sluice:binding_version')
    if bindings == '' then
      redis.call('DEL', 'sluice:bindings:' .. account)
    else
      redis.call('SET', 'sluice:bindings:' .. account, bindings, 'PX', lifetime)
    end
    redis.call('ZADD', 'sluice:binding_changes', version, account)
    answer[3] = tostring(version)
  end
end
return answer
)";

constexpr char kLeave[] = R"(
local why = stranger()
if why then return why end
redis.call('HSET', run(self), 'owner', '0')
redis.call('DEL', 'sluice:lease:' .. self)
return {'ok'}
)";

}  // namespace

const std::string kJoinScript = absl::StrCat(kCommon, kJoin);
const std::string kBeatScript = absl::StrCat(kCommon, kBeat);
const std::string kTakeScript = absl::StrCat(kCommon, kTake);
const std::string kKeepScript = absl::StrCat(kCommon, kKeep);
const std::string kDropScript = absl::StrCat(kCommon, kDrop);
const std::string kBindingsScript = absl::StrCat(kCommon, kBindings);
const std::string kLeaveScript = absl::StrCat(kCommon, kLeave);

}  // namespace sluice::cluster
