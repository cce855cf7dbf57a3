// kill -9 in the middle of commits: whatever was answered is there after the
// restart, and the store is a prefix of what was asked for. (A killed process
// leaves the kernel's cache alive: the sync itself is not on trial here.)

#include "persistence/embedded_journal.hpp"
#include "persistence/rocksdb_store.hpp"
#include "persistence/store_actor.hpp"
#include "persistence/store_reader.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rollcall {

namespace {

namespace fs = std::filesystem;

constexpr partition_id partitions = 4;
constexpr int lanes = 16;
constexpr const char* directory_variable = "ROLLCALL_CRASH_DIRECTORY";

/// A record that says which commit it came with.
record numbered(partition_id partition, std::uint64_t number) {
  session_record out;
  out.key
    = {namespace_id{"crash"}, session_id{"p" + std::to_string(partition)}};
  out.at = {1, number};
  return out;
}

record trail(partition_id partition, std::uint64_t number) {
  audit_record out;
  out.session = std::get<session_record>(numbered(partition, number)).key;
  out.at = {1, number};
  return out;
}

// One answered commit on the pipe; a line of this size is written whole.
void report(partition_id partition, std::uint64_t number) {
  auto line = std::to_string(partition) + " " + std::to_string(number) + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size())
      != static_cast<ssize_t>(line.size()))
    std::_Exit(3);
}

// The state each partition has: everything up to and including `last`.
std::map<partition_id, std::uint64_t> examine(store& disk) {
  std::map<partition_id, std::uint64_t> last;
  for (partition_id partition = 0; partition < partitions; ++partition) {
    auto key = std::get<session_record>(numbered(partition, 0)).key;
    auto stored = read_session(disk, partition, key);
    EXPECT_TRUE(stored);
    last[partition] = stored->session ? stored->session->at.rev : 0;
    auto keys = read_keys(disk, partition, key, 1'000'000);
    EXPECT_TRUE(keys);
    // Every commit left one audit entry, and the first also the session.
    auto entries = keys->keys.size() - (stored->session ? 1 : 0);
    EXPECT_EQ(entries, last[partition]) << "the store is not a prefix";
  }
  return last;
}

class child_process {
public:
  explicit child_process(const fs::path& directory) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      throw std::runtime_error{"pipe2"};
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::setenv(directory_variable, directory.c_str(), 1);
      ::execl("/proc/self/exe", "crash_child", "--gtest_brief=1",
              "--gtest_also_run_disabled_tests",
              "--gtest_filter=StoreCrash.DISABLED_Child",
              static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(ends[1]);
    from_ = ends[0];
  }

  ~child_process() {
    kill();
    ::close(from_);
  }

  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  /// Reads what has been answered until `deadline`; false when the child has
  /// ended before.
  bool listen(std::chrono::steady_clock::time_point deadline) {
    while (true) {
      auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0)
        return true;
      pollfd waiting{from_, POLLIN, 0};
      if (::poll(&waiting, 1, static_cast<int>(left.count())) > 0 && !read())
        return false;
    }
  }

  void kill() {
    if (pid_ <= 0)
      return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
    while (read())
      continue;
  }

  /// The highest commit answered per partition.
  const std::map<partition_id, std::uint64_t>& answered() const {
    return answered_;
  }

  bool heard() const {
    return !answered_.empty();
  }

private:
  bool read() {
    char chunk[4'096];
    auto got = ::read(from_, chunk, sizeof chunk);
    if (got <= 0)
      return false;
    text_.append(chunk, static_cast<std::size_t>(got));
    for (auto end = text_.find('\n'); end != std::string::npos;
         end = text_.find('\n')) {
      auto line = text_.substr(0, end);
      text_.erase(0, end + 1);
      unsigned long long partition = 0;
      unsigned long long number = 0;
      if (std::sscanf(line.c_str(), "%llu %llu", &partition, &number) == 2) {
        auto& last = answered_[static_cast<partition_id>(partition)];
        last = std::max<std::uint64_t>(last, number);
      }
    }
    return true;
  }

  pid_t pid_ = 0;
  int from_ = -1;
  std::string text_;
  std::map<partition_id, std::uint64_t> answered_;
};

} // namespace

// Run by the test below, in a process of its own, until it is killed.
TEST(StoreCrash, DISABLED_Child) {
  const char* directory = std::getenv(directory_variable);
  ASSERT_NE(directory, nullptr);
  auto opened = rocksdb_store::open({directory});
  ASSERT_TRUE(opened) << opened.error().message;
  std::shared_ptr<store> disk = *opened;
  auto next = examine(*disk);
  caf::actor_system_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  auto subject
    = spawn_store(system, disk, std::make_shared<embedded_journal>(disk));
  std::map<partition_id, epoch_t> epochs;
  for (partition_id partition = 0; partition < partitions; ++partition)
    self
      ->request(subject, std::chrono::seconds{10},
                std::make_shared<const open_partition>(
                  open_partition{partition, {"child", 1}}))
      .receive(
        [&](const opened_ptr& got) { epochs[partition] = (*got)->epoch; },
        [](const caf::error&) { std::_Exit(4); });
  // Many in flight, so that groups form; answers are taken in order.
  while (true) {
    std::vector<std::function<void()>> takes;
    for (int lane = 0; lane < lanes; ++lane) {
      auto partition = static_cast<partition_id>(lane) % partitions;
      auto number = ++next[partition];
      auto handle = self->request(
        subject, std::chrono::seconds{10},
        std::make_shared<const commit>(
          commit{partition,
                 epochs[partition],
                 {numbered(partition, number), trail(partition, number)}}));
      auto shared = std::make_shared<decltype(handle)>(std::move(handle));
      takes.emplace_back([shared, partition, number] {
        std::move(*shared).receive(
          [&](const committed_ptr& got) {
            if (!got->ok())
              std::_Exit(5);
            report(partition, number);
          },
          [](const caf::error&) { std::_Exit(6); });
      });
    }
    for (auto& take : takes)
      take();
  }
}

TEST(StoreCrash, KeepsEverythingAnsweredAndIsAPrefix) {
  auto pattern = (fs::temp_directory_path() / "rollcall-crash-XXXXXX").string();
  fs::path directory = ::mkdtemp(pattern.data());
  std::random_device entropy;
  auto seed = entropy();
  std::mt19937 random{seed};
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::uint64_t answers = 0;
  for (int round = 0; round < 8; ++round) {
    child_process child{directory};
    auto start = std::chrono::steady_clock::now();
    auto patience = start + std::chrono::seconds{20};
    while (!child.heard() && std::chrono::steady_clock::now() < patience
           && child.listen(std::chrono::steady_clock::now()
                           + std::chrono::milliseconds{5}))
      continue;
    ASSERT_TRUE(child.heard()) << "the child never answered a commit";
    EXPECT_TRUE(child.listen(std::chrono::steady_clock::now()
                             + std::chrono::milliseconds{random() % 200}))
      << "the child ended by itself";
    child.kill();
    auto opened = rocksdb_store::open({directory});
    ASSERT_TRUE(opened) << opened.error().message;
    auto last = examine(**opened);
    for (const auto& [partition, number] : child.answered()) {
      EXPECT_GE(last[partition], number) << "an answered commit is lost";
      answers = std::max(answers, number);
    }
  }
  EXPECT_GT(answers, 8u);
  fs::remove_all(directory);
}

} // namespace rollcall
