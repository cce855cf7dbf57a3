#pragma once

// One session as a pure state machine: values in, values out, time as an
// argument. Decides everything a session decides; its shell is session_actor.
//
// Presence changes apply at once. Durable changes are decided here, go through
// the journal as a `durable_batch`, and take effect when `committed` is called.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/change_ring.hpp"
#include "actors/changes.hpp"
#include "actors/commands.hpp"
#include "actors/handover.hpp"
#include "actors/pending_queue.hpp"
#include "actors/records.hpp"
#include "actors/roster.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace rollcall {

/// What every session of a node shares. Immutable while the node runs.
struct session_rules {
  /// Every kind by name; a session record names one of them.
  std::vector<kind_settings> kinds;
  /// The key of participant ids.
  std::string id_secret;
  /// How long restored connections wait for their edge's word.
  millis confirm_window{5'000};
  /// Without participants, observers and timers for this long: passivate.
  millis idle_after{60'000};
  /// Ended sessions are erased after this.
  millis ended_retention{30LL * 86'400'000};

  [[nodiscard]] const kind_settings* find_kind(std::string_view name) const;
};

/// A decided durable operation.
struct durable_op {
  enum class purpose : std::uint8_t {
    /// What its command says.
    command,
    /// The creation that a join waits for.
    then_join,
    /// Makes a user who joined a member.
    admission,
    /// Forgets a session whose retention is over; has no command.
    erasure,
  };

  purpose why = purpose::command;
  ticket answer_to = 0;
  command_ptr asked;
  /// The user it touches; nothing: the whole session.
  std::optional<user_id> touches;
  /// Set when started: what must be durable before it takes effect.
  std::vector<record> records;
};

/// Operations that become durable together.
struct durable_batch {
  std::uint64_t number = 0;
  std::vector<record> records;
};

/// An answer that had to wait.
struct late_answer {
  ticket to = 0;
  result<reply> answer;
};

/// The state of one session. Owned by one session actor; not shared.
class session_state {
public:
  /// `epoch` is the ownership under which it is activated. Restored
  /// participants stay shown and counted, but unconfirmed.
  session_state(std::shared_ptr<const session_rules> rules, session_key key,
                epoch_t epoch, const stored_session& stored, instant now);

  // -- input -----------------------------------------------------------------

  /// Decides a command: an answer, or the ticket of one to come.
  [[nodiscard]] std::variant<result<reply>, ticket>
  handle(const command_ptr& asked, instant now);

  void handle(const note& told, instant now);

  /// Does what was due at `now`.
  void expire(instant now);

  /// The process did not run for `gap`: nobody was silent in that time.
  void stalled(millis gap);

  // -- durable changes -------------------------------------------------------

  /// Starts every operation that may start; nothing when there is none.
  /// Operations refused at this point are answered in `late_answers`.
  [[nodiscard]] std::optional<durable_batch> next_batch(instant now);

  /// The journal's word on a batch: its operations take effect or fail.
  void committed(std::uint64_t number, const result<position_t>& outcome,
                 instant now);

  [[nodiscard]] std::vector<late_answer> take_answers();

  // -- roster pages ----------------------------------------------------------

  /// The pages, marks and closed stays to be kept; nothing while a write is
  /// in flight or all is kept.
  [[nodiscard]] std::vector<record> take_pages();
  void pages_written(bool kept);

  // -- hand-over -------------------------------------------------------------

  /// Whether nothing is under way: no batch, no durable change, no page.
  [[nodiscard]] bool quiet() const noexcept;

  /// All that the next owner cannot read in the journal; be quiet first.
  [[nodiscard]] session_transfer transfer() const;

  /// Goes on where the owner before stopped, before anything else is done.
  /// The next batch may be empty: it only says the new epoch. Connections
  /// wait for their edges' word as restored ones do.
  void adopt(const session_transfer& from, instant now);

  // -- output ----------------------------------------------------------------

  /// Everything visible since the last batch, as one batch.
  [[nodiscard]] batch_ptr take_batch();
  [[nodiscard]] std::vector<direct> take_directs();

  /// The session as of the last batch taken; take it first.
  [[nodiscard]] snapshot make_snapshot() const;

  /// The batches after `have`, if the ring still has them.
  [[nodiscard]] std::optional<std::vector<batch_ptr>>
  batches_after(version have) const {
    return ring_.after(have, published_);
  }

  // -- questions -------------------------------------------------------------

  [[nodiscard]] bool has_changes() const noexcept {
    return !changes_.empty() || opening_;
  }

  [[nodiscard]] bool pages_dirty() const noexcept {
    return roster_.dirty() || !closed_.empty();
  }

  [[nodiscard]] const std::set<node_id>& observers() const noexcept {
    return observers_;
  }

  /// Steady time of the next thing to do in `expire`.
  [[nodiscard]] std::optional<millis> next_deadline(instant now) const;

  /// Steady time at which it wants to be activated again if it is passivated
  /// now: the partition's `due` index says the same in wall time.
  [[nodiscard]] std::optional<millis> next_due(instant now) const;

  /// Whether nothing keeps it active.
  [[nodiscard]] bool idle() const noexcept;

  /// What must be written before it is passivated.
  [[nodiscard]] std::vector<record> farewell() const;

  [[nodiscard]] bool exists() const noexcept {
    return record_.has_value();
  }

  [[nodiscard]] version at() const noexcept {
    return {epoch_, rev_};
  }

  [[nodiscard]] std::uint32_t present() const noexcept {
    return static_cast<std::uint32_t>(roster_.size());
  }

  [[nodiscard]] std::uint32_t total() const noexcept {
    return static_cast<std::uint32_t>(members_.size()) + present_strangers_;
  }

  [[nodiscard]] const kind_settings& settings() const noexcept {
    return settings_;
  }

  [[nodiscard]] std::optional<participant_id> host() const;

  [[nodiscard]] capability_set rights_of(const identity& caller) const;

private:
  using decided = std::variant<result<reply>, ticket>;

  // session_presence.cpp
  result<reply> join(const command& asked, const join_command& body,
                     instant now);
  result<reply> resume(const command& asked, const join_command& body,
                       participant& who, instant now);
  std::optional<failure> refuses_entry(const participant* here,
                                       const join_command& body,
                                       const identity& caller) const;
  [[nodiscard]] bool is_earlier_stay(const participant& who,
                                     const join_command& body) const;
  void enter(const command& asked, const join_command& body, instant now);
  void add_connection(participant& who, const command& asked,
                      const join_command& body, instant now);
  connection new_connection(const command& asked, const join_command& body,
                            instant now) const;
  void set_initial_live(participant& who, const live_map& live, instant now);

  // session_leases.cpp
  /// How long a lease that is asked for lasts.
  [[nodiscard]] millis lease_of(const join_command& body) const;
  /// The time of its renewal begins again.
  void renew(connection& target, instant now);
  result<reply> renew(const command& asked, const renew_command& body,
                      instant now);
  void leave_leases(participant& who, const leave_command& body, instant now);
  /// Whether a due connection goes on as a suspected one.
  bool outlasts(connection& target);
  [[nodiscard]] connection restored(const stored_connection& kept,
                                    instant now) const;

  // session_presence.cpp
  result<reply> leave(const command& asked, const leave_command& body,
                      instant now);
  result<reply> set_live(const command& asked, const set_live_command& body,
                         instant now);
  result<reply> get_roster(const command& asked,
                           const get_roster_command& body) const;
  [[nodiscard]] std::uint32_t leaves_of(const user_id& user) const;
  /// A participant as a roster page shows it.
  [[nodiscard]] participant_view shown(const participant& who,
                                       bool with_user) const;
  [[nodiscard]] const participant* find_shown(const std::string& name,
                                              bool with_users) const;
  result<reply> observe(const command& asked) const;
  reply join_answer(const participant& who, const command& asked) const;
  void take_evidence(const evidence& told, instant now);
  void take_announcement(const node_id& edge, const announce_note& told,
                         instant now);
  /// An edge believes in a connection that is not here.
  void answer_unknown(const connection_id& id, const node_id& edge);
  /// Its edge's word on a connection that was restored or doubted.
  void confirm(participant& who, connection& target);
  /// Tells a connection that it was removed on purpose, and remembers it: an
  /// edge that missed the word must not bring it back.
  void dismiss(const connection& target, leave_reason reason);
  void tell_removed(const connection& target, leave_reason reason);
  void doubt_unnamed(const node_id& edge, const announce_note& told,
                     instant now);
  void lose_edge(const node_id& edge, instant now);
  /// Its socket is closed, or has said goodbye: it counts until `until`.
  void close_connection(participant& who, const connection_id& id,
                        leave_reason reason, millis until, instant now);
  void end_connection(participant& who, const connection_id& id,
                      leave_reason reason, instant now);
  void remove_participant(participant& who, leave_reason reason, instant now);
  void show_presence(participant& who);
  /// What observers are to be told of a participant.
  struct shown_presence {
    bool suspected = false;
    std::optional<millis> expires;
    std::uint32_t connections = 0;
  };
  static shown_presence shown_of(const participant& who);
  void publish_live(const participant& who, const live_update& live);

  // session_durable.cpp
  decided decide_durable(const command_ptr& asked);
  std::optional<failure> prepare(durable_op& op, instant now);
  std::optional<failure> prepare_create(durable_op& op, instant now);
  std::optional<failure> prepare_configure(durable_op& op);
  std::optional<failure> prepare_end(durable_op& op, instant now);
  std::optional<failure>
  prepare_member(durable_op& op, const set_member_command& body, instant now);
  std::optional<failure> prepare_admission(durable_op& op, instant now);
  std::optional<failure> prepare_kick(durable_op& op, const kick_command& body);
  std::optional<failure> prepare_transfer(durable_op& op,
                                          const transfer_host_command& body);
  void apply(const durable_op& op, instant now);
  void apply_session(const session_record& kept, instant now);
  void apply_member(const member_record& kept);
  void apply_member_erased(const user_id& user, instant now);
  result<user_id> target_of(const user_id& user,
                            const participant_id& id) const;
  /// The operation as it was done before, if it was.
  const done_op* done_before(const durable_op& op) const;
  result<reply> answer_again(const done_op& before, const command& asked) const;
  void remember_answer(const durable_op& op);
  void queue_admission(const command& asked);
  void queue_erasure();

  // session_transfer.cpp
  void adopt(const transferred_participant& from, instant now);
  static bool is_same(const participant& here,
                      const transferred_participant& from);
  void forget(participant& who);

  // session_state.cpp
  void restore(const stored_session& stored, instant now);
  void push_change(change_body body, audience seen_by = audience::everyone);
  void refresh_host();
  void track_host_candidate(const participant& who, bool here);
  std::optional<user_id> find_host() const;
  void use_record(session_record kept);
  [[nodiscard]] const member_record* member(const user_id& user) const;
  [[nodiscard]] reply answer(ack_level level) const;
  [[nodiscard]] participant_id public_id(const user_id& user) const;
  [[nodiscard]] bool hidden_from(const identity& caller) const;

  std::shared_ptr<const session_rules> rules_;
  session_key key_;
  epoch_t epoch_;
  revision_t rev_ = 1;
  version published_;
  kind_settings settings_;
  std::optional<session_record> record_;
  std::map<user_id, member_record> members_;
  roster roster_;
  std::uint32_t present_strangers_ = 0;
  /// How often users who are gone were here; limits::departed_per_session.
  std::unordered_map<user_id, std::uint32_t> departed_;
  /// Oldest first; limits::dismissed_per_session. Forgotten with the owner.
  std::deque<std::pair<connection_id, leave_reason>> dismissed_;

  std::optional<user_id> host_;
  /// Present members in order of admission.
  std::set<std::pair<version, user_id>> admitted_here_;
  /// Steady time until which an absent appointed host is still the host.
  /// Steady time by which edges have named those who were restored.
  millis confirmed_by_{0};
  std::optional<millis> reclaim_until_;

  std::vector<change> changes_;
  /// Observers are still to be told that the epoch is a new one.
  bool opening_ = false;
  /// Where this tick's live change of a participant is in `changes_`.
  std::unordered_map<const participant*, std::size_t> live_at_;
  change_ring ring_;
  std::vector<direct> directs_;
  std::set<node_id> observers_;

  pending_queue<durable_op> pending_;
  std::unordered_map<std::uint64_t, std::vector<durable_op>> in_flight_;
  std::vector<late_answer> answers_;
  bool erasing_ = false;
  ticket last_ticket_ = 0;
  /// Audit entries are numbered apart: several may fall on one revision.
  revision_t last_audit_ = 0;
  std::uint64_t last_batch_ = 0;

  /// Stays that ended and are not kept yet.
  std::vector<interval_record> closed_;
  std::vector<std::uint32_t> pages_in_flight_;
  std::vector<interval_record> closed_in_flight_;
  bool writing_pages_ = false;
  bool marked_occupied_ = false;
  bool mark_in_flight_ = false;
  millis idle_since_{0};
};

} // namespace rollcall
