#pragma once

// What the store is asked besides by its writer: questions that may take a
// while, each bounded. Values only.

#include "actors/base/errors.hpp"
#include "actors/history.hpp"
#include "actors/identity.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace rollcall {

/// The stays of one session. `known` are those that the store may not have,
/// or has later than `at`: it is right about them.
struct history_question {
  partition_id partition = 0;
  session_key session;
  version at;
  /// Wall time of `at`.
  millis now{0};
  get_history_command asked;
  /// In order of (joined, user).
  std::vector<stay> known;
};

struct audit_question {
  partition_id partition = 0;
  session_key session;
  millis now{0};
  get_audit_command asked;
};

struct list_question {
  namespace_id ns;
  identity caller;
  millis now{0};
  list_sessions_command asked;
};

/// Where a partition speaks of a user.
struct user_question {
  partition_id partition = 0;
  namespace_id ns;
  user_id user;
  /// Keys before this one were looked at.
  std::string after;
  /// What answers of others call the user.
  participant_id participant{};
};

/// The sessions of a group, but for those that are going already.
struct group_question {
  partition_id partition = 0;
  namespace_id ns;
  std::string group;
  /// Sessions up to this one were looked at.
  session_id after;
  /// Only those that have one of these as a member; empty: all.
  std::vector<user_id> members{};
};

/// How long history is kept.
struct history_retention {
  millis standard{90LL * 86'400'000};
  /// By the name of a kind, where it is another.
  std::map<std::string, millis> by_kind{};

  [[nodiscard]] millis of(const std::string& kind) const {
    auto at = by_kind.find(kind);
    return at == by_kind.end() ? standard : at->second;
  }
};

/// Stays and audit entries of a partition whose time is over.
struct aged_question {
  partition_id partition = 0;
  millis now{0};
  history_retention kept;
  std::string after;
};

using store_question
  = std::variant<history_question, audit_question, list_question, user_question,
                 aged_question, group_question>;

/// Keys of sessions, as `keys_erased` takes them.
struct found_keys {
  std::map<session_key, std::vector<std::string>> keys;
  /// Sessions that name the user in records of their own; those that are due.
  std::set<session_key> sessions;
  /// Where to go on; empty when all was looked at.
  std::string next;
};

struct found_sessions {
  std::vector<session_key> sessions;
  /// Where to go on; empty when all were looked at.
  session_id next;
};

using store_findings = std::variant<history_reply, audit_reply, list_reply,
                                    found_keys, found_sessions>;

using store_question_ptr = std::shared_ptr<const store_question>;
using store_findings_ptr = std::shared_ptr<const result<store_findings>>;

} // namespace rollcall
