#pragma once

// Signs of life on their way to the sessions' owners: gathered for a tick,
// then one note per session. Pure.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/notes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace rollcall::edge {

/// The sessions that clients of one loop are watched for. Holds as many
/// sessions as there are watches, and one item per event of a watch.
class evidence_book {
public:
  /// A watched session; pointers stay valid from `enter` to `leave`.
  struct page {
    session_key session;
    std::size_t watches = 0;
    struct item {
      connection_id connection;
      sign what = sign::silent;
      // Steady time the age counts from.
      millis since{0};
    };
    std::vector<item> items;
  };

  /// `window`: how long items are gathered. `node` signs the notes.
  evidence_book(millis window, node_id node)
    : window_(window), node_(std::move(node)) {
    // nop
  }

  /// Adds a watch of `session`.
  [[nodiscard]] page* enter(const session_key& session);

  /// Removes one; what it reported is still handed over.
  void leave(page* where);

  void add(page* where, const connection_id& connection, sign what,
           millis since, millis now);

  /// When `take` has something to give.
  [[nodiscard]] std::optional<millis> due() const noexcept {
    return due_;
  }

  /// Everything gathered; ages are as of `now`.
  [[nodiscard]] std::vector<note_ptr> take(millis now);

  [[nodiscard]] std::size_t sessions() const noexcept {
    return pages_.size();
  }

private:
  millis window_;
  node_id node_;
  std::unordered_map<session_key, page> pages_;
  std::vector<page*> dirty_;
  std::optional<millis> due_;
};

} // namespace rollcall::edge
