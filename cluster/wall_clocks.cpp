#include "cluster/wall_clocks.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace rollcall::cluster {

namespace {

// Who started closer together than heartbeats can tell goes by name.
constexpr millis same_start{1'000};

millis size_of(millis difference) {
  return std::chrono::abs(difference);
}

millis furthest_ahead(const std::deque<millis>& samples) {
  return *std::ranges::max_element(samples);
}

} // namespace

std::string to_string(const clock_verdict& verdict) {
  if (verdict.differs_from.empty())
    return {};
  std::string names;
  for (const auto& name : verdict.differs_from)
    names += (names.empty() ? "" : ", ") + name;
  auto seconds
    = std::chrono::round<std::chrono::seconds>(size_of(verdict.difference));
  return "the clock of this node differs by " + std::to_string(seconds.count())
         + " s from "
         + (verdict.differs_from.size() == 1 ? "that of " : "those of ") + names
         + (verdict.stand_aside
              ? ": it owns nothing until that is mended; run NTP here"
              : ": run NTP there");
}

wall_clocks::wall_clocks(node_id self, bool core)
  : self_(std::move(self)), core_(core) {
  // nop
}

void wall_clocks::heard(const heartbeat& word, instant now) {
  if (word.wall == millis{0})
    return;
  if (!others_.contains(word.node.name) && others_.size() >= limits::nodes) {
    auto oldest = std::ranges::min_element(
      others_, {}, [](const auto& one) { return one.second.heard; });
    others_.erase(oldest);
  }
  auto& from = others_[word.node.name];
  if (from.node != word.node) {
    from = {};
    from.node = word.node;
  }
  if (from.ahead.size() == limits::clock_samples)
    from.ahead.pop_front();
  from.ahead.push_back(word.wall - now.wall);
  from.heard = now.steady;
  from.up = word.up;
  from.counts = word.core && !word.aside;
}

bool wall_clocks::is_known(const other& one, millis now) {
  return now - one.heard < limits::suspect_after;
}

std::vector<wall_clocks::voice> wall_clocks::voices(millis now,
                                                    millis up) const {
  std::vector<voice> out;
  if (core_ && !verdict_.stand_aside)
    out.push_back({self_.name, millis{0}, now - up});
  for (const auto& [name, one] : others_)
    if (is_known(one, now) && one.counts)
      out.push_back({name, furthest_ahead(one.ahead), one.heard - one.up});
  // All take the same path whoever they are themselves.
  std::ranges::sort(out, {}, &voice::name);
  return out;
}

clock_verdict wall_clocks::compare(millis now, millis up) const {
  clock_verdict out;
  for (const auto& [name, one] : others_) {
    if (!is_known(one, now))
      continue;
    auto ahead = furthest_ahead(one.ahead);
    if (size_of(ahead) > size_of(out.difference))
      out.difference = ahead;
    if (size_of(ahead) > limits::clocks_differ)
      out.differs_from.push_back(name);
  }
  const auto all = voices(now, up);
  const voice* right = nullptr;
  std::ptrdiff_t most = 0;
  for (const auto& one : all) {
    auto agree = std::ranges::count_if(all, [&](const voice& with) {
      return size_of(one.ahead - with.ahead) <= limits::clocks_differ;
    });
    if (right == nullptr || agree > most
        || (agree == most && one.since + same_start < right->since)) {
      right = &one;
      most = agree;
    }
  }
  // Back only when it is clearly right again.
  auto bound
    = verdict_.stand_aside ? limits::clocks_differ / 2 : limits::clocks_differ;
  out.stand_aside = right != nullptr && size_of(right->ahead) > bound;
  return out;
}

const clock_verdict& wall_clocks::judge(instant now, millis up) {
  auto found = compare(now.steady, up);
  if (found.stand_aside == verdict_.stand_aside
      && found.differs_from == verdict_.differs_from) {
    verdict_.difference = found.difference;
    other_since_.reset();
    return verdict_;
  }
  if (!other_since_)
    other_since_ = now.steady;
  if (up < limits::clocks_settle
      || now.steady - *other_since_ >= limits::clocks_settle) {
    verdict_ = std::move(found);
    other_since_.reset();
  }
  return verdict_;
}

} // namespace rollcall::cluster
