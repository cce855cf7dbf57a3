#include "sim/storm.hpp"

#include "actors/base/log.hpp"

#include <algorithm>
#include <utility>

namespace rollcall::sim {

namespace {

constexpr std::array session_kinds
  = {"stage", "party", "board", "stage", "brisk"};
constexpr std::size_t client_count = 40;
constexpr millis storm_lasts{60'000};
constexpr std::uint64_t least_faults = 10;
constexpr std::uint64_t least_operations = 500;
/// Leases, confirm windows and the grace of most kinds, one after the other.
constexpr millis quiet_lasts{60'000};

// What nodes log; which of them it is they do not say.
void print_line(const log_line& line) noexcept {
  std::printf("    %.*s %.*s", static_cast<int>(line.subject.size()),
              line.subject.data(), static_cast<int>(line.event.size()),
              line.event.data());
  for (const auto& one : line.fields) {
    std::printf(" %.*s=", static_cast<int>(one.key.size()), one.key.data());
    std::visit(
      [](const auto& value) {
        if constexpr (requires { value.size(); })
          std::printf("%.*s", static_cast<int>(value.size()), value.data());
        else
          std::printf("%lld", static_cast<long long>(value));
      },
      one.value);
  }
  std::printf("\n");
}

std::string session_of(std::size_t who) {
  return "s" + std::to_string(who % session_kinds.size());
}

} // namespace

const char* to_string(fault what) {
  static constexpr std::array names
    = {"kill",    "stop",  "crash_point", "pause",     "freeze", "cut",
       "one_way", "split", "outage",      "lost_acks", "stall",  "loss",
       "late",    "twice", "clock_step",  "shorter"};
  return names.at(static_cast<std::size_t>(what));
}

void storm_totals::add(const storm_totals& other) {
  for (std::size_t n = 0; n < fault_count; ++n)
    faults[n] += other.faults[n];
  operations += other.operations;
  durable += other.durable;
  committed += other.committed;
  repeated += other.repeated;
  refused += other.refused;
  unknown += other.unknown;
  frames += other.frames;
  flaps += other.flaps;
  sent_elsewhere += other.sent_elsewhere;
  older += other.older;
  acks_lost += other.acks_lost;
  left_out += other.left_out;
  wire.sent += other.wire.sent;
  wire.lost += other.wire.lost;
  wire.twice += other.wire.twice;
  wire.late += other.wire.late;
  wire.cut += other.wire.cut;
}

storm::storm(std::uint64_t seed, const storm_bugs& bugs)
  : random_(seed), world_(seed) {
  if (const char* whom = std::getenv("ROLLCALL_SIM_TRACE")) {
    traced_ = whom;
    set_log_sink(print_line, log_level::info);
  }
  world_.bugs = bugs.node;
  world_.log->bugs = bugs.log;
  draw_faults(bugs.needs);
  auto count = 3 + pick(3);
  replicas_.resize(count);
  health_.resize(count);
  for (std::uint32_t n = 0; n < count; ++n)
    nodes_.push_back(std::make_unique<sim_node>(
      world_, "n" + std::to_string(n),
      [this, n](const node_message& told) { hear(n, told); }));
  ops_ = std::make_unique<sim_ops>(world_, seed + 2);
  ops_->tell = [this](const std::string& user, const std::string& what) {
    if (user == traced_)
      trace(user + ' ' + what);
  };
  crowd_ = std::make_unique<sim_crowd>(world_);
  crowd_->on_loss = [this](std::size_t who, const seen_loss& loss) {
    const auto& viewer = crowd_->clients[who];
    if (loss.participant == test::session_harness::id_of(traced_).str())
      trace("  " + viewer.user + " at node "
            + std::to_string(index_of(viewer.at)) + " is shown its leave, "
            + loss.reason + (loss.back ? ", and its return" : ""));
    blame(viewer.session, loss, index_of(viewer.at));
  };
  if (!traced_.empty())
    crowd_->on_push = [this](std::size_t who, const edge::value&) {
      const auto& one = crowd_->clients[who];
      if (one.user == traced_)
        trace("  it sees " + std::to_string(one.sees.at().epoch) + '/'
              + std::to_string(one.sees.at().rev) + ": " + one.sees.text());
    };
  for (std::size_t n = 0; n < client_count; ++n)
    crowd_->add("u" + std::to_string(n), session_of(n),
                session_kinds[n % session_kinds.size()]);
  world_.advance(millis{4'000});
}

storm::~storm() = default;

void storm::draw_faults(std::optional<fault> needed) {
  auto most = static_cast<std::uint32_t>(fault_count);
  while (drawn_.size() < 3) {
    drawn_.clear();
    for (std::uint32_t n = 0; n < most; ++n)
      if (chance(2))
        drawn_.push_back(static_cast<fault>(n));
  }
  if (needed)
    drawn_.assign(3, *needed);
}

void storm::run() {
  auto end = now() + storm_lasts;
  std::uint64_t harms = 0;
  while (now() < end || harms < least_faults
         || made.operations + ops_->started < least_operations) {
    world_.advance(millis{20 + pick(180)});
    look_after_the_dead();
    operate();
    operate();
    operate();
    if (chance(20)) {
      harm();
      harms = 0;
      for (auto each : made.faults)
        harms += each;
    }
    if (chance(10)) {
      crowd_->retry();
      ops_->retry();
    }
  }
  calm();
  check();
  made.durable = ops_->started;
  made.committed = ops_->committed;
  made.repeated = ops_->repeated;
  made.refused = ops_->refused;
  made.unknown = ops_->unknown;
  made.frames = crowd_->frames;
  made.sent_elsewhere = crowd_->sent_elsewhere;
  for (const auto& one : crowd_->clients)
    made.older += one.sees.older;
  made.acks_lost = world_.log->acks_lost;
  made.left_out = world_.log->left_out;
  made.wire = world_.wire->count;
}

// -- clients -----------------------------------------------------------------

void storm::operate() {
  auto who = pick(client_count);
  auto& one = crowd_->clients[who];
  ++made.operations;
  auto say = [&](const char* what) {
    if (one.user == traced_)
      trace(one.user + ' ' + what);
  };
  if (!one.connection) {
    join_somewhere(who);
    return;
  }
  switch (pick(10)) {
  case 0:
    say("leaves");
    crowd_->leave(who);
    break;
  case 1:
    say("drops");
    crowd_->drop(who);
    break;
  case 2:
  case 3:
    ops_->start(one.session, one.user);
    break;
  default:
    if (!one.wants) {
      say("drops");
      crowd_->drop(who);
    } else
      crowd_->publish(who, static_cast<std::int64_t>(made.operations));
    break;
  }
}

void storm::join_somewhere(std::size_t who) {
  auto& node = *nodes_[pick(static_cast<std::uint32_t>(nodes_.size()))];
  if (!node.alive())
    return;
  crowd_->join(who, node, chance(2));
  const auto& one = crowd_->clients[who];
  if (one.user == traced_)
    trace(one.user + " joins " + one.session + " at " + node.self().name
          + " as " + rollcall::to_string(one.id));
}

// -- for whoever looks for a cause -----------------------------------------

void storm::trace(const std::string& what) const {
  if (!traced_.empty())
    std::printf("%lld %s\n", static_cast<long long>(now().count()),
                what.c_str());
}

void storm::trace_snapshot(std::size_t n, const snapshot& whole) const {
  for (const auto& who : whole.participants)
    if (!traced_.empty() && who.user.str() == traced_)
      trace("  node " + std::to_string(n) + " is shown "
            + whole.session.id.str() + " at " + std::to_string(whole.at.epoch)
            + '/' + std::to_string(whole.at.rev) + ", joined "
            + std::to_string(who.joined.epoch) + '/'
            + std::to_string(who.joined.rev));
}

void storm::trace_direct(std::size_t n, const direct& word) const {
  for (const auto& one : crowd_->clients)
    if (one.user == traced_ && one.id == word.connection)
      trace("  node " + std::to_string(n) + " is told that "
            + rollcall::to_string(one.id)
            + (std::holds_alternative<unknown_direct>(word.body)
                 ? " is unknown"
                 : " was removed"));
}

void storm::trace_change(std::size_t n, const batch& of,
                         const change& one) const {
  if (traced_.empty())
    return;
  auto id = test::session_harness::id_of(traced_);
  std::string what;
  if (const auto* x = std::get_if<joined_change>(&one.body);
      x != nullptr && x->participant.participant == id)
    what = "joined as " + std::to_string(x->participant.joined.epoch) + '/'
           + std::to_string(x->participant.joined.rev);
  else if (const auto* y = std::get_if<left_change>(&one.body);
           y != nullptr && y->participant == id)
    what = "left, " + std::string{rollcall::to_string(y->reason)};
  else if (const auto* z = std::get_if<suspected_change>(&one.body);
           z != nullptr && z->participant == id)
    what = "suspected";
  else if (const auto* r = std::get_if<resumed_change>(&one.body);
           r != nullptr && r->participant == id)
    what = "resumed";
  else if (const auto* c = std::get_if<connection_change>(&one.body);
           c != nullptr && c->participant == id)
    what = "connections " + std::to_string(c->connections);
  else if (const auto* m = std::get_if<member_change>(&one.body);
           m != nullptr && m->user.str() == traced_)
    what = m->role;
  if (!what.empty())
    trace("  node " + std::to_string(n) + " hears of " + of.session.id.str()
          + " at " + std::to_string(of.to.epoch) + '/' + std::to_string(one.rev)
          + ": " + what);
}

// -- nodes that ended --------------------------------------------------------

std::size_t storm::alive() const {
  return static_cast<std::size_t>(
    std::count_if(nodes_.begin(), nodes_.end(),
                  [](const auto& node) { return node->alive(); }));
}

void storm::look_after_the_dead() {
  for (std::uint32_t n = 0; n < nodes_.size(); ++n) {
    auto& node = *nodes_[n];
    if (node.alive() || health_[n].restart_planned)
      continue;
    if (node.trap() != crash_point::none)
      ++made.faults[static_cast<std::size_t>(fault::crash_point)];
    trace(node.self().name + " is gone");
    crowd_->lose(node);
    health_[n].restart_planned = true;
    later_on(millis{500 + pick(9'500)}, [this, n] { restart(n); });
  }
}

void storm::restart(std::uint32_t n) {
  auto& node = *nodes_[n];
  if (node.running()) {
    later_on(millis{100}, [this, n] { restart(n); });
    return;
  }
  replicas_[n].clear();
  node.start();
  trace(node.self().name + " is started");
  health_[n].restart_planned = false;
  health_[n].well_since = now();
}

void storm::calm() {
  for (auto& node : nodes_)
    node->crash_at(crash_point::none);
  while (active_ > 0) {
    world_.advance(millis{100});
    look_after_the_dead();
  }
  for (auto left = quiet_lasts; left > millis{0}; left -= millis{2'500}) {
    crowd_->retry();
    ops_->retry();
    world_.advance(millis{2'500});
  }
}

} // namespace rollcall::sim
