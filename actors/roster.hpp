#pragma once

// Who is here. Plain state of one session: participants, their connections,
// the deadlines that hang on them, and the roster pages they are kept in.
// Knows no rules and emits no changes; session_state does both.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/base/rate_limiter.hpp"
#include "actors/changes.hpp"
#include "actors/identity.hpp"
#include "actors/kind.hpp"
#include "actors/records.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rollcall {

/// A live key with the stamp that decides the last writer. Removed keys keep
/// their stamp so that a late older write cannot bring them back, the latest of
/// them, as long as limits::live_keys are not needed for values.
struct live_entry {
  std::optional<live_value> value;
  millis stamp{0};
};

/// One way in of a participant.
struct connection {
  connection_id id;
  node_id edge;
  connection_source source = connection_source::socket;
  /// Nobody vouches for it right now.
  bool suspected = false;
  /// Restored or doubted, and not yet announced by its edge.
  bool unconfirmed = false;
  /// Steady time at which something happens to it, and as what it then ends.
  std::optional<millis> deadline;
  leave_reason reason = leave_reason::timeout;
  /// Steady time of its join; of a restored one long ago.
  millis entered{0};
  /// Of a leased one: how long it lasts from each renewal, and how much of that
  /// it is suspected.
  millis lease{0};
  millis lease_tail{0};
  connection_facts facts{};
  /// The number of the command by which it joined last; zero: not known.
  std::uint64_t joined_by = 0;
  /// It is here as a member of the session's group, not by its token.
  bool by_group = false;
  /// And this owner knows so: should it be taken out of the group, it is put
  /// out of the session.
  bool proven = false;

  /// Whether the word of an edge says anything of it.
  [[nodiscard]] bool has_edge() const noexcept {
    return source == connection_source::socket;
  }

  /// Whether it joined by a later command than the one with that number: a
  /// router may have kept that while the join passed by.
  [[nodiscard]] bool joined_after(std::uint64_t number) const noexcept {
    return number != 0 && number < joined_by;
  }
};

/// The time of a leased connection begins again: it is suspected once
/// `suspect_after` has passed, and over at the end of its lease.
void begin_lease(connection& target, const kind_settings& settings,
                 instant now);

/// A present user.
struct participant {
  user_id user;
  participant_id public_id;
  profile who;
  capability_set grants;
  version joined;
  millis since{0};
  std::uint32_t reconnections = 0;
  std::vector<connection> connections;
  std::map<std::string, live_entry> live;
  /// What its live updates have left of the session's `live_rate`. Begins full
  /// with each stay, and with each owner.
  token_bucket live_budget{};
  /// Wall time of the last request that was more than a sign of life, as
  /// observers were told.
  millis last_active{0};
  /// What observers were last told.
  bool shown_suspected = false;
  std::optional<millis> shown_expires;
  std::uint32_t shown_connections = 0;
  std::vector<connection_facts> shown_facts{};
  /// The roster page that keeps it.
  std::uint32_t page = 0;
};

/// The roster of one session. Owned by its session_state.
class roster {
public:
  [[nodiscard]] std::size_t size() const noexcept {
    return by_user_.size();
  }

  [[nodiscard]] bool empty() const noexcept {
    return by_user_.empty();
  }

  [[nodiscard]] participant* find(const user_id& user);
  [[nodiscard]] const participant* find(const user_id& user) const;
  [[nodiscard]] participant* find(const connection_id& id);
  /// By public id.
  [[nodiscard]] const participant* find(const participant_id& id) const;

  /// Takes a participant in; its user must not be here. Assigns a page.
  participant& add(participant who);

  /// Takes a participant back in on the page it was stored on.
  participant& restore(participant who, std::uint32_t page);

  /// Removes a participant and its connections. The reference ends here.
  void remove(const participant& who);

  void add_connection(participant& who, connection added);
  void remove_connection(participant& who, const connection_id& id);

  /// The connection of a participant, which must have it.
  [[nodiscard]] connection& at(participant& who, const connection_id& id);

  /// Sets or (nothing) clears the deadline of a connection.
  void set_deadline(connection& target, std::optional<millis> deadline,
                    leave_reason reason);

  /// The connection with the earliest deadline at or before `now`.
  [[nodiscard]] std::optional<connection_id> due(millis now) const;
  [[nodiscard]] std::optional<millis> next_deadline() const;

  /// No connection of an edge other than `self` has an earlier deadline.
  void hold_others(const node_id& self, millis until);

  /// Moves every deadline later: the time in between did not count.
  void shift_deadlines(millis by);

  /// The participants in order of joining.
  [[nodiscard]] const std::map<version, participant*>& in_order() const {
    return order_;
  }

  // -- pages -----------------------------------------------------------------

  void mark_dirty(const participant& who) {
    dirty_.insert(who.page);
  }

  [[nodiscard]] bool dirty() const noexcept {
    return !dirty_.empty();
  }

  /// The rewritten pages; marks them clean.
  [[nodiscard]] std::vector<roster_page> take_pages(const session_key& session,
                                                    version at);

  /// A write did not happen: these pages are dirty again.
  void pages_lost(std::span<const std::uint32_t> numbers);

private:
  void link(participant& who);
  std::uint32_t free_page();

  std::unordered_map<user_id, std::unique_ptr<participant>> by_user_;
  std::unordered_map<connection_id, participant*> by_connection_;
  std::unordered_map<participant_id, const participant*> by_public_id_;
  std::map<version, participant*> order_;
  std::set<std::pair<millis, connection_id>> deadlines_;
  std::vector<std::vector<participant*>> pages_;
  std::set<std::uint32_t> open_pages_;
  std::set<std::uint32_t> dirty_;
};

/// What the connections of a participant say of themselves, in their order;
/// empty if none says anything.
[[nodiscard]] std::vector<connection_facts> facts_of(const participant& who);

/// The participant as observers see it; `role` and `permissions` are its
/// member's.
[[nodiscard]] participant_view view_of(const participant& who,
                                       const member_record* member);

} // namespace rollcall
