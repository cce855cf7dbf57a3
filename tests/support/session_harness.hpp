#pragma once

// Drives a session_state without CAF: builds commands, plays the store, folds
// what observers would see.

#include "actors/session_state.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace rollcall::test {

inline constexpr const char* test_secret = "0123456789abcdef0123456789abcdef";

std::shared_ptr<const session_rules> make_rules();

inline session_key make_key(std::string id = "s1") {
  return {namespace_id{"default"}, session_id{std::move(id)}};
}

/// Keeps what a session asks to be kept, as the real store would give it back.
class kept_records {
public:
  void keep(const std::vector<record>& records);

  void keep(const record& one);

  [[nodiscard]] stored_session stored() const;

  /// When the session wants to be activated without demand, in wall time.
  [[nodiscard]] std::optional<millis> due() const {
    return due_;
  }

  [[nodiscard]] const std::map<version, event_record>& events() const {
    return events_;
  }

  [[nodiscard]] bool occupied() const {
    return occupied_;
  }

  [[nodiscard]] const auto& stays() const {
    return stays_;
  }

  [[nodiscard]] const auto& audit() const {
    return audit_;
  }

private:
  std::optional<session_record> session_;
  std::map<user_id, member_record> members_;
  std::map<std::uint32_t, roster_page> pages_;
  std::map<user_id, ban_record> bans_;
  std::map<std::pair<user_id, version>, interval_record> stays_;
  std::map<version, audit_record> audit_;
  std::map<std::string, round_record> rounds_;
  std::map<std::pair<std::string, user_id>, submission_record> answers_;
  std::map<version, event_record> events_;
  std::optional<millis> due_;
  bool occupied_ = false;
};

/// One session under test, with a clock and a store at hand.
class session_harness {
public:
  explicit session_harness(session_key key = make_key());
  session_harness(session_harness&&) noexcept;
  session_harness& operator=(session_harness&&) noexcept;
  ~session_harness();

  /// A new owner takes over: only what was kept survives.
  void activate();

  command_ptr make(const std::string& user, std::uint64_t connection,
                   command_body body, std::string op = {}) const;

  /// Runs a command to its end; the store answers at once.
  result<reply> run(const command_ptr& asked);

  result<reply> run(const std::string& user, std::uint64_t connection,
                    command_body body, std::string op = {});

  /// Creates the session as `owner`.
  result<reply> create(std::string kind, settings_patch settings = {},
                       const std::string& owner = "owner");

  result<reply> join(const std::string& user, std::uint64_t connection,
                     std::optional<std::uint64_t> resumes = {});

  void notice(std::uint64_t connection, sign what, millis age = {});

  void tell(note_body body);

  /// Lets time pass in small steps, doing what falls due.
  void advance(millis span, millis step = millis{100});

  /// Commits what waits; `outcome` is the journal's word on all of it.
  void pump(const result<position_t>& outcome = position_t{1});

  void keep_pages();

  std::vector<late_answer> take_late();

  /// The changes since the last call, as one list.
  std::vector<change> changes();

  snapshot look();

  static participant_id id_of(const std::string& user);

  const session_key& key() const {
    return key_;
  }

  instant now{millis{1'000'000}, millis{1'700'000'000'000}};
  epoch_t epoch = 0;
  node_id edge{"node1", 1};
  capability_set grants = default_grants | capability_set{capability::create};
  kept_records kept;
  std::unique_ptr<session_state> state;

private:
  session_key key_;
};

template <class T>
const T* find_change(const std::vector<change>& changes) {
  for (const auto& one : changes)
    if (const auto* body = std::get_if<T>(&one.body))
      return body;
  return nullptr;
}

template <class T>
std::size_t count_changes(const std::vector<change>& changes) {
  std::size_t count = 0;
  for (const auto& one : changes)
    count += std::holds_alternative<T>(one.body) ? 1 : 0;
  return count;
}

} // namespace rollcall::test
