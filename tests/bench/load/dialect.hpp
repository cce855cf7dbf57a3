#pragma once

// How one system is spoken to. Everything else of the load client is the same
// for all of them.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace rollcall::bench {

/// One member's place: a user, and the room it joins.
struct seat {
  std::size_t index = 0;
  std::string room;
};

/// What a dialect remembers of a connection: Rollcall's `(epoch, rev)`.
struct position {
  std::uint64_t epoch = 0;
  std::uint64_t rev = 0;
};

enum class meaning : std::uint8_t {
  /// Nothing that counts.
  other,
  /// All who are present, the reader included.
  snapshot,
  /// News of the room.
  news,
  /// The server refused, or its messages do not follow from one another.
  fault,
};

struct reading {
  meaning what = meaning::other;
  /// Text to send back; mostly empty.
  std::string reply;
};

/// Stateless but for its configuration; one for all connections.
class dialect {
public:
  virtual ~dialect() = default;

  [[nodiscard]] virtual std::string path() const {
    return "/";
  }

  /// Whole header lines for the upgrade.
  [[nodiscard]] virtual std::string headers(const seat& who) const;

  /// What to say once the WebSocket is open; may be empty.
  [[nodiscard]] virtual std::string greet(const seat& who) const;

  [[nodiscard]] virtual reading read(const seat& who, position& at,
                                     std::string_view text) const = 0;

  /// The request that makes event `number` be told to the whole room.
  [[nodiscard]] virtual std::string event(const seat& who,
                                          std::size_t number) const = 0;

  /// The sign of life the client owes; empty when the server asks for it.
  [[nodiscard]] virtual std::string heartbeat() const {
    return {};
  }

  /// Makes the rooms `prefix` + 0 … `rooms - 1`, where a system needs that.
  /// Blocks. Empty, or what went wrong.
  [[nodiscard]] virtual std::string
  prepare(std::uint16_t port, std::string_view prefix, std::size_t rooms) const;
};

/// `rollcall`, `socketio` or `plain` (ws and Bun); null for another name.
/// `secret` signs Rollcall's tokens.
[[nodiscard]] std::unique_ptr<dialect> make_dialect(std::string_view name,
                                                    std::string secret);

} // namespace rollcall::bench
