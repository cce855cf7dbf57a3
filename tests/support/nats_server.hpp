#pragma once

// A nats-server of a test's own: on loopback, with JetStream in a folder that
// goes with it.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace rollcall::test {

/// Starts nats-server, the one that NATS_SERVER names or Debian's, and waits
/// until it is ready; throws std::runtime_error when it does not become so. The
/// process dies with this object and with the test. Owned by one thread.
class nats_server {
public:
  /// `more` is put at the end of the server's configuration.
  explicit nats_server(std::string more = {});
  ~nats_server();

  nats_server(const nats_server&) = delete;
  nats_server& operator=(const nats_server&) = delete;

  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::uint16_t port() const noexcept;

  /// Where JetStream keeps its files.
  [[nodiscard]] const std::filesystem::path& folder() const noexcept;

  /// The process ends at once (SIGKILL) or orderly (SIGTERM).
  void kill();
  void terminate();

  /// Starts again after `kill` or `terminate`, with the same port and files.
  void start();

  /// The same with another end of its configuration.
  void start(std::string more);

  /// The process stands still and goes on (SIGSTOP, SIGCONT).
  void pause();
  void resume();

  /// The last lines that the server logged.
  [[nodiscard]] std::string log_tail();

private:
  void write_config() const;
  void launch();
  void end(int signal);
  void drain(int pipe);

  std::filesystem::path folder_;
  std::string more_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
  std::thread drainer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_ = false;
  bool gone_ = false;
  std::deque<std::string> lines_;
};

/// Several servers that know each other. They need seconds to agree on who
/// leads; wait for what is to be done, not for that.
class nats_cluster {
public:
  explicit nats_cluster(std::size_t count);

  [[nodiscard]] nats_server& at(std::size_t index);
  [[nodiscard]] std::vector<std::string> urls() const;

private:
  std::vector<std::unique_ptr<nats_server>> servers_;
};

} // namespace rollcall::test
