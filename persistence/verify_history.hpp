#pragma once

// What must be true of the closed stays and audit entries of a partition.
// A part of verify.hpp.

#include "actors/records.hpp"
#include "persistence/verify.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace rollcall {

/// Is shown the history of one partition in the order of its keys, which is
/// that of joining within a session.
class history_checker {
public:
  /// Something is wrong with the record under this key; with its mended form,
  /// or none: it is to be removed.
  using report
    = std::function<void(damage, std::string_view key, const char* field,
                         const interval_record* mended)>;

  explicit history_checker(report tell) : tell_(std::move(tell)) {
    // nop
  }

  void check(const interval_record& closed, std::string_view key,
             bool session_known);
  void check(const audit_record& entry, std::string_view key,
             bool session_known);

private:
  struct earlier {
    std::string key;
    interval_record closed;
    std::uint32_t count = 0;
  };

  report tell_;
  session_key session_;
  /// Stays of that session so far.
  std::size_t seen_ = 0;
  /// The latest stay of each user of that session.
  std::map<user_id, earlier> users_;
};

} // namespace rollcall
