// What a storm does to a cluster.

#include "sim/storm.hpp"

#include <algorithm>
#include <utility>

namespace rollcall::sim {

void storm::harm() {
  auto what = drawn_[pick(static_cast<std::uint32_t>(drawn_.size()))];
  auto n = pick(static_cast<std::uint32_t>(nodes_.size()));
  auto lasts = millis{500 + pick(9'500)};
  // One of a kind at a time, except for what ends or hurts a single node.
  bool of_a_node = what <= fault::one_way || what == fault::clock_step;
  if (!of_a_node && going_on_[static_cast<std::size_t>(what)] > 0)
    return;
  if (of_a_node && (!nodes_[n]->alive() || nodes_[n]->standing()))
    return;
  trace(std::string{to_string(what)} + " of node " + std::to_string(n) + " for "
        + std::to_string(lasts.count()));
  start_fault(what, n, lasts);
}

void storm::start_fault(fault what, std::uint32_t n, millis lasts) {
  switch (what) {
  case fault::kill:
  case fault::stop:
  case fault::crash_point:
    start_end(what, n);
    return;
  case fault::pause:
  case fault::freeze:
    start_standstill(what, n, lasts);
    return;
  case fault::cut:
  case fault::one_way:
  case fault::split:
    start_separation(what, n, lasts);
    return;
  case fault::outage:
  case fault::lost_acks:
  case fault::stall:
  case fault::shorter:
    start_journal_fault(what, lasts);
    return;
  case fault::clock_step:
    ++made.faults[static_cast<std::size_t>(what)];
    step_clock(n, lasts);
    return;
  case fault::loss:
  case fault::late:
  case fault::twice:
    start_bus_fault(what, lasts);
    return;
  }
}

/// Heals something later; a storm does not end before.
void storm::later_on(millis lasts, std::function<void()> heal) {
  ++active_;
  world_.events->at(now() + lasts, [this, heal = std::move(heal)] {
    --active_;
    heal();
  });
}

void storm::hurt(std::uint32_t n, millis lasts, std::function<void()> heal) {
  ++health_[n].hurt;
  later_on(lasts, [this, n, heal = std::move(heal)] {
    heal();
    if (--health_[n].hurt == 0)
      health_[n].well_since = now();
  });
}

void storm::start_end(fault what, std::uint32_t n) {
  if (alive() <= 1)
    return;
  auto& node = *nodes_[n];
  if (what == fault::crash_point) {
    // Counted when it has happened.
    node.crash_at(static_cast<crash_point>(1 + pick(crash_points)));
    return;
  }
  ++made.faults[static_cast<std::size_t>(what)];
  node.crash_at(crash_point::none);
  if (what == fault::kill)
    node.crash();
  else
    node.stop();
  look_after_the_dead();
}

void storm::start_standstill(fault what, std::uint32_t n, millis lasts) {
  auto& node = *nodes_[n];
  ++made.faults[static_cast<std::size_t>(what)];
  if (what == fault::pause)
    node.pause();
  else
    node.freeze();
  hurt(n, lasts, [&node] { node.resume(); });
}

void storm::start_separation(fault what, std::uint32_t n, millis lasts) {
  if (what == fault::split) {
    ++made.faults[static_cast<std::size_t>(what)];
    ++going_on_[static_cast<std::size_t>(what)];
    std::map<std::string, int> sides;
    auto journal_side = static_cast<int>(pick(2));
    for (std::uint32_t each = 0; each < nodes_.size(); ++each) {
      auto& node = *nodes_[each];
      auto side = each == n ? 1 : static_cast<int>(pick(2));
      sides[node.self().name] = side;
      bool far = side != journal_side;
      node.lose_journal(far);
      // Whoever is on the side of the journal has lost nothing.
      hurt(each, lasts, [&node] { node.lose_journal(false); });
    }
    world_.wire->split(std::move(sides));
    later_on(lasts, [this] {
      world_.wire->split({});
      --going_on_[static_cast<std::size_t>(fault::split)];
    });
    return;
  }
  // Only one of these at a time on a node: they end each other.
  if (health_[n].hurt > 0)
    return;
  auto& node = *nodes_[n];
  ++made.faults[static_cast<std::size_t>(what)];
  bool out = what == fault::cut || chance(2);
  node.cut(out, what == fault::cut || !out);
  hurt(n, lasts, [&node] { node.cut(false); });
}

// Far enough to be noticed, or not; set right again by another step.
void storm::step_clock(std::uint32_t n, millis lasts) {
  auto far = chance(2) ? millis{3'600'000} : millis{4'000};
  auto by = millis{pick(static_cast<std::uint32_t>(far.count() * 2))} - far;
  nodes_[n]->step_wall_clock(by);
  later_on(lasts, [this, n, by] { nodes_[n]->step_wall_clock(-by); });
}

// Whether whoever holds it holds it under this claim, and is heard.
bool storm::is_safe(partition_id partition, epoch_t claim) const {
  bool held = false;
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    auto epoch = nodes_[n]->holds(partition);
    if (epoch == 0)
      continue;
    if (epoch != claim || !sees_clearly(n))
      return false;
    held = true;
  }
  return held;
}

// Gone altogether, or without its last few records.
void storm::shorten(partition_id partition) {
  auto& log = *world_.log;
  auto* of = log.find(partition);
  // What the journal loses its owner has. Where that is cut off as well, or an
  // earlier one has not heard of its end, a store cannot tell what is true.
  if (of == nullptr || !is_safe(partition, of->claim))
    return;
  ++made.faults[static_cast<std::size_t>(fault::shorter)];
  if (chance(2)) {
    log.lose(partition);
    return;
  }
  auto without = std::min<std::size_t>(of->entries.size(), 1 + pick(3));
  auto left = of->entries.size() - without;
  log.cut(partition, left == 0 ? 0 : of->entries[left - 1].at);
}

void storm::start_journal_fault(fault what, millis lasts) {
  auto& log = *world_.log;
  // That a stream came back shorter counts when it has.
  ++made.faults[static_cast<std::size_t>(what == fault::shorter ? fault::outage
                                                                : what)];
  ++going_on_[static_cast<std::size_t>(what)];
  if (what == fault::outage || what == fault::shorter)
    ++log.away;
  else if (what == fault::stall)
    log.stalls = true;
  else
    log.lost_acks = 2 + pick(20);
  later_on(lasts, [this, what] {
    auto& of = *world_.log;
    --going_on_[static_cast<std::size_t>(what)];
    if (what == fault::shorter)
      shorten(pick(sim_partitions));
    if (what == fault::outage || what == fault::shorter)
      --of.away;
    else if (what == fault::stall)
      of.stalls = false;
    else
      of.lost_acks = 0;
  });
}

void storm::start_bus_fault(fault what, millis lasts) {
  ++made.faults[static_cast<std::size_t>(what)];
  ++going_on_[static_cast<std::size_t>(what)];
  auto& chances = world_.wire->chances;
  auto& one_in = what == fault::loss   ? chances.lost
                 : what == fault::late ? chances.late
                                       : chances.twice;
  one_in = 5 + pick(40);
  bus_bad_until_ = std::max(bus_bad_until_, now() + lasts);
  later_on(lasts, [this, what, &one_in] {
    --going_on_[static_cast<std::size_t>(what)];
    one_in = 0;
  });
}

} // namespace rollcall::sim
