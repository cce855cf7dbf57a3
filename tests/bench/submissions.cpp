// How many submissions a second one node commits: 64 sessions over 64
// partitions, RocksDB underneath, every answer awaited. The senders keep a
// fixed number of submissions under way in each session, as many clients
// would.
//
//   bench_submissions [seconds] [sessions] [in flight per session]

#include "actors/base/hash.hpp"
#include "actors/interfaces.hpp"
#include "cluster/local_bus.hpp"
#include "cluster/partition_actor.hpp"
#include "cluster/router_actor.hpp"
#include "persistence/embedded_journal.hpp"
#include "persistence/rocksdb_store.hpp"
#include "persistence/store_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace rollcall;

namespace {

constexpr std::uint32_t partition_count = 64;
constexpr std::uint64_t users = 256;

struct figures {
  std::atomic<std::uint64_t> committed{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> waited_us{0};
  std::atomic<bool> over{false};
};

session_key key_of(std::uint64_t number) {
  return {namespace_id{"default"}, session_id{"s" + std::to_string(number)}};
}

command_ptr make(const session_key& session, const std::string& user,
                 std::uint64_t connection, command_body body) {
  auto out = std::make_shared<command>();
  out->session = session;
  out->edge = {"bench", 1};
  out->connection = {1, connection};
  out->caller.user = user_id{user};
  out->caller.participant
    = make_participant_id("secret", session.ns, out->caller.user);
  out->caller.grants = default_grants | capability_set{capability::create};
  out->body = std::move(body);
  return out;
}

/// What a participant of a meeting sends.
datum an_answer(std::uint64_t turn) {
  datum::fields shares;
  for (int i = 0; i < 3; ++i)
    shares.emplace_back("u" + std::to_string((turn + 1 + i) % users),
                        datum{std::int64_t{20}});
  std::sort(shares.begin(), shares.end(),
            [](auto& a, auto& b) { return a.first < b.first; });
  return {datum::fields{{"contributions", {std::move(shares)}},
                        {"score", {std::int64_t(turn % 100)}}}};
}

round_rules vote() {
  answer_rule root;
  root.below = 3;
  answer_rule score;
  score.name = "score";
  score.type = answer_type::integer;
  score.least = 0;
  score.most = 100;
  answer_rule shares;
  shares.name = "contributions";
  shares.type = answer_type::participants;
  shares.sum_most = 100;
  shares.below = 1;
  answer_rule share;
  share.type = answer_type::number;
  share.least = 0;
  share.most = 100;
  round_rules out{{root, score, shares, share}};
  out.revise = true;
  return out;
}

/// One session's senders, as one actor: it is the load, not what is measured.
struct sender {
  router_actor router;
  std::shared_ptr<figures> count;
  session_key session;
  std::uint64_t turn = 0;
};

using sender_ptr = caf::stateful_actor<sender>*;

void send_one(sender_ptr self) {
  auto& s = self->state;
  if (s.count->over)
    return;
  auto user = s.turn++ % users;
  auto asked = make(s.session, "u" + std::to_string(user), user,
                    submit_command{"vote", an_answer(s.turn)});
  auto begin = std::chrono::steady_clock::now();
  self->request(s.router, std::chrono::seconds{30}, asked)
    .then(
      [self, begin](const reply_ptr& answer) {
        auto& st = self->state;
        auto waited = std::chrono::steady_clock::now() - begin;
        st.count->waited_us
          += std::chrono::duration_cast<std::chrono::microseconds>(waited)
               .count();
        ++(answer->ok() ? st.count->committed : st.count->refused);
        send_one(self);
      },
      [self](const caf::error&) {
        ++self->state.count->refused;
        send_one(self);
      });
}

caf::behavior sending(sender_ptr self, router_actor router,
                      std::shared_ptr<figures> count, session_key session,
                      std::uint64_t in_flight) {
  self->state = {std::move(router), std::move(count), std::move(session)};
  for (std::uint64_t i = 0; i < in_flight; ++i)
    send_one(self);
  return {[](int) {}};
}

bool prepare(caf::scoped_actor& self, const router_actor& router,
             const session_key& session) {
  bool good = true;
  auto ask = [&](const command_ptr& asked) {
    self->request(router, std::chrono::seconds{30}, asked)
      .receive([&](const reply_ptr& answer) { good = good && answer->ok(); },
               [&](const caf::error&) { good = false; });
  };
  ask(make(session, "owner", 99'999, create_command{"board", {}}));
  settings_patch room;
  room.capacity = 0;
  ask(make(session, "owner", 99'999, configure_command{room}));
  for (std::uint64_t user = 0; user < users; ++user)
    ask(make(session, "u" + std::to_string(user), user, join_command{}));
  ask(make(session, "owner", 99'999, open_round_command{"vote", vote()}));
  return good;
}

} // namespace

int main(int argc, char** argv) {
  auto number = [&](int at, std::uint64_t fallback) {
    return argc > at ? std::strtoull(argv[at], nullptr, 10) : fallback;
  };
  auto seconds = number(1, 10);
  auto sessions = number(2, 64);
  auto in_flight = number(3, 16);
  auto folder = std::filesystem::temp_directory_path()
                / ("rollcall-submissions-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  caf::actor_system_config config;
  config.set("caf.scheduler.policy", "sharing");
  config.set("caf.scheduler.max-throughput", 50);
  std::uint64_t committed = 0;
  {
    caf::actor_system system{config};
    auto disk = rocksdb_store::open({folder.string()});
    if (!disk) {
      std::fprintf(stderr, "no store: %s\n", disk.error().message.c_str());
      return 1;
    }
    std::shared_ptr<store> kept = std::move(*disk);
    auto store
      = spawn_store(system, kept, std::make_shared<embedded_journal>(kept));
    auto bus = std::make_shared<cluster::local_bus>(
      std::make_shared<cluster::local_exchange>());
    std::atomic<std::uint64_t> batches{0};
    bus->open({"bench", 1}, [&](const node_id&, node_message message) {
      batches += std::holds_alternative<batch_ptr>(message) ? 1 : 0;
    });
    auto rules = std::make_shared<session_rules>();
    rules->kinds.assign(preset_kinds().begin(), preset_kinds().end());
    rules->id_secret = "secret";
    std::vector<partition_actor> partitions;
    std::vector<std::future<bool>> ready;
    for (partition_id p = 0; p < partition_count; ++p) {
      auto told = std::make_shared<std::promise<bool>>();
      ready.push_back(told->get_future());
      cluster::partition_env env;
      env.sessions.rules = rules;
      env.sessions.store = store;
      env.sessions.bus = bus;
      env.partition = p;
      env.self = {"bench", 1};
      env.ready
        = [told](const result<epoch_t>& epoch) { told->set_value(epoch.ok()); };
      partitions.push_back(cluster::spawn_partition(system, env));
    }
    for (auto& one : ready)
      if (!one.get())
        return 1;
    auto router = cluster::spawn_router(system, partitions);
    auto count = std::make_shared<figures>();
    {
      caf::scoped_actor self{system};
      for (std::uint64_t i = 0; i < sessions; ++i) {
        if (!prepare(self, router, key_of(i))) {
          std::fprintf(stderr, "a session could not be made\n");
          return 1;
        }
        self->send(router, note_ptr{std::make_shared<const note>(
                             note{key_of(i), {"bench", 1}, observe_note{}})});
      }
    }
    for (std::uint64_t i = 0; i < sessions; ++i)
      system.spawn(sending, router, count, key_of(i), in_flight);
    std::this_thread::sleep_for(std::chrono::seconds{1});
    auto before = count->committed.load();
    auto waited = count->waited_us.load();
    auto told = batches.load();
    auto cpu = std::clock();
    auto begin = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::chrono::seconds{seconds});
    std::chrono::duration<double> took
      = std::chrono::steady_clock::now() - begin;
    committed = count->committed - before;
    auto used = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
    std::printf(
      "%llu sessions, %llu in flight each: %.0f committed "
      "submissions/s, %.1f ms each, %llu refused, %.1f us of CPU "
      "each with their senders, %.0f batches/s\n",
      static_cast<unsigned long long>(sessions),
      static_cast<unsigned long long>(in_flight),
      static_cast<double>(committed) / took.count(),
      static_cast<double>(count->waited_us - waited)
        / static_cast<double>(std::max<std::uint64_t>(committed, 1)) / 1'000,
      static_cast<unsigned long long>(count->refused.load()),
      used * 1e6 / static_cast<double>(std::max<std::uint64_t>(committed, 1)),
      static_cast<double>(batches - told) / took.count());
    count->over = true;
    std::this_thread::sleep_for(std::chrono::seconds{1});
    caf::anon_send_exit(router, caf::exit_reason::user_shutdown);
    for (auto& one : partitions)
      caf::anon_send(one, atoms::yield::value);
    router = nullptr;
    partitions.clear();
    caf::anon_send(store, atoms::stop::value);
    store = nullptr;
    bus->close();
  }
  std::filesystem::remove_all(folder);
  return committed == 0 ? 1 : 0;
}
