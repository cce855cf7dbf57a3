#pragma once

// Questions to all partitions of a namespace: values, and the pure merge of
// what each of them answers.

#include "actors/base/errors.hpp"
#include "actors/history.hpp"
#include "actors/identity.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rollcall {

/// What is asked of a namespace, on behalf of `caller`: a page of its
/// sessions, or the erasure of a user. The `partition` in it is filled in for
/// each. `limit` and `after` of a listing are those of the whole page.
struct gather_order {
  namespace_id ns;
  /// With the rights the token gives for every session of the namespace.
  identity caller;
  std::string request;
  std::variant<list_sessions_command, erase_user_command> what;
};

/// One page of a namespace's sessions, in order of `listed_before`: whatever
/// comes and goes meanwhile, a session that stays is in exactly one page.
struct listing {
  /// The oldest of the partitions' answers.
  millis as_of{0};
  /// Whether every partition answered.
  bool complete = true;
  std::vector<session_summary> sessions;
  /// Go on behind this one; nothing after the last page.
  std::optional<session_id> next;
};

struct user_erasure {
  /// Whether nothing is left in any partition.
  bool complete = true;
  std::uint32_t sessions = 0;
  std::uint32_t records = 0;
};

using gathered = std::variant<listing, user_erasure>;
using gather_order_ptr = std::shared_ptr<const gather_order>;
using gathered_ptr = std::shared_ptr<const result<gathered>>;

/// Makes one page of what partitions answer.
class listing_merge {
public:
  explicit listing_merge(std::uint32_t limit) : limit_(limit) {
    // nop
  }

  void add(list_reply part);
  /// A partition that did not answer.
  void add_missing() noexcept {
    complete_ = false;
  }

  [[nodiscard]] listing finish();

private:
  std::uint32_t limit_;
  bool complete_ = true;
  std::optional<millis> as_of_;
  std::vector<session_summary> sessions_;
  /// Up to where every partition has looked.
  std::optional<session_id> reached_;
};

} // namespace rollcall
