#include "cluster/nats_greeting.hpp"

#include <netdb.h>
#include <rapidjson/document.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace rollcall::cluster {

namespace {

constexpr std::string_view greeting_word = "INFO ";
constexpr std::size_t line_most = std::size_t{64} << 10;
constexpr std::string_view default_port = "4222";

using version_numbers = std::array<int, 3>;

struct version_range {
  version_numbers first;
  version_numbers last;
};

constexpr version_numbers oldest{2, 9, 0};
constexpr version_range known_bad[] = {
  {{2, 10, 20}, {2, 10, 22}},
  {{2, 12, 7}, {2, 12, 9}},
  {{2, 14, 0}, {2, 14, 1}},
};

std::optional<version_numbers> parse_version(std::string_view text) {
  version_numbers out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    auto [end, bad]
      = std::from_chars(text.data(), text.data() + text.size(), out.at(i));
    if (bad != std::errc{})
      return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (i + 1 < out.size()) {
      if (!text.starts_with('.'))
        return std::nullopt;
      text.remove_prefix(1);
    }
  }
  return out;
}

class socket_handle {
public:
  explicit socket_handle(int fd) : fd_(fd) {
    // nop
  }
  socket_handle(const socket_handle&) = delete;
  socket_handle& operator=(const socket_handle&) = delete;
  ~socket_handle() {
    if (fd_ >= 0)
      ::close(fd_);
  }

  [[nodiscard]] int get() const noexcept {
    return fd_;
  }

  [[nodiscard]] bool wait(short events, millis patience) const {
    pollfd at{fd_, events, 0};
    return ::poll(&at, 1, static_cast<int>(patience.count())) == 1;
  }

private:
  int fd_;
};

/// `nats://user:pass@host:port` without what is around the last two.
std::pair<std::string, std::string> host_and_port(std::string_view url) {
  if (auto scheme = url.find("://"); scheme != std::string_view::npos)
    url.remove_prefix(scheme + 3);
  if (auto user = url.rfind('@'); user != std::string_view::npos)
    url.remove_prefix(user + 1);
  url = url.substr(0, url.find('/'));
  auto colon = url.rfind(':');
  auto closing = url.rfind(']');
  auto has_port = colon != std::string_view::npos
                  && (closing == std::string_view::npos || colon > closing);
  auto host = has_port ? url.substr(0, colon) : url;
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  return {std::string{host},
          std::string{has_port ? url.substr(colon + 1) : default_port}};
}

failure nobody(const std::string& host) {
  return fail(errc::unavailable, "no NATS server answers at " + host);
}

/// A connection under way or there; negative when there is none.
int begin_connect(const addrinfo& to) {
  auto fd
    = ::socket(to.ai_family, to.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
               to.ai_protocol);
  if (fd >= 0 && ::connect(fd, to.ai_addr, to.ai_addrlen) != 0
      && errno != EINPROGRESS) {
    ::close(fd);
    return -1;
  }
  return fd;
}

} // namespace

result<done> check_greeting(const nats_greeting& of) {
  if (!of.jetstream)
    return fail(errc::bad_request,
                "the NATS server has no JetStream, where journals are kept: "
                "start it with --jetstream and a --store_dir");
  auto version = parse_version(of.version);
  if (!version)
    return fail(errc::bad_request,
                "the NATS server's version is not one: " + of.version);
  if (*version < oldest)
    return fail(errc::bad_request, "nats-server " + of.version
                                     + " is older than 2.9, which journals "
                                       "were tested with: install a later one");
  for (const auto& bad : known_bad)
    if (*version >= bad.first && *version <= bad.last)
      return fail(errc::bad_request,
                  "nats-server " + of.version
                    + " is known to lose acknowledged messages: install a "
                      "later patch of it");
  return done{};
}

result<nats_greeting> parse_greeting(std::string_view line) {
  if (!line.starts_with(greeting_word))
    return fail(errc::bad_request, "what answers is not a NATS server");
  line.remove_prefix(greeting_word.size());
  rapidjson::Document whole;
  whole.Parse(line.data(), line.size());
  const auto& from = whole;
  if (whole.HasParseError() || !from.IsObject())
    return fail(errc::bad_request, "the NATS server's greeting is not JSON");
  nats_greeting out;
  if (auto at = from.FindMember("version");
      at != from.MemberEnd() && at->value.IsString())
    out.version = at->value.GetString();
  if (auto at = from.FindMember("jetstream");
      at != from.MemberEnd() && at->value.IsBool())
    out.jetstream = at->value.GetBool();
  return out;
}

result<nats_greeting> ask_greeting(const std::string& url, millis patience) {
  auto [host, port] = host_and_port(url);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0)
    return nobody(host);
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses{
    found, &::freeaddrinfo};
  for (const auto* to = addresses.get(); to != nullptr; to = to->ai_next) {
    socket_handle at{begin_connect(*to)};
    std::string line;
    // Readable, or closed, or refused: a read tells.
    while (at.get() >= 0 && line.size() < line_most
           && at.wait(POLLIN, patience)) {
      std::array<char, 4'096> some{};
      auto count = ::recv(at.get(), some.data(), some.size(), 0);
      if (count <= 0)
        break;
      line.append(some.data(), static_cast<std::size_t>(count));
      if (auto end = line.find("\r\n"); end != std::string::npos)
        return parse_greeting(std::string_view{line}.substr(0, end));
    }
  }
  return nobody(host);
}

} // namespace rollcall::cluster
