#include "persistence/verify_history.hpp"

#include "actors/base/limits.hpp"

#include <algorithm>

namespace rollcall {

void history_checker::check(const interval_record& closed, std::string_view key,
                            bool session_known) {
  if (!session_known) {
    tell_(damage::history_orphan, key, "session", nullptr);
    return;
  }
  if (closed.session != session_) {
    session_ = closed.session;
    users_.clear();
    seen_ = 0;
  }
  // An owner remembers so many users and reads so many stays, no more.
  bool may_be_forgotten = seen_++ >= limits::departed_scan;
  auto mended = closed;
  if (closed.until < closed.from) {
    mended.until = closed.from;
    tell_(damage::stay_reversed, key, "until", &mended);
  }
  auto [known, fresh] = users_.try_emplace(closed.user);
  auto& before = known->second;
  if (!fresh) {
    // Two owners' clocks may be that far apart.
    if (mended.from + limits::clocks_differ < before.closed.until) {
      auto shorter = before.closed;
      shorter.until = later(shorter.from, mended.from);
      tell_(damage::stay_overlap, before.key, "until", &shorter);
    }
    if (closed.reconnections && *closed.reconnections < before.count) {
      if (may_be_forgotten) {
        before.count = 0;
      } else {
        mended.reconnections = before.count;
        tell_(damage::wrong_count, key, "reconnections", &mended);
      }
    }
  }
  before.count = std::max(before.count, mended.reconnections.value_or(0)) + 1;
  before.key = key;
  before.closed = std::move(mended);
}

void history_checker::check(const audit_record&, std::string_view key,
                            bool session_known) {
  if (!session_known)
    tell_(damage::history_orphan, key, "session", nullptr);
}

} // namespace rollcall
