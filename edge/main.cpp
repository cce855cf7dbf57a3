// rollcalld: the composition root. Reads the configuration, builds the node
// from the inside out (store, partitions, router, relays, network) and takes
// it down in the opposite order. Beside the CLI's main this is the only file
// that knows every folder.

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "cluster/local_bus.hpp"
#include "cluster/nats_access.hpp"
#include "cluster/nats_bus.hpp"
#include "cluster/nats_greeting.hpp"
#include "cluster/nats_journal.hpp"
#include "cluster/node_actor.hpp"
#include "cluster/partition_actor.hpp"
#include "cluster/router_actor.hpp"
#include "cluster/standby_actor.hpp"
#include "edge/config/config.hpp"
#include "edge/config/quickstart.hpp"
#include "edge/front/front.hpp"
#include "edge/ops/logging.hpp"
#include "edge/ops/node_figures.hpp"
#include "edge/ops/shutdown_signal.hpp"
#include "persistence/embedded_journal.hpp"
#include "persistence/history_actor.hpp"
#include "persistence/layout.hpp"
#include "persistence/migrations.hpp"
#include "persistence/recovery.hpp"
#include "persistence/rocksdb_store.hpp"
#include "persistence/store_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <cstdio>
#include <filesystem>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace rollcall;
using namespace rollcall::edge;

/// The field of a failure that is none: the node was told to end meanwhile.
constexpr const char* told_to_end = "told_to_end";

int complain(const std::string& what) {
  std::cerr << "rollcalld: " << what << '\n';
  return 1;
}

// -- the engine --------------------------------------------------------------

/// Who shows sessions, once there is somebody. Thread-safe.
class late_hub {
public:
  void set(const relay_hub_actor& hub) {
    std::lock_guard guard{mutex_};
    hub_ = hub;
  }

  void tell(const ownership& now) {
    std::lock_guard guard{mutex_};
    if (hub_)
      caf::anon_send(hub_,
                     ownership_ptr{std::make_shared<const ownership>(now)});
  }

private:
  std::mutex mutex_;
  relay_hub_actor hub_;
};

/// Everything behind the router. Stops in the reverse of its start.
struct engine {
  node_id self;
  /// Not of a node that serves clients only.
  store_actor store;
  history_actor past;
  std::shared_ptr<message_bus> bus;
  /// Of a node alone; among others `node` has them.
  std::vector<partition_actor> partitions;
  std::shared_ptr<late_hub> shown = std::make_shared<late_hub>();
  router_actor router;
  /// Only of a node among others.
  node_actor node;
  std::shared_ptr<cluster::nats_journal> order;
  std::shared_ptr<cluster::copy_book> book;
  standby_actor standby;
};

result<std::shared_ptr<rocksdb_store>> open_store(const node_config& config) {
  std::error_code ignored;
  std::filesystem::create_directories(config.data_dir, ignored);
  rocksdb_options options;
  options.directory = config.data_dir + "/store";
  auto disk = rocksdb_store::open(options);
  if (!disk)
    return disk;
  if (auto ready = migrate(**disk); !ready)
    return ready.error();
  if (auto fits = check_partition_count(**disk, config.engine.partitions);
      !fits)
    return fits.error();
  return disk;
}

session_env make_session_env(const node_config& config, const engine& node) {
  auto rules = std::make_shared<session_rules>();
  rules->kinds = config.engine.kinds;
  rules->id_secret = config.id_secret;
  rules->ended_retention = config.retention.ended_sessions;
  session_env env;
  env.rules = rules;
  env.store = node.store;
  env.past = node.past;
  env.bus = node.bus;
  env.router = node.router;
  env.partitions = config.engine.partitions;
  env.tick = config.engine.tick;
  return env;
}

history_retention retention_of(const node_config& config) {
  return {config.retention.history, config.retention.history_by_kind};
}

/// How often what is too old is looked for.
constexpr millis sweep_every{10 * 60'000};

/// Claims every partition and waits until the occupied sessions are back.
result<done> open_alone(caf::actor_system& system, const node_config& config,
                        engine& node) {
  // Groups speak to all partitions, from the first that is open.
  cluster::router_env whole;
  whole.partitions = config.engine.partitions;
  whole.self = node.self;
  node.router = cluster::spawn_router(system, whole);
  auto sessions = make_session_env(config, node);
  std::vector<std::future<result<epoch_t>>> ready;
  for (partition_id p = 0; p < config.engine.partitions; ++p) {
    auto told = std::make_shared<std::promise<result<epoch_t>>>();
    ready.push_back(told->get_future());
    cluster::partition_env env;
    env.sessions = sessions;
    env.partition = p;
    env.self = node.self;
    env.retention = retention_of(config);
    env.sweep_every = sweep_every;
    env.ready
      = [told](const result<epoch_t>& epoch) { told->set_value(epoch); };
    env.claimed_anew
      = [shown = node.shown, p, self = node.self](epoch_t epoch) {
          shown->tell({p, self, epoch});
        };
    node.partitions.push_back(cluster::spawn_partition(system, env));
    caf::anon_send(node.router,
                   ownership_ptr{std::make_shared<const ownership>(
                     ownership{p, node.self, 1})},
                   node.partitions.back());
  }
  for (auto& one : ready)
    if (auto epoch = one.get(); !epoch)
      return epoch.error();
  return done{};
}

cluster::nats_options nats_options_of(const node_config& config) {
  cluster::nats_options out;
  out.urls = config.cluster.nats;
  out.cluster = config.cluster.id;
  out.name = config.name;
  out.credentials = config.cluster.credentials;
  out.ca = config.cluster.ca;
  // Whoever supervises us starts us again, and the start says what is wrong.
  out.gave_up = [](const failure&) { shutdown_signal::give_up(); };
  return out;
}

/// What this node knows of copies before it hears of others.
result<std::shared_ptr<cluster::copy_book>> open_book(const node_config& config,
                                                      store& disk) {
  auto known = read_nodes(disk);
  if (!known)
    return known.error();
  if (config.accept_loss)
    log(log_level::warn, "node", "accept_loss",
        {{"why", "what only missing nodes have is given up"}});
  auto book = std::make_shared<cluster::copy_book>(
    cluster::copy_book::config{config.name, config.engine.partitions,
                               config.accept_loss, std::move(*known)});
  for (partition_id p = 0; p < config.engine.partitions; ++p) {
    auto at = disk.where(p);
    if (!at)
      return at.error();
    book->keep(p, *at);
  }
  return book;
}

/// The journal of a node that owns partitions.
result<done> open_journal(const node_config& config,
                          const std::shared_ptr<rocksdb_store>& disk,
                          engine& node) {
  // One that does not answer now may be back later; one that is not fit for a
  // journal will not become so.
  for (const auto& url : config.cluster.nats)
    if (auto told = cluster::ask_greeting(url, millis{1'000}))
      if (auto fit = cluster::check_greeting(*told); !fit)
        return fit.error();
  auto book = open_book(config, *disk);
  if (!book)
    return book.error();
  node.book = *book;
  cluster::nats_journal_config streams;
  streams.replicas = static_cast<int>(config.cluster.replicas);
  streams.stream_bytes = static_cast<std::int64_t>(config.cluster.stream_bytes);
  streams.partitions = config.engine.partitions;
  streams.heard = [known = *book](partition_id partition) {
    return known->copies(partition);
  };
  auto order = cluster::nats_journal::open(
    nats_options_of(config), streams,
    [disk](partition_id partition) { return disk->where(partition); });
  if (!order)
    return order.error();
  node.order = std::move(*order);
  return done{};
}

/// Waits for a server as long as it takes: nodes and NATS may start in any
/// order. What is wrong with us, or with a server, is not waited for.
result<done> await_nats(const node_config& config,
                        cluster::nats_options options,
                        const shutdown_signal& signal) {
  // Between two looks whether we are to end.
  options.connect_timeout = millis{1'000};
  std::optional<millis> said;
  for (;;) {
    auto allowed
      = cluster::check_nats_access(options, config.cluster.roles.core);
    if (allowed || allowed.error().code != errc::unavailable)
      return allowed;
    if (signal.came())
      return fail(errc::unavailable, "told to end", told_to_end);
    auto now = system_now().steady;
    if (!said || now >= *said + millis{5'000}) {
      said = now;
      log(log_level::warn, "nats", "waits_for_server",
          {{"why", allowed.error()}});
    }
  }
}

history_actor make_history(caf::actor_system& system, const node_config& config,
                           const std::shared_ptr<rocksdb_store>& disk) {
  history_config how;
  how.kinds = config.engine.kinds;
  return spawn_history(system, disk, how);
}

/// What joins this node to others; the store only if it owns partitions.
result<done> start_among_others(caf::actor_system& system,
                                const node_config& config,
                                const std::shared_ptr<rocksdb_store>& disk,
                                const store_config& how,
                                const shutdown_signal& signal, engine& node) {
  auto options = nats_options_of(config);
  if (auto allowed = await_nats(config, options, signal); !allowed)
    return allowed;
  if (config.cluster.roles.core) {
    if (auto opened = open_journal(config, disk, node); !opened)
      return opened.error();
    auto watched = how;
    watched.moved
      = [book = node.book](partition_id partition, const checkpoint& at) {
          book->keep(partition, at);
        };
    node.store = spawn_store(system, disk, node.order, watched);
    node.past = make_history(system, config, disk);
  }
  auto bus = cluster::nats_bus::connect(options);
  if (!bus)
    return bus.error();
  node.bus = std::move(*bus);
  node.router = cluster::spawn_router(
    system, {config.engine.partitions, node.self, node.bus, system_now});
  return done{};
}

/// Store, bus and router, by themselves or among others.
result<done> start_engine(caf::actor_system& system, const node_config& config,
                          const std::shared_ptr<rocksdb_store>& disk,
                          const shutdown_signal& signal, engine& node) {
  store_config how;
  how.window = config.engine.commit_window;
  if (config.cluster.nats.empty()) {
    node.bus = std::make_shared<cluster::local_bus>(
      std::make_shared<cluster::local_exchange>());
    node.store = spawn_store(system, disk,
                             std::make_shared<embedded_journal>(disk), how);
    node.past = make_history(system, config, disk);
    return open_alone(system, config, node);
  }
  return start_among_others(system, config, disk, how, signal, node);
}

/// The store ends when all that it was given is kept. A journal that says
/// nothing is not waited for: what reached it is found at the next start.
void stop_store(caf::scoped_actor& self, engine& node) {
  self->send(node.store, atoms::stop::value);
  if (!node.order)
    return;
  self->monitor(node.store);
  self->receive([](const caf::down_msg&) {},
                caf::after(limits::drain_patience) >> [] {});
  node.order->interrupt();
}

/// Sessions hand what they hold to the store before it ends. The standby may
/// wait for the journal, and is the last that does.
void stop_engine(caf::actor_system& system, engine& node) {
  caf::scoped_actor self{system};
  if (node.standby)
    self->send(node.standby, atoms::stop::value);
  // The others learn over the bus that the partitions are free.
  if (node.node) {
    self->send(node.node, atoms::stop::value);
    self->wait_for(node.node);
  }
  if (node.bus)
    node.bus->close();
  for (auto& partition : node.partitions)
    self->send(partition, atoms::stop::value);
  self->wait_for(node.partitions);
  if (node.router)
    self->send_exit(node.router, caf::exit_reason::user_shutdown);
  if (node.past)
    self->send(node.past, atoms::stop::value);
  if (node.store)
    stop_store(self, node);
  if (node.standby)
    self->wait_for(node.standby);
}

// -- the edge, among others --------------------------------------------------

/// Hands what the bus brings to whoever it is for.
struct inbox_switch {
  router_actor router;
  relay_hub_actor hub;
  node_actor node;

  void operator()(const node_id&, note_ptr& told) const {
    caf::anon_send(router, std::move(told));
  }
  void operator()(const node_id& from, routed_command_ptr& asked) const {
    caf::anon_send(router, std::make_shared<const routed_from>(
                             routed_from{from, std::move(asked)}));
  }
  void operator()(const node_id&, routed_reply_ptr& answer) const {
    caf::anon_send(router, std::move(answer));
  }
  void operator()(const node_id&, heartbeat_ptr& word) const {
    to_node(word);
  }
  void operator()(const node_id&, session_transfer_ptr& given) const {
    to_node(given);
  }
  void operator()(const node_id&, partition_transfer_ptr& word) const {
    to_node(word);
  }
  /// Batches, snapshots and words to one connection.
  template <class Message>
  void operator()(const node_id&, Message& told) const {
    caf::anon_send(hub, std::move(told));
  }

private:
  /// A node alone does not ask who else there is.
  template <class Message>
  void to_node(Message& word) const {
    if (node)
      caf::anon_send(node, std::move(word));
  }
};

void open_inbox(const engine& node, const relay_hub_actor& hub) {
  node.bus->open(node.self, [to = inbox_switch{node.router, hub, node.node}](
                              const node_id& from, node_message message) {
    std::visit([&](auto& body) { to(from, body); }, message);
  });
}

/// Keeps copies of what others own.
void stand_by(caf::actor_system& system, const node_config& config,
              const std::shared_ptr<rocksdb_store>& disk, engine& node) {
  cluster::standby_env env;
  env.partitions = config.engine.partitions;
  env.store = node.store;
  env.node = node.node;
  env.order = node.order;
  env.book = node.book;
  env.where = [disk](partition_id partition) { return disk->where(partition); };
  env.content = [disk](partition_id partition) -> journal::content {
    return [disk, partition](const auto& visit) {
      return read_partition(*disk, partition, visit);
    };
  };
  env.clock = system_now;
  node.standby = cluster::spawn_standby(system, std::move(env));
}

/// Joins the others. From here on partitions come and go.
void join_cluster(caf::actor_system& system, const node_config& config,
                  engine& node, front& edge) {
  cluster::node_env env;
  env.self = node.self;
  env.cluster.partitions = config.engine.partitions;
  env.cluster.core = config.cluster.roles.core;
  env.cluster.edge = config.cluster.roles.edge;
  env.cluster.weight = config.cluster.weight;
  env.sessions = make_session_env(config, node);
  env.retention = retention_of(config);
  env.sweep_every = sweep_every;
  env.router = node.router;
  env.book = node.book;
  env.seed = node.self.incarnation;
  edge.ready.owners_known(false);
  env.owner_changed
    = [hub = edge.hub, &edge,
       unknown = std::vector<bool>(config.engine.partitions, true),
       left = config.engine.partitions](const ownership_ptr& now) mutable {
        if (unknown[now->partition]) {
          unknown[now->partition] = false;
          edge.ready.owners_known(--left == 0);
        }
        caf::anon_send(hub, now);
      };
  env.detached = [hub = edge.hub](bool off) {
    off ? caf::anon_send(hub, atoms::detached::value)
        : caf::anon_send(hub, atoms::attached::value);
  };
  env.clocks = [&edge](const cluster::clock_verdict& now) {
    edge.ready.clock(now.stand_aside ? to_string(now) : "", now.difference);
  };
  node.node = cluster::spawn_node(system, std::move(env));
}

// -- the node ----------------------------------------------------------------

/// Listens until told to stop.
int serve(const parsed_command_line& told, const node_config& config,
          const shutdown_signal& signal, server& network) {
  if (auto listening = network.start(); !listening)
    return complain(listening.error().message);
  log(log_level::info, "node", "ready", {{"port", network.port()}});
  if (told.quickstart)
    std::cout << quickstart_text(config, network.port(),
                                 quickstart_minter(config))
              << std::flush;
  bool wanted = signal.wait();
  log(log_level::info, "node", "stopping", {});
  network.shutdown();
  return wanted ? 0 : complain("NATS has refused this node: see the log");
}

/// Builds the node around its store, serves, and takes it down.
int run_node(const parsed_command_line& told, const node_config& config,
             const shutdown_signal& signal, token_verifier tokens,
             const std::shared_ptr<rocksdb_store>& disk) {
  auto& figures = metrics::default_registry();
  auto threads = thread_counts_for(config, std::thread::hardware_concurrency());
  caf::actor_system_config system_config;
  system_config.set("scheduler.policy", caf::atom("sharing"));
  system_config.set("scheduler.max-threads", threads.workers);
  system_config.set("scheduler.max-throughput", 50);
  caf::actor_system system{system_config};

  engine node;
  // A claim of ours must never be taken for one of an earlier run.
  node.self = node_id{config.name, random_u64()};
  if (auto started = start_engine(system, config, disk, signal, node);
      !started) {
    stop_engine(system, node);
    if (started.error().field == told_to_end)
      return 0;
    return complain("the engine did not start: " + started.error().message);
  }
  front edge;
  build_front(system, config, std::move(tokens), node.router, node.self,
              figures, edge);
  auto network_figures = register_network_figures(
    figures, [server_ptr = edge.network.get()] { return server_ptr->stats(); });
  auto ready_figures = edge.ready.register_figures(figures);
  if (!config.cluster.nats.empty())
    join_cluster(system, config, node, edge);
  node.shown->set(edge.hub);
  open_inbox(node, edge.hub);
  if (node.node && node.order)
    stand_by(system, config, disk, node);
  int status = serve(told, config, signal, *edge.network);
  stop_engine(system, node);
  node.shown->set(relay_hub_actor{});
  caf::anon_send_exit(edge.hub, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(edge.gather, caf::exit_reason::user_shutdown);
  return status;
}

int run(const parsed_command_line& told, const shutdown_signal& signal) {
  auto config = told.config;
  if (told.quickstart) {
    auto made = prepare_quickstart(std::move(config));
    if (!made)
      return complain(made.error().message);
    config = std::move(made.value());
  }
  auto& figures = metrics::default_registry();
  if (auto logs = start_logging(config.log, figures); !logs)
    return complain(logs.error().message);
  auto process_figures
    = register_process_figures(figures, ROLLCALL_VERSION, system_now().wall);
  auto tokens = token_verifier::make(config.tokens);
  if (!tokens)
    return complain(tokens.error().message);
  // What serves clients only keeps nothing.
  std::shared_ptr<rocksdb_store> disk;
  if (config.cluster.roles.core) {
    auto opened = open_store(config);
    if (!opened)
      return complain(config.data_dir + ": " + opened.error().message);
    disk = std::move(*opened);
  }
  int status = run_node(told, config, signal, std::move(*tokens), disk);
  stop_logging();
  return status;
}

} // namespace

int main(int argc, char** argv) {
  shutdown_signal signal;
  auto loaded = load_config(argc, argv, process_environment(), disk_reader());
  if (auto* errors = std::get_if<std::vector<config_error>>(&loaded)) {
    for (const auto& error : *errors)
      std::cerr << "rollcalld: " << to_string(error) << '\n';
    return 2;
  }
  const auto& told = std::get<parsed_command_line>(loaded);
  switch (told.what) {
  case parsed_command_line::action::help:
    std::cout << help_text();
    return 0;
  case parsed_command_line::action::version:
    std::cout << "rollcalld " << ROLLCALL_VERSION << '\n';
    return 0;
  case parsed_command_line::action::print_default_config:
    std::cout << default_config_text();
    return 0;
  case parsed_command_line::action::check_config:
    std::cout << "ok\n";
    return 0;
  case parsed_command_line::action::run:
    break;
  }
  return run(told, signal);
}
