// How long a node alone takes from opening a store until all its partitions
// are claimed and everybody who was present is back.
//
//   bench_restart [members] [participants] [sessions] [stays a session]
//
// Fills a store in a directory of its own first; that is not counted. The
// files are in the page cache afterwards: it is the start after a crash of the
// process, not of the machine.

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "cluster/local_bus.hpp"
#include "cluster/partition_actor.hpp"
#include "persistence/embedded_journal.hpp"
#include "persistence/migrations.hpp"
#include "persistence/record_format.hpp"
#include "persistence/rocksdb_store.hpp"
#include "persistence/store_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

using namespace rollcall;
using clock_type = std::chrono::steady_clock;

constexpr std::uint32_t partitions = limits::partitions_default;

struct load {
  std::size_t members = 1'000'000;
  std::size_t participants = 100'000;
  std::size_t sessions = 1'000;
  std::size_t stays = 200;
};

double seconds_since(clock_type::time_point begin) {
  return std::chrono::duration<double>(clock_type::now() - begin).count();
}

// Writes records in batches, each to its partition.
class filler {
public:
  explicit filler(store& disk) : disk_(disk) {
    // nop
  }

  void add(partition_id home, const record& value) {
    auto& group = groups_[home];
    group.partition = home;
    group.at = {1, 1, epoch_generation_unit + 1, 7};
    auto items = encode(value, home);
    if (!items)
      std::abort();
    for (auto& one : *items)
      group.records.push_back(std::move(one));
    if (++count_ % 20'000 == 0)
      flush();
  }

  void flush() {
    for (auto& [home, group] : groups_)
      if (auto written = disk_.write({&group, 1}); !written) {
        std::fprintf(stderr, "%s\n", written.error().message.c_str());
        std::exit(1);
      }
    groups_.clear();
  }

private:
  store& disk_;
  std::map<partition_id, applied_records> groups_;
  std::size_t count_ = 0;
};

roster_entry entry_of(const std::string& user, std::uint64_t number) {
  roster_entry out;
  out.user = user_id{user};
  out.who.name = "Person " + user;
  out.joined = {epoch_generation_unit + 1, 1'000'000 + number};
  out.since = millis{1'700'000'000'000};
  out.grants = default_grants;
  out.connections = {{{7, number + 1}, {"node1", 1}}};
  return out;
}

void fill_session(filler& out, const load& what, std::size_t number) {
  session_key key{namespace_id{"default"},
                  session_id{"session-" + std::to_string(number)}};
  auto home = partition_of(key, partitions);
  session_record session;
  session.key = key;
  session.kind = "party";
  session.created_by = user_id{"owner"};
  session.created_at = millis{1'700'000'000'000};
  session.at = {epoch_generation_unit + 1, 2'000'000};
  out.add(home, session);
  auto members = what.members / what.sessions;
  auto present = what.participants / what.sessions;
  for (std::size_t i = 0; i < members; ++i) {
    member_record known;
    known.session = key;
    known.user = user_id{"user-" + std::to_string(i)};
    known.who.name = "Person " + std::to_string(i);
    known.admitted = {epoch_generation_unit + 1, i + 1};
    known.at = known.admitted;
    out.add(home, known);
  }
  std::size_t done = 0;
  for (std::uint32_t page = 0; done < present; ++page) {
    roster_page one;
    one.session = key;
    one.number = page;
    one.at = session.at;
    auto room
      = page == 0 ? limits::first_page_participants : limits::page_participants;
    for (; done < present && one.entries.size() < room; ++done)
      one.entries.push_back(
        entry_of("user-" + std::to_string(done), number * present + done));
    out.add(home, one);
  }
  out.add(home, occupied_mark{key, present > 0});
  for (std::size_t i = 0; i < what.stays; ++i) {
    interval_record closed;
    closed.session = key;
    closed.user = user_id{"user-" + std::to_string(present + i % 50)};
    closed.joined = {epoch_generation_unit + 1, i + 1};
    closed.from = millis{1'700'000'000'000};
    closed.until = closed.from + millis{60'000};
    closed.reconnections = static_cast<std::uint32_t>(i / 50);
    out.add(home, closed);
  }
}

void fill(const std::filesystem::path& where, const load& what) {
  auto disk = rocksdb_store::open({where});
  if (!disk || !migrate(**disk))
    std::exit(1);
  filler out{**disk};
  for (std::size_t i = 0; i < what.sessions; ++i)
    fill_session(out, what, i);
  out.flush();
}

/// All partitions of one node alone; returns when they are ready.
void start(caf::actor_system& system, const store_actor& store,
           std::vector<partition_actor>& all) {
  auto rules = std::make_shared<session_rules>();
  rules->kinds.assign(preset_kinds().begin(), preset_kinds().end());
  rules->id_secret = "0123456789abcdef0123456789abcdef";
  cluster::partition_env env;
  env.sessions.rules = rules;
  env.sessions.store = store;
  env.sessions.bus = std::make_shared<cluster::local_bus>(
    std::make_shared<cluster::local_exchange>());
  env.self = {"node1", 2};
  std::vector<std::future<result<epoch_t>>> ready;
  for (partition_id p = 0; p < partitions; ++p) {
    auto told = std::make_shared<std::promise<result<epoch_t>>>();
    ready.push_back(told->get_future());
    env.partition = p;
    env.ready
      = [told](const result<epoch_t>& epoch) { told->set_value(epoch); };
    all.push_back(cluster::spawn_partition(system, env));
  }
  for (auto& one : ready)
    if (!one.get())
      std::exit(1);
}

double measure(const std::filesystem::path& where) {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  caf::actor_system system{config};
  auto begin = clock_type::now();
  auto disk = rocksdb_store::open({where});
  if (!disk || !migrate(**disk))
    std::exit(1);
  auto store
    = spawn_store(system, *disk, std::make_shared<embedded_journal>(*disk));
  std::vector<partition_actor> all;
  start(system, store, all);
  auto took = seconds_since(begin);
  for (auto& one : all)
    caf::anon_send_exit(one, caf::exit_reason::kill);
  caf::anon_send(store, atoms::stop::value);
  return took;
}

} // namespace

int main(int argc, char** argv) {
  load what;
  auto read = [&](int at, std::size_t& into) {
    if (argc > at)
      into = std::strtoull(argv[at], nullptr, 10);
  };
  read(1, what.members);
  read(2, what.participants);
  read(3, what.sessions);
  read(4, what.stays);
  auto where = std::filesystem::temp_directory_path()
               / ("rollcall-restart-" + std::to_string(::getpid()));
  fill(where, what);
  auto took = measure(where);
  std::printf("restart_seconds %.2f  (%zu members, %zu participants, %zu "
              "sessions, %zu stays each)\n",
              took, what.members, what.participants, what.sessions, what.stays);
  std::filesystem::remove_all(where);
  return took <= 5 ? 0 : 1;
}
