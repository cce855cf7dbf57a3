#include "tests/bench/load/server_usage.hpp"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

namespace rollcall::bench {

namespace {

double seconds(clockid_t clock) {
  timespec t{};
  if (::clock_gettime(clock, &t) != 0)
    return 0;
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

void collect(pid_t pid, std::vector<pid_t>& out) {
  out.push_back(pid);
  std::error_code ignored;
  std::filesystem::directory_iterator tasks{
    "/proc/" + std::to_string(pid) + "/task", ignored};
  for (const auto& task : tasks) {
    std::ifstream children{task.path() / "children"};
    pid_t child = 0;
    while (children >> child)
      collect(child, out);
  }
}

std::vector<pid_t> tree(pid_t root) {
  std::vector<pid_t> out;
  collect(root, out);
  return out;
}

/// The number behind `label` in a file of /proc; 0 when it is not there.
std::int64_t number_after(const std::string& path, const std::string& label) {
  std::ifstream file{path};
  std::string word;
  std::int64_t value = 0;
  while (file >> word)
    if (word == label && file >> value)
      return value;
  return 0;
}

std::int64_t tcp_pages() {
  std::ifstream file{"/proc/net/sockstat"};
  std::string word;
  while (file >> word)
    if (word == "TCP:")
      break;
  std::int64_t pages = 0;
  while (file >> word)
    if (word == "mem" && file >> pages)
      return pages;
  return 0;
}

} // namespace

double cpu_seconds(pid_t root) {
  double sum = 0;
  for (auto pid : tree(root)) {
    clockid_t clock{};
    if (::clock_getcpuclockid(pid, &clock) == 0)
      sum += seconds(clock);
  }
  return sum;
}

double own_cpu_seconds() {
  return seconds(CLOCK_PROCESS_CPUTIME_ID);
}

memory_usage memory_of(pid_t root) {
  memory_usage out;
  for (auto pid : tree(root))
    out.user_bytes
      += 1024
         * number_after("/proc/" + std::to_string(pid) + "/smaps_rollup",
                        "Anonymous:");
  out.socket_bytes = tcp_pages() * ::sysconf(_SC_PAGESIZE);
  out.slab_bytes = 1024 * number_after("/proc/meminfo", "Slab:");
  return out;
}

} // namespace rollcall::bench
