#include "cluster/copy_book.hpp"

#include "actors/base/limits.hpp"
#include "cluster/placement.hpp"
#include "cluster/stream_standing.hpp"

#include <algorithm>

namespace rollcall::cluster {

namespace {

// What was said before a gap may be short of what was done before it, and so
// may be the first word after it.
bool is_gap(millis before, millis now) {
  return now > before + limits::suspect_after;
}

bool is_missing(const std::optional<millis>& heard, millis now) {
  return !heard || is_gap(*heard, now);
}

} // namespace

copy_book::copy_book(config cfg)
  : config_(std::move(cfg)), held_(config_.partitions) {
  for (const auto& name : config_.known)
    if (name != config_.self && others_.size() < limits::nodes)
      others_[name];
}

bool copy_book::heard(const heartbeat& word, millis now) {
  const auto& name = word.node.name;
  if (!word.core || name == config_.self)
    return false;
  std::lock_guard guard{mutex_};
  auto at = others_.find(name);
  const auto is_new = at == others_.end();
  if (is_new) {
    if (others_.size() >= limits::nodes)
      return false;
    at = others_.emplace(name, other{}).first;
  }
  auto& from = at->second;
  if (is_missing(from.heard, now) || from.incarnation != word.node.incarnation)
    from.since = now;
  from.incarnation = word.node.incarnation;
  from.heard = now;
  from.copies.clear();
  for (const auto& one : word.held)
    if (one.partition < config_.partitions && one.generation > 0)
      from.copies[one.partition]
        = {one.generation, one.position, one.epoch, one.incarnation};
  return is_new;
}

std::vector<std::string> copy_book::known() const {
  std::lock_guard guard{mutex_};
  std::vector<std::string> out;
  out.reserve(others_.size());
  for (const auto& [name, what] : others_)
    out.push_back(name);
  return out;
}

void copy_book::keep(partition_id partition, const checkpoint& at) {
  std::lock_guard guard{mutex_};
  if (partition < config_.partitions && at.generation > 0)
    own_[partition] = at;
}

void copy_book::set_duty(std::span<const partition_id> held,
                         std::span<const core_node> cores, bool hears) {
  std::lock_guard guard{mutex_};
  std::fill(held_.begin(), held_.end(), false);
  for (auto partition : held)
    if (partition < held_.size())
      held_[partition] = true;
  cores_.assign(cores.begin(), cores.end());
  hears_ = hears;
}

void copy_book::complete(std::vector<held_partition>& held) const {
  std::lock_guard guard{mutex_};
  auto rest = own_;
  for (auto& one : held) {
    auto at = rest.find(one.partition);
    if (at == rest.end())
      continue;
    one.generation = at->second.generation;
    one.position = at->second.position;
    one.incarnation = at->second.incarnation;
    rest.erase(at);
  }
  for (const auto& [partition, at] : rest)
    held.push_back({partition, 0, at.generation, at.position, at.incarnation});
}

std::vector<checkpoint> copy_book::copies(partition_id partition) const {
  std::lock_guard guard{mutex_};
  std::vector<checkpoint> out;
  for (const auto& [name, what] : others_)
    if (auto at = what.copies.find(partition); at != what.copies.end())
      out.push_back(at->second);
  return out;
}

bool copy_book::is_held(partition_id partition) const {
  std::lock_guard guard{mutex_};
  return partition < held_.size() && held_[partition];
}

bool copy_book::stands_by(partition_id partition) const {
  std::vector<core_node> cores;
  {
    std::lock_guard guard{mutex_};
    cores = cores_;
  }
  if (cores.size() <= limits::cores_that_keep_all)
    return true;
  auto order = rank(partition, cores);
  order.resize(std::min(order.size(), limits::copies));
  return std::ranges::any_of(
    order, [&](const node_id& one) { return one.name == config_.self; });
}

bool copy_book::is_behind(partition_id partition) const {
  auto theirs = copies(partition);
  std::lock_guard guard{mutex_};
  auto mine = own_.find(partition);
  return std::ranges::any_of(theirs, [&](const checkpoint& one) {
    return mine == own_.end()
           || (covers(one, mine->second) && !covers(mine->second, one));
  });
}

void copy_book::broken(partition_id partition, millis now) {
  std::lock_guard guard{mutex_};
  broken_.emplace(partition, now);
}

void copy_book::mended(partition_id partition) {
  std::lock_guard guard{mutex_};
  broken_.erase(partition);
}

bool copy_book::stays_broken(partition_id partition, millis now) const {
  std::lock_guard guard{mutex_};
  auto since = broken_.find(partition);
  return since != broken_.end() && now >= since->second + limits::copies_settle;
}

result<done> copy_book::has_settled(const std::string& name, const other& what,
                                    millis broke, millis now) const {
  if (is_missing(what.heard, now))
    return fail(errc::unavailable,
                "node " + name
                  + " is missing and may have more: start it, or give up "
                    "what only it has with --accept-loss");
  if (now < std::max(broke, what.since) + limits::copies_settle)
    return fail(errc::unavailable, "node " + name + " has only just come");
  return done{};
}

result<done> copy_book::compare(const std::string& name,
                                const checkpoint& theirs,
                                const checkpoint& mine) const {
  if (!covers(mine, theirs) && !are_strangers(mine, theirs))
    return fail(errc::unavailable, "node " + name + " has more");
  if (config_.accept_loss)
    return done{};
  if (are_strangers(mine, theirs))
    return fail(errc::unavailable,
                "node " + name
                  + " has a copy of another journal; choose one with "
                    "--accept-loss");
  if (covers(theirs, mine) && name < config_.self)
    return fail(errc::unavailable, "node " + name + " has as much");
  return done{};
}

result<done> copy_book::may_make_anew(partition_id partition,
                                      const checkpoint& mine,
                                      millis now) const {
  std::lock_guard guard{mutex_};
  if (mine.generation == 0)
    return fail(errc::unavailable, "this node has no copy");
  auto since = broken_.find(partition);
  if (since == broken_.end() || now < since->second + limits::copies_settle)
    return fail(errc::unavailable, "others are being heard");
  if (!hears_)
    return fail(errc::unavailable, "this node does not hear the others");
  for (const auto& [name, what] : others_) {
    if (config_.accept_loss && is_missing(what.heard, now))
      continue;
    if (auto settled = has_settled(name, what, since->second, now); !settled)
      return settled;
    if (auto at = what.copies.find(partition); at != what.copies.end())
      if (auto better = compare(name, at->second, mine); !better)
        return better;
  }
  return done{};
}

} // namespace rollcall::cluster
