#include "cluster/placement.hpp"

#include "actors/base/hash.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace rollcall::cluster {

namespace {

// -- arithmetic --------------------------------------------------------------

constexpr std::uint64_t golden = 0x9E37'79B9'7F4A'7C15;

/// The output function of SplitMix64 (Steele, Lea, Flood 2014).
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30U)) * 0xBF58'476D'1CE4'E5B9;
  x = (x ^ (x >> 27U)) * 0x94D0'49BB'1331'11EB;
  return x ^ (x >> 31U);
}

constexpr unsigned fraction_bits = 26;

/// -log2(x / 2^64) with 26 binary places, from 1 to 2^32. Bit by bit, because
/// the last places of std::log2 differ between libraries.
constexpr std::uint64_t negative_log2(std::uint64_t x) noexcept {
  x |= 1U;
  const auto zeros = static_cast<unsigned>(std::countl_zero(x));
  auto mantissa = (x << zeros) >> 32U;
  std::uint64_t fraction = 0;
  for (unsigned i = 0; i < fraction_bits; ++i) {
    const auto square = mantissa * mantissa;
    const auto bit = square >> 63U;
    fraction = fraction << 1U | bit;
    mantissa = square >> (31U + bit);
  }
  return ((std::uint64_t{zeros} + 1) << fraction_bits) - fraction;
}

static_assert(negative_log2(std::uint64_t{1} << 63U)
              == std::uint64_t{1} << fraction_bits);
static_assert(negative_log2(1) == std::uint64_t{64} << fraction_bits);
static_assert(negative_log2(~std::uint64_t{0}) >= 1);

/// What a node brings into the draw of every partition.
std::uint64_t seed_of(const node_id& node) {
  const auto digest = sha256(node.name);
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < 8; ++i)
    out = out << 8U | digest[i];
  return out;
}

/// One node's lot for one partition: an exponentially distributed distance
/// over its weight; the shortest wins, which it does in proportion to its
/// weight (Efraimidis, Spirakis 2006).
struct lot {
  std::uint64_t drawn = 0;
  std::uint64_t distance = 0;
  std::uint64_t weight = 0;
};

lot draw(std::uint64_t seed, std::uint32_t weight, partition_id partition) {
  const auto drawn = mix(seed + (std::uint64_t{partition} + 1) * golden);
  return {drawn, negative_log2(drawn), weight};
}

/// Whether `a` is ahead. 2^32 times a weight fits, so fractions compare
/// exactly.
bool ahead(const lot& a, const lot& b, const node_id& of_a,
           const node_id& of_b) noexcept {
  const auto left = a.distance * b.weight;
  const auto right = b.distance * a.weight;
  if (left != right)
    return left < right;
  return a.drawn != b.drawn ? a.drawn > b.drawn : of_a < of_b;
}

std::vector<std::uint64_t> seeds_of(std::span<const core_node> nodes) {
  std::vector<std::uint64_t> out;
  out.reserve(nodes.size());
  for (const auto& n : nodes)
    out.push_back(seed_of(n.node));
  return out;
}

} // namespace

std::vector<node_id> rank(partition_id partition,
                          std::span<const core_node> nodes) {
  struct entry {
    const core_node* node;
    lot drawn;
  };
  std::vector<entry> order;
  order.reserve(nodes.size());
  for (const auto& n : nodes)
    order.push_back({&n, draw(seed_of(n.node), n.weight, partition)});
  std::ranges::sort(order, [](const entry& a, const entry& b) {
    return ahead(a.drawn, b.drawn, a.node->node, b.node->node);
  });
  std::vector<node_id> out;
  out.reserve(order.size());
  for (const auto& e : order)
    out.push_back(e.node->node);
  return out;
}

// -- what is heard -----------------------------------------------------------

claim_planner::claim_planner(node_id self, std::uint32_t partitions,
                             std::uint64_t seed)
  : self_(std::move(self)),
    jitter_(seed),
    slots_(std::min(partitions, limits::partitions_max)) {
  // nop
}

std::vector<partition_id> claim_planner::heard(const heartbeat& word) {
  if (word.node == self_)
    return {};
  std::vector<epoch_t> owned(slots_.size(), 0);
  for (const auto& held : word.held)
    if (held.partition < owned.size())
      owned[held.partition] = std::max(owned[held.partition], held.epoch);
  std::vector<partition_id> overtaken;
  for (partition_id p = 0; p < slots_.size(); ++p) {
    auto& s = slots_[p];
    const auto epoch = owned[p];
    if (epoch == 0 && s.owner == word.node)
      s.owner.reset();
    const auto is_ours = s.at == stage::owned && epoch == s.highest;
    // Below the highest it is one who has not noticed yet that it lost.
    if (epoch == 0 || epoch < s.highest || is_ours)
      continue;
    s.highest = epoch;
    s.owner = word.node;
    s.handed_to.reset();
    s.keep_for = limits::fallback_keeps;
    if (s.at == stage::owned) {
      s.at = stage::stopping;
      overtaken.push_back(p);
    }
  }
  return overtaken;
}

bool claim_planner::claimed(partition_id partition, epoch_t epoch) {
  auto* s = find(partition);
  if (s == nullptr)
    return false;
  if (epoch <= s->highest) {
    s->at = stage::stopping;
    return false;
  }
  s->at = stage::owned;
  s->highest = epoch;
  s->owner.reset();
  s->handed_to.reset();
  return true;
}

bool claim_planner::offered(const membership& nodes, partition_id partition,
                            epoch_t epoch, millis now) {
  auto* s = find(partition);
  // Somebody has claimed it since, or we cannot hold it.
  if (s == nullptr || s->at != stage::idle || epoch < s->highest
      || nodes.leaving() || nodes.is_detached(now))
    return false;
  s->at = stage::claiming;
  s->highest = epoch;
  s->owner.reset();
  s->just_lost = false;
  s->due.reset();
  return true;
}

void claim_planner::lost(partition_id partition) {
  auto* s = find(partition);
  if (s == nullptr)
    return;
  s->at = stage::idle;
  s->just_lost = true;
  s->due.reset();
  s->keep_until.reset();
}

std::optional<owner> claim_planner::owner_of(partition_id partition) const {
  if (partition >= slots_.size())
    return std::nullopt;
  const auto& s = slots_[partition];
  if (s.at == stage::owned)
    return owner{self_, s.highest};
  if (s.owner)
    return owner{*s.owner, s.highest};
  return std::nullopt;
}

std::optional<node_id> claim_planner::wish(partition_id partition) const {
  return partition < slots_.size() ? slots_[partition].wish : std::nullopt;
}

claim_planner::slot* claim_planner::find(partition_id partition) {
  return partition < slots_.size() ? &slots_[partition] : nullptr;
}

// -- what to do --------------------------------------------------------------

moves claim_planner::plan(const membership& nodes, millis now) {
  moves out;
  for (auto& s : slots_)
    if (std::exchange(s.just_lost, false))
      s.held_off_until = now + limits::claim_every;
  if (!nodes.settled() || nodes.is_detached(now)) {
    for (auto& s : slots_)
      s.due.reset();
    return out;
  }
  if (nodes.view().number != view_)
    adopt(nodes.view());
  plan_claims(nodes, now, out);
  plan_releases(nodes, now, out);
  return out;
}

void claim_planner::adopt(const core_view& view) {
  view_ = view.number;
  const auto& nodes = view.members;
  const auto seeds = seeds_of(nodes);
  const auto us = std::ranges::find(nodes, self_, &core_node::node);
  std::vector<lot> lots(nodes.size());
  for (partition_id p = 0; p < slots_.size(); ++p) {
    auto& s = slots_[p];
    s.wish.reset();
    s.our_rank.reset();
    s.due.reset();
    for (std::size_t i = 0; i < nodes.size(); ++i)
      lots[i] = draw(seeds[i], nodes[i].weight, p);
    const auto is_ahead = [&](std::size_t a, std::size_t b) {
      return ahead(lots[a], lots[b], nodes[a].node, nodes[b].node);
    };
    std::size_t best = 0;
    for (std::size_t i = 1; i < nodes.size(); ++i)
      if (is_ahead(i, best))
        best = i;
    if (!nodes.empty())
      s.wish = nodes[best].node;
    if (us == nodes.end())
      continue;
    const auto ours = static_cast<std::size_t>(us - nodes.begin());
    std::uint32_t before = 0;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      before += i != ours && is_ahead(i, ours) ? 1U : 0U;
    s.our_rank = before;
  }
}

void claim_planner::plan_claims(const membership& nodes, millis now,
                                moves& out) {
  std::optional<std::vector<core_node>> known;
  for (partition_id p = 0; p < slots_.size(); ++p) {
    auto& s = slots_[p];
    const auto is_free = !s.owner || !nodes.is_alive(*s.owner);
    if (s.at != stage::idle || !s.our_rank || nodes.leaving() || !is_free) {
      s.due.reset();
      continue;
    }
    if (!s.due) {
      if (!known)
        known = nodes.known_cores();
      s.due = later(now, s.held_off_until) + delay(p, *known)
              + *s.our_rank * limits::claim_patience;
    }
    if (now < *s.due || !may_move(now))
      continue;
    moved_.push_back(now);
    s.at = stage::claiming;
    s.due.reset();
    if (*s.our_rank > 0) {
      s.keep_until = now + s.keep_for;
      s.keep_for = std::min(2 * s.keep_for, limits::fallback_keeps_longest);
    }
    out.claims.push_back(p);
  }
}

void claim_planner::plan_releases(const membership& nodes, millis now,
                                  moves& out) {
  std::size_t in_flight = 0;
  for (auto& s : slots_) {
    // Who is gone, or is not the one any more, will not take it.
    if (s.handed_to && (s.handed_to != s.wish || !nodes.is_alive(*s.handed_to)))
      s.handed_to.reset();
    in_flight += s.handed_to ? 1U : 0U;
  }
  for (partition_id p = 0; p < slots_.size(); ++p) {
    auto& s = slots_[p];
    if (s.at != stage::owned || !s.wish || *s.wish == self_)
      continue;
    const auto kept
      = (s.keep_until && now < *s.keep_until) || !nodes.is_warm(*s.wish, now);
    if ((kept && !nodes.leaving()) || !nodes.is_alive(*s.wish))
      continue;
    if (in_flight >= limits::handovers_in_flight || !may_move(now))
      return;
    moved_.push_back(now);
    ++in_flight;
    s.at = stage::stopping;
    s.handed_to = s.wish;
    out.releases.push_back({p, *s.wish});
  }
}

millis claim_planner::delay(partition_id partition,
                            const std::vector<core_node>& known) {
  const auto order = rank(partition, known);
  const auto place = std::ranges::find(order, self_) - order.begin();
  jitter_ += golden;
  const auto spread = static_cast<std::uint64_t>(limits::claim_jitter.count());
  return place * limits::claim_rank_delay
         + millis{static_cast<millis::rep>(mix(jitter_) % (spread + 1))};
}

bool claim_planner::may_move(millis now) {
  while (!moved_.empty() && now - moved_.front() >= millis{1'000})
    moved_.pop_front();
  return moved_.size() < limits::moves_per_second;
}

} // namespace rollcall::cluster
