#include "tests/support/nats_server.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rollcall::test {

namespace {

constexpr std::chrono::seconds start_patience{15};
constexpr int start_tries = 5;
constexpr std::size_t lines_kept = 64;

std::uint16_t free_port() {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  auto* raw = reinterpret_cast<sockaddr*>(&at);
  if (fd < 0 || ::bind(fd, raw, size) != 0
      || ::getsockname(fd, raw, &size) != 0)
    throw std::runtime_error("no free port");
  ::close(fd);
  return ntohs(at.sin_port);
}

std::filesystem::path make_folder() {
  auto pattern
    = (std::filesystem::temp_directory_path() / "rollcall-nats-XXXXXX")
        .string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw std::runtime_error("no temporary folder");
  return pattern;
}

// Whether all threads of a process stand still.
bool is_stopped(pid_t pid) {
  auto tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& one : std::filesystem::directory_iterator{tasks}) {
    std::ifstream in{one.path() / "stat"};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    // The state follows the name, which is in parentheses.
    auto name_end = text.rfind(')');
    if (name_end == std::string::npos || text.substr(name_end + 2, 1) != "T")
      return false;
  }
  return true;
}

// After fork: nothing that locks or allocates.
[[noreturn]] void become_server(const char* named, const char* config, int log,
                                pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent)
    ::_exit(126);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  if (named != nullptr) {
    ::execl(named, named, "-c", config, nullptr);
  } else {
    ::execlp("nats-server", "nats-server", "-c", config, nullptr);
    // Not in everybody's PATH on Debian.
    ::execl("/usr/sbin/nats-server", "nats-server", "-c", config, nullptr);
  }
  static constexpr char text[] = "nats-server cannot be started\n";
  (void)!::write(STDERR_FILENO, text, sizeof(text) - 1);
  ::_exit(127);
}

} // namespace

nats_server::nats_server(std::string more)
  : folder_(make_folder()), more_(std::move(more)) {
  for (int left = start_tries;; --left) {
    // Somebody else may take the port before the server does.
    port_ = free_port();
    try {
      start();
      return;
    } catch (const std::runtime_error&) {
      if (left > 1)
        continue;
      std::filesystem::remove_all(folder_);
      throw;
    }
  }
}

nats_server::~nats_server() {
  end(SIGKILL);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string nats_server::url() const {
  return "nats://127.0.0.1:" + std::to_string(port_);
}

std::uint16_t nats_server::port() const noexcept {
  return port_;
}

const std::filesystem::path& nats_server::folder() const noexcept {
  return folder_;
}

void nats_server::kill() {
  end(SIGKILL);
}

void nats_server::terminate() {
  end(SIGTERM);
}

void nats_server::pause() {
  ::kill(pid_, SIGSTOP);
  // Its threads go on for a moment.
  auto until = std::chrono::steady_clock::now() + start_patience;
  while (!is_stopped(pid_) && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
}

void nats_server::resume() {
  ::kill(pid_, SIGCONT);
}

void nats_server::start() {
  if (pid_ > 0)
    return;
  write_config();
  launch();
  std::unique_lock guard{mutex_};
  changed_.wait_for(guard, start_patience, [&] { return ready_ || gone_; });
  if (ready_)
    return;
  guard.unlock();
  end(SIGKILL);
  throw std::runtime_error("nats-server does not start:\n" + log_tail());
}

void nats_server::start(std::string more) {
  more_ = std::move(more);
  start();
}

std::string nats_server::log_tail() {
  std::lock_guard guard{mutex_};
  std::string out;
  for (const auto& line : lines_)
    out += line + "\n";
  return out;
}

void nats_server::write_config() const {
  std::ofstream out{folder_ / "server.conf"};
  out << "host: \"127.0.0.1\"\nport: " << port_
      << "\njetstream {\n  store_dir: " << (folder_ / "data")
      << "\n  max_file_store: 1GB\n"
      << "  max_memory_store: 64MB\n}\n"
      << more_ << "\n";
}

void nats_server::launch() {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  auto config = (folder_ / "server.conf").string();
  auto parent = ::getpid();
  const char* named = std::getenv("NATS_SERVER");
  if (named != nullptr && *named == '\0')
    named = nullptr;
  ready_ = false;
  gone_ = false;
  pid_ = ::fork();
  if (pid_ == 0)
    become_server(named, config.c_str(), pipe[1], parent);
  ::close(pipe[1]);
  drainer_ = std::thread{[this, end = pipe[0]] { drain(end); }};
}

void nats_server::end(int signal) {
  if (pid_ <= 0)
    return;
  ::kill(pid_, signal);
  if (signal != SIGKILL)
    ::kill(pid_, SIGCONT);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
  drainer_.join();
}

void nats_server::drain(int pipe) {
  std::array<char, 4096> buffer{};
  std::string rest;
  for (;;) {
    auto got = ::read(pipe, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      break;
    rest.append(buffer.data(), static_cast<std::size_t>(got));
    std::lock_guard guard{mutex_};
    for (auto at = rest.find('\n'); at != std::string::npos;
         at = rest.find('\n')) {
      lines_.push_back(rest.substr(0, at));
      if (lines_.size() > lines_kept)
        lines_.pop_front();
      ready_ = ready_ || lines_.back().find("Server is ready") != rest.npos;
      rest.erase(0, at + 1);
    }
    changed_.notify_all();
  }
  ::close(pipe);
  std::lock_guard guard{mutex_};
  gone_ = true;
  changed_.notify_all();
}

nats_cluster::nats_cluster(std::size_t count) {
  std::vector<std::uint16_t> ports;
  std::string routes;
  for (std::size_t i = 0; i < count; ++i) {
    ports.push_back(free_port());
    routes += (i == 0 ? "\"nats://127.0.0.1:" : ", \"nats://127.0.0.1:")
              + std::to_string(ports.back()) + "\"";
  }
  for (std::size_t i = 0; i < count; ++i)
    servers_.push_back(std::make_unique<nats_server>(
      "server_name: s" + std::to_string(i)
      + "\ncluster {\n  name: test\n  listen: \"127.0.0.1:"
      + std::to_string(ports[i]) + "\"\n  routes: [" + routes + " ]\n}\n"));
}

nats_server& nats_cluster::at(std::size_t index) {
  return *servers_.at(index);
}

std::vector<std::string> nats_cluster::urls() const {
  std::vector<std::string> out;
  for (const auto& one : servers_)
    out.push_back(one->url());
  return out;
}

} // namespace rollcall::test
