#include "sim/sim_node.hpp"

#include "actors/base/limits.hpp"
#include "persistence/history_actor.hpp"
#include "persistence/layout.hpp"
#include "persistence/recovery.hpp"

#include <caf/event_based_actor.hpp>

#include <utility>
#include <variant>

namespace rollcall::sim {

namespace {

/// How long an orderly end may take.
constexpr millis stop_takes{15'000};
constexpr millis look_every{50};

/// The presets, and one that gives nobody who drops time to come back.
std::shared_ptr<const session_rules> rules_for(const planted_bugs& bugs) {
  auto out = std::make_shared<session_rules>(*test::make_rules());
  auto brisk = *out->find_kind("stage");
  brisk.kind = "brisk";
  brisk.drop_grace = millis{0};
  out->kinds.push_back(brisk);
  if (bugs.skips_confirm_window)
    out->confirm_window = millis{0};
  return out;
}

} // namespace

void sim_world::advance(millis span) {
  for (auto left = span; left > millis{0}; left -= step) {
    events->run(now() + step);
    for (auto* node : nodes)
      node->turn(step);
  }
}

// -- its life ----------------------------------------------------------------

sim_node::sim_node(sim_world& world, std::string name, observer watch)
  : world_(world), name_(std::move(name)), watch_(std::move(watch)) {
  // No node's clock says anything to another.
  fixture.pass(millis{std::hash<std::string>{}(name_) % 1'000'000});
  world_.nodes.push_back(this);
  start();
}

sim_node::~sim_node() {
  if (running()) {
    life_->alive = false;
    reap();
  }
  std::erase(world_.nodes, this);
}

void sim_node::start() {
  if (incarnation_ == 0 || !world_.bugs.reuses_incarnation)
    ++incarnation_;
  self_ = {name_, incarnation_};
  life_ = std::make_shared<sim_life>();
  clock_fn clock = [this] { return now(); };
  life_->clock = clock;
  missed_ = millis{0};
  stopping_since_.reset();
  bus_ = std::make_shared<sim_bus>(world_.wire, life_);
  book_ = std::make_shared<cluster::copy_book>(cluster::copy_book::config{
    name_, sim_partitions, accept_loss, read_nodes(*disk_).value()});
  for (partition_id p = 0; p < sim_partitions; ++p)
    book_->keep(p, disk_->where(p).value());
  order_ = std::make_shared<shared_journal>(
    world_.log, world_.events, life_,
    shared_journal::knowledge{
      [this](partition_id p) { return disk_->where(p).value(); },
      [book = book_](partition_id p) { return book->copies(p); }},
    world_.random());
  cut_journal();
  sink_ = std::make_shared<sim_sink>(
    life_, [this](client_ref to, const edge::value& frame) {
      if (hear_frame)
        hear_frame(to, frame);
    });
  store_config how;
  how.detached = false;
  how.metrics = &figures_;
  how.moved = [book = book_](partition_id p, const checkpoint& at) {
    book->keep(p, at);
  };
  auto& system = fixture.system();
  store_ = spawn_store(system, std::make_shared<sim_store>(disk_, life_),
                       order_, how);
  history_config reader;
  reader.detached = false;
  reader.metrics = &figures_;
  reader.kinds = rules_for(world_.bugs)->kinds;
  past_
    = spawn_history(system, std::make_shared<sim_store>(disk_, life_), reader);
  router = cluster::spawn_router(system, {sim_partitions, self_, bus_, clock});
  edge::relay_env relays;
  relays.router = router;
  relays.sink = sink_;
  relays.self = self_;
  relays.clock = clock;
  relays.partitions = sim_partitions;
  relays.announce_every = millis{5'000};
  hub = edge::spawn_relay_hub(system, relays);
  start_node(clock);
  start_standby(clock);
  start_edge(clock);
}

void sim_node::start_node(const clock_fn& clock) {
  cluster::node_env env;
  env.self = self_;
  env.cluster.partitions = sim_partitions;
  env.sessions.rules = rules_for(world_.bugs);
  env.sessions.store = store_;
  env.sessions.past = past_;
  env.sessions.bus = bus_;
  env.sessions.router = router;
  env.sessions.partitions = sim_partitions;
  env.sessions.clock = clock;
  env.router = router;
  env.book = book_;
  env.seed = std::hash<std::string>{}(name_) + incarnation_;
  env.owner_changed
    = [to = hub](const ownership_ptr& now) { caf::anon_send(to, now); };
  env.detached = [to = hub](bool off) {
    off ? caf::anon_send(to, atoms::detached::value)
        : caf::anon_send(to, atoms::attached::value);
  };
  node_ = cluster::spawn_node(fixture.system(), env);
  bus_->open(self_, [this](const node_id& from, node_message message) {
    take(from, std::move(message));
  });
}

void sim_node::start_standby(const clock_fn& clock) {
  cluster::standby_env env;
  env.partitions = sim_partitions;
  env.store = store_;
  env.node = node_;
  env.order = order_;
  env.book = book_;
  env.where = [disk = disk_](partition_id p) { return disk->where(p); };
  env.content = [disk = disk_](partition_id p) -> journal::content {
    return
      [disk, p](const auto& visit) { return read_partition(*disk, p, visit); };
  };
  env.clock = clock;
  env.detached = false;
  standby_ = cluster::spawn_standby(fixture.system(), std::move(env));
}

void sim_node::start_edge(const clock_fn& clock) {
  edge::token_config tokens;
  tokens.keys.push_back(key());
  auto verifier = edge::token_verifier::make(tokens);
  auto shared = std::make_shared<edge::connection_env>();
  shared->rules = std::make_shared<edge::connection_rules>(
    edge::connection_rules{*verifier, test::test_secret});
  shared->router = router;
  shared->hub = hub;
  shared->sink = sink_;
  shared->self = self_;
  shared->clock = clock;
  edge_ = shared;
}

void sim_node::stop() {
  caf::anon_send(node_, atoms::stop::value);
  stopping_since_ = next_look_ = world_.now();
}

millis sim_node::stop_and_wait() {
  auto since = world_.now();
  stop();
  while (running())
    world_.advance(look_every);
  return world_.now() - since;
}

void sim_node::look_for_the_end() {
  if (world_.now() < next_look_)
    return;
  next_look_ = world_.now() + look_every;
  if (figure("owned") < 0 || world_.now() - *stopping_since_ >= stop_takes)
    shut();
}

void sim_node::crash() {
  life_->alive = false;
  reap();
}

void sim_node::resume() {
  if (!running() || !life_->standing)
    return;
  life_->standing = false;
  fixture.pass(missed_);
  missed_ = millis{0};
  // Its threads wake in any order: timers first, or what came meanwhile.
  if (world_.random() % 2 == 0)
    fixture.drain();
  for (auto& what : std::exchange(life_->backlog, {}))
    what();
  fixture.drain();
}

void sim_node::turn(millis span) {
  if (running() && life_->standing) {
    missed_ += frozen_ ? millis{0} : span;
    return;
  }
  fixture.advance(span, span);
  if (!running())
    return;
  if (!life_->alive)
    reap();
  else if (stopping_since_)
    look_for_the_end();
  else if (world_.bugs.counts_deaf_time)
    count_leases();
}

// The dead cannot tell that they are: what they still do reaches nobody.
void sim_node::reap() {
  disk_->crash();
  auto kept = std::make_shared<memory_store>(*disk_);
  shut();
  disk_ = kept;
}

void sim_node::shut() {
  bus_->close();
  caf::anon_send(standby_, atoms::stop::value);
  fixture.drain();
  fixture.drop(standby_);
  fixture.drop(node_);
  fixture.drop(hub);
  fixture.drop(router);
  caf::anon_send(store_, atoms::stop::value);
  fixture.drain();
  fixture.drop(past_);
  fixture.drop(store_);
  for (const auto& one : std::exchange(askers_, {}))
    caf::anon_send_exit(one, caf::exit_reason::kill);
  fixture.drain();
  life_->alive = false;
  edge_ = nullptr;
  stopping_since_.reset();
  heard_.clear();
  held_.clear();
}

std::map<std::string, std::string> sim_node::content(partition_id partition) {
  std::map<std::string, std::string> out;
  (void)read_partition(*disk_, partition, [&](auto key, auto value) {
    out.emplace(key, value);
    return true;
  });
  return out;
}

// -- what it is part of ------------------------------------------------------

void sim_node::take(const node_id& from, node_message message) {
  if (auto* beat = std::get_if<heartbeat_ptr>(&message)) {
    heard_[from] = now().steady;
    if (from == self_)
      held_ = (*beat)->held;
    caf::anon_send(node_, *beat);
  } else if (auto* given = std::get_if<session_transfer_ptr>(&message)) {
    caf::anon_send(node_, *given);
  } else if (auto* free = std::get_if<partition_transfer_ptr>(&message)) {
    caf::anon_send(node_, *free);
  } else if (auto* asked = std::get_if<routed_command_ptr>(&message)) {
    caf::anon_send(
      router, std::make_shared<const routed_from>(routed_from{from, *asked}));
  } else if (auto* answer = std::get_if<routed_reply_ptr>(&message)) {
    caf::anon_send(router, *answer);
  } else if (auto* told = std::get_if<note_ptr>(&message)) {
    caf::anon_send(router, *told);
  } else {
    watch_(message);
    if (auto* next = std::get_if<batch_ptr>(&message))
      caf::anon_send(hub, *next);
    else if (auto* whole = std::get_if<snapshot_ptr>(&message))
      caf::anon_send(hub, *whole);
    else
      caf::anon_send(hub, std::get<direct_ptr>(message));
  }
}

// The detector as one would write it first.
void sim_node::count_leases() {
  for (auto at = heard_.begin(); at != heard_.end();) {
    bool over
      = at->first != self_ && now().steady - at->second >= limits::edge_lease;
    if (over)
      caf::anon_send(router, edge_gone{at->first});
    at = over ? heard_.erase(at) : std::next(at);
  }
}

void sim_node::ask(command_ptr what, answered then) {
  auto whom = router;
  // The dead give no answers either.
  auto heard
    = [life = life_, then = std::move(then)](const result<reply>& answer) {
        then(life->alive ? answer
                         : result<reply>{fail(errc::unavailable, "no answer")});
      };
  askers_.push_back(
    fixture.system().spawn([whom, what, heard](caf::event_based_actor* self) {
      self->request(whom, millis{8'000}, what)
        .then([heard](const reply_ptr& answer) { heard(*answer); },
              [heard](const caf::error&) {
                heard(fail(errc::unavailable, "no answer"));
              });
    }));
}

} // namespace rollcall::sim
