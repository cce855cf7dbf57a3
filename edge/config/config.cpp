#include "edge/config/config.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rollcall::edge {

namespace {

bool is_ip(int family, const std::string& address,
           std::array<unsigned char, 16>& bytes) noexcept {
  return inet_pton(family, address.c_str(), bytes.data()) == 1;
}

// Closes a descriptor that std::ifstream would not let us fstat.
class open_file {
public:
  explicit open_file(const std::string& path)
    : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    // nop
  }

  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  ~open_file() {
    if (descriptor_ >= 0)
      ::close(descriptor_);
  }

  [[nodiscard]] int descriptor() const noexcept {
    return descriptor_;
  }

private:
  int descriptor_;
};

failure system_failure(int error) {
  return fail(errc::unavailable,
              "cannot be read: " + std::generic_category().message(error));
}

result<file_data> read_from_disk(const std::string& path, std::size_t limit) {
  const open_file file{path};
  struct stat info {};
  if (file.descriptor() < 0 || fstat(file.descriptor(), &info) != 0)
    return system_failure(errno);
  if (!S_ISREG(info.st_mode))
    return fail(errc::unavailable, "is not a regular file");
  file_data out;
  out.others_may_read = (info.st_mode & S_IROTH) != 0;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto got = ::read(file.descriptor(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return system_failure(errno);
    if (got == 0)
      return out;
    out.bytes.append(buffer.data(), static_cast<std::size_t>(got));
    if (out.bytes.size() > limit)
      return fail(errc::too_large,
                  "is larger than " + std::to_string(limit) + " bytes");
  }
}

} // namespace

std::string to_string(const endpoint& where) {
  const auto port = ':' + std::to_string(where.port);
  if (where.address.find(':') == std::string::npos)
    return where.address + port;
  return '[' + where.address + ']' + port;
}

std::optional<endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return std::nullopt;
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  endpoint out;
  auto [end, error]
    = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (digits.empty() || error != std::errc{}
      || end != digits.data() + digits.size())
    return std::nullopt;
  auto family = AF_INET;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    family = AF_INET6;
  }
  out.address = host;
  std::array<unsigned char, 16> bytes{};
  // A NUL would end the text early for inet_pton.
  if (out.address.find('\0') != std::string::npos
      || !is_ip(family, out.address, bytes))
    return std::nullopt;
  return out;
}

bool is_loopback(const endpoint& where) noexcept {
  std::array<unsigned char, 16> bytes{};
  if (is_ip(AF_INET, where.address, bytes))
    return bytes[0] == 127;
  return is_ip(AF_INET6, where.address, bytes) && bytes[15] == 1
         && std::all_of(bytes.begin(), bytes.end() - 1,
                        [](auto byte) { return byte == 0; });
}

thread_counts thread_counts_for(const node_config& config,
                                std::uint32_t cores) noexcept {
  thread_counts out;
  out.io = config.server.io_threads != 0 ? config.server.io_threads
                                         : std::max(1U, cores / 2);
  out.workers = config.engine.worker_threads != 0
                  ? config.engine.worker_threads
                  : std::max(2U, cores - cores / 2);
  return out;
}

std::string to_string(const config_error& error) {
  auto out = error.source;
  if (error.line != 0)
    out += ':' + std::to_string(error.line);
  if (!error.key.empty())
    out += (out.empty() ? "" : ": ") + error.key;
  return out + (out.empty() ? "" : ": ") + error.message;
}

environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    if (const char* value = std::getenv(name.c_str()))
      return value;
    return std::nullopt;
  };
}

file_reader disk_reader() {
  return read_from_disk;
}

} // namespace rollcall::edge
