#pragma once

// Which web pages may open a socket (cross-site WebSocket hijacking).

#include "actors/base/errors.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::edge {

/// A web origin (RFC 6454): scheme, host and port, the port always explicit.
struct web_origin {
  std::string scheme;
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const web_origin&, const web_origin&) = default;
};

/// Reads `http[s]://host[:port]`, strictly: no user info, path, query,
/// wildcard or `null`. Scheme and host compare in lower case.
[[nodiscard]] std::optional<web_origin> parse_origin(std::string_view text);

/// Exact matches only; pages served by this host itself are always allowed.
/// Immutable after construction, so safe on any thread.
class origin_policy {
public:
  origin_policy() = default;

  /// Refuses entries that are not origins and names the entry.
  [[nodiscard]] static result<origin_policy>
  make(const std::vector<std::string>& allowed);

  /// `origin` as sent, if it was; `host` is the request's Host header.
  /// Without an Origin the client is no browser and is allowed. `secure`
  /// says that we terminate TLS: then `http:` pages of the same host are
  /// strangers.
  [[nodiscard]] bool admits(std::optional<std::string_view> origin,
                            std::string_view host, bool secure) const;

private:
  std::vector<web_origin> allowed_;
};

} // namespace rollcall::edge
