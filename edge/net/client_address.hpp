#pragma once

// Where clients come from, and how many come from there.

#include "actors/base/limits.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

struct sockaddr;

namespace rollcall::edge {

/// A client's IP address; IPv4 is kept as mapped IPv6.
struct client_address {
  std::array<unsigned char, 16> bytes{};

  /// Reads an AF_INET or AF_INET6 address; anything else is all zeroes.
  [[nodiscard]] static client_address from(const sockaddr& address) noexcept;

  /// What limits count by: an IPv4 address, or the /64 of an IPv6 one (a
  /// subscriber is given no less).
  [[nodiscard]] client_address network() const noexcept;

  /// As people write it, without port.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const client_address&, const client_address&)
    = default;
};

/// How many connections each network has. Shared by all loops; thread-safe.
/// Bounded by limits::tracked_addresses: beyond it strangers are refused.
class address_table {
public:
  enum class verdict : std::uint8_t {
    admitted,
    /// Counted, and to be told so (HTTP 429).
    over_limit,
    /// Not counted: to be dropped without a word.
    flooding,
  };

  /// `limit` connections per network; as many as `slack` more are counted to
  /// be answered.
  explicit address_table(std::size_t limit, std::size_t slack = 64)
    : limit_(limit), slack_(slack) {
    // nop
  }

  [[nodiscard]] verdict enter(const client_address& address);

  /// Undoes an `enter` that counted.
  void leave(const client_address& address);

  [[nodiscard]] std::size_t networks() const;

private:
  struct hash {
    std::size_t operator()(const client_address& key) const noexcept;
  };

  std::size_t limit_;
  std::size_t slack_;
  mutable std::mutex mutex_;
  std::unordered_map<client_address, std::size_t, hash> counts_;
};

} // namespace rollcall::edge
