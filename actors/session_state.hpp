#pragma once

// One session as a pure state machine: values in, values out, time as an
// argument. Decides everything a session decides; its shell is session_actor.
//
// Presence changes apply at once. Durable changes are decided here, go through
// the journal as a `durable_batch`, and take effect when `committed` is called.

#include "actors/access.hpp"
#include "actors/bans.hpp"
#include "actors/barrier.hpp"
#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/change_ring.hpp"
#include "actors/changes.hpp"
#include "actors/chronicle.hpp"
#include "actors/commands.hpp"
#include "actors/event_log.hpp"
#include "actors/handover.hpp"
#include "actors/notes.hpp"
#include "actors/pending_queue.hpp"
#include "actors/records.hpp"
#include "actors/replies.hpp"
#include "actors/roster.hpp"
#include "actors/rounds.hpp"
#include "actors/session_parts.hpp"
#include "actors/session_timers.hpp"
#include "actors/store_questions.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace rollcall {

/// The state of one session. Owned by one session actor; not shared.
class session_state {
public:
  /// `epoch` is the ownership under which it is activated. Restored
  /// participants stay shown and counted, but unconfirmed.
  session_state(std::shared_ptr<const session_rules> rules, session_key key,
                epoch_t epoch, const stored_session& stored, instant now);
  ~session_state();
  session_state(const session_state&) = delete;
  session_state& operator=(const session_state&) = delete;

  // -- input -----------------------------------------------------------------

  /// Decides a command: an answer, or the ticket of one to come.
  [[nodiscard]] std::variant<result<reply>, ticket>
  handle(const command_ptr& asked, instant now);

  void handle(const note& told, instant now);

  /// Does what was due at `now`.
  void expire(instant now);

  /// Those who are at edges of nodes other than `self` do not go before that
  /// steady time: this node does not hear them.
  void hold_others(const node_id& self, millis until);

  /// The process did not run for `gap`: nobody was silent in that time.
  void stalled(millis gap);

  // -- questions about the past ----------------------------------------------

  /// Whether a command asks for what only the store knows.
  [[nodiscard]] static bool asks_past(const command_body& body) noexcept;

  /// What the store is to be asked, with what it cannot know yet; or why this
  /// caller may not know. Of a command that `asks_past`.
  [[nodiscard]] result<store_question> question(const command& asked,
                                                instant now) const;

  /// The answer made of what the store found, as of the question's version.
  [[nodiscard]] reply answer_past(store_findings found, version asked_at) const;

  // -- durable changes -------------------------------------------------------

  /// Starts every operation that may start; nothing when there is none.
  /// Operations refused at this point are answered in `late_answers`.
  [[nodiscard]] std::optional<durable_batch> next_batch(instant now);

  /// The journal's word on a batch: its operations take effect or fail.
  void committed(std::uint64_t number, const result<position_t>& outcome,
                 instant now);

  [[nodiscard]] std::vector<late_answer> take_answers();

  // -- groups ----------------------------------------------------------------

  /// Who knows whether a caller who may not enter may do so after all.
  [[nodiscard]] std::optional<std::string>
  group_to_ask(const identity& caller) const;

  /// What every partition is to be told now. Nothing else is, until
  /// `told_everywhere`.
  [[nodiscard]] std::optional<settle_group_command> take_telling(instant now);

  /// Whether all partitions have answered that nothing is left to do.
  void told_everywhere(bool settled, instant now);

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
    return roster_.dirty() || chronicle_.dirty();
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
  using maybe_failure = std::optional<failure>;

  // session_presence.cpp
  result<reply> join(const command& asked, const join_command& body,
                     instant now);
  void resume(const command& asked, const join_command& body, participant& who,
              instant now);
  maybe_failure refuses_entry(const participant* here, const join_command& body,
                              const identity& caller) const;
  /// That there is no such session for them, or that they are banned.
  maybe_failure refuses(const identity& caller, millis wall) const;
  /// A join on a connection that is in already.
  result<reply> join_known(const command& asked, const join_command& body,
                           participant& who, instant now);
  /// Whether an owner before this one had accepted `stay` after the one that
  /// is here.
  [[nodiscard]] bool is_before(const participant& who, version stay) const;
  /// The same of the stay that `joins` comes with, and nobody else speaks for
  /// the one that is here.
  [[nodiscard]] bool is_earlier_stay(const participant& who,
                                     const connection_id& joins,
                                     const join_command& body) const;
  void enter(const command& asked, const join_command& body, instant now);
  void add_connection(participant& who, const command& asked,
                      const join_command& body, instant now);
  connection new_connection(const command& asked, const join_command& body,
                            instant now) const;

  // session_live.cpp
  static result<done> check_live(std::string_view kind, const live_map& live);
  void note_activity(participant& who, millis wall);
  void set_initial_live(participant& who, const live_map& live, instant now);
  /// Whether an update would leave more keys than there may be.
  static maybe_failure over_live_keys(const participant& who,
                                      const live_update& live, millis age,
                                      instant now);
  /// Takes what is newer than what is there.
  void update_live(participant& who, const live_update& live, millis age,
                   instant now);
  result<reply> set_live(const command& asked, const set_live_command& body,
                         instant now);
  /// Takes one update from the participant's budget, if it is there.
  maybe_failure over_live_rate(participant& who, instant now) const;
  void publish_live(const participant& who, const live_update& live);

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
  result<reply> get_roster(const command& asked,
                           const get_roster_command& body) const;
  [[nodiscard]] std::uint32_t leaves_of(const user_id& user) const;
  /// A participant as a roster page shows it.
  [[nodiscard]] participant_view shown(const participant& who,
                                       bool with_user) const;
  [[nodiscard]] const participant* find_shown(const std::string& name,
                                              bool with_users) const;
  result<reply> observe(const command& asked) const;
  reply observe_answer(const command& asked, ack_level level) const;
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
  void dismiss(const connection& target, leave_reason reason,
               bool banned = false);
  void tell_removed(const connection& target, leave_reason reason,
                    bool banned = false);
  void doubt_unnamed(const node_id& edge, const announce_note& told,
                     instant now);
  void lose_edge(const node_id& edge, instant now);
  /// Forgets it as an observer, should it not ask again.
  void doubt_observer(const node_id& edge, instant now);
  void forget_observers(instant now);
  /// Its socket is closed, or has said goodbye: it counts until `until`.
  void close_connection(participant& who, const connection_id& id,
                        leave_reason reason, millis until, instant now);
  void end_connection(participant& who, const connection_id& id,
                      leave_reason reason, instant now);
  void remove_participant(participant& who, leave_reason reason, instant now);
  void show_presence(participant& who);
  static shown_presence shown_of(const participant& who);

  // session_groups.cpp
  /// Whether it is for a group or for a session, as this is.
  [[nodiscard]] bool suits(const command_body& body) const;
  [[nodiscard]] failure unknown() const;
  [[nodiscard]] reply group_answer(const command& asked, ack_level level,
                                   bool created) const;
  result<reply> settle(const command& asked, const settle_group_command& body,
                       instant now);
  bool put_out(const user_id& user, instant now);
  [[nodiscard]] bool is_by_group(const identity& caller) const;
  void note_vouched(const identity& caller);
  maybe_failure prepare_group(durable_op& op, const put_group_command& body,
                              instant now);
  maybe_failure prepare_group_removal(durable_op& op, const kick_command& body,
                                      instant now);
  maybe_failure refuses_group_member(const set_member_command& body) const;
  void prepare_told(durable_op& op);
  /// Somebody who is a member and not here.
  [[nodiscard]] bool is_away(const user_id& user) const;
  void prepare_put_out(durable_op& op, instant now);
  void begin_telling(instant now);
  [[nodiscard]] std::optional<millis> untold_since() const;

  // session_durable.cpp
  decided decide_durable(const command_ptr& asked);
  failure no_target(const identity& caller, failure why) const;
  maybe_failure prepare(durable_op& op, instant now);
  maybe_failure prepare_create(durable_op& op, instant now);
  maybe_failure prepare_first_join(durable_op& op, session_record kept,
                                   access_mode access, instant now) const;
  maybe_failure prepare_configure(durable_op& op, instant now);
  maybe_failure prepare_end(durable_op& op, instant now);
  maybe_failure prepare_hidden(durable_op& op);
  maybe_failure prepare_command(durable_op& op, bool creates, instant now);
  [[nodiscard]] user_id target_named(const durable_op& op) const;
  audit_record audit_of(const durable_op& op, const user_id& target,
                        instant now);

  // session_conditions.cpp
  /// Gives records that say something new their tags.
  void tag_changes(durable_op& op) const;
  maybe_failure refuses_condition(const durable_op& op) const;

  // session_members.cpp
  maybe_failure prepare_member(durable_op& op, const set_member_command& body,
                               instant now);
  maybe_failure prepare_invite(durable_op& op, const invite_command& body,
                               instant now);
  maybe_failure prepare_uninvite(durable_op& op, const uninvite_command& body);
  maybe_failure prepare_withdraw(durable_op& op);
  maybe_failure prepare_name(durable_op& op, const set_name_command& body,
                             instant now);
  maybe_failure prepare_admission(durable_op& op, instant now);
  result<reply> get_members(const command& asked,
                            const get_members_command& body, instant now) const;
  result<reply> get_course(const command& asked,
                           const get_course_command& body) const;
  /// Whether the roster is shown to the caller.
  bool shows_roster(const command& asked) const;
  /// And with users and profiles.
  bool shows_users(const command& asked) const;
  std::optional<barrier_view> barrier_shown() const;
  [[nodiscard]] member_view view_of_member(const member_record& known) const;
  [[nodiscard]] member_view view_of_removed(const user_id& user) const;
  [[nodiscard]] member_record new_member(const user_id& user,
                                         instant now) const;
  void apply_member(const member_record& kept);
  void apply_member_erased(const user_id& user, const durable_op& op,
                           instant now);
  /// A user's profile with the name that the user has chosen, if any.
  [[nodiscard]] profile profile_of(const user_id& user, profile given) const;
  /// What the role, the permissions and the place of a user give.
  [[nodiscard]] capability_set standing_rights(const user_id& user) const;
  /// Whether media are gated for somebody who is here.
  [[nodiscard]] bool may_turn_on(const user_id& user, capability_set grants,
                                 std::string_view live_key) const;
  /// Turns off what its permissions do not allow any more.
  void enforce_gates(participant& who);

  // session_moderation.cpp
  maybe_failure prepare_kick(durable_op& op, const kick_command& body);
  maybe_failure prepare_ban(durable_op& op, const ban_command& body,
                            instant now);
  maybe_failure prepare_unban(durable_op& op, const unban_command& body);
  result<reply> get_bans(const command& asked, const get_bans_command& body,
                         instant now) const;
  void apply_ban(const user_id& user, const ban_record* kept);
  /// The session's record without what it says of a user who goes.
  [[nodiscard]] session_record without(const user_id& user,
                                       const durable_op& op) const;
  maybe_failure refuses_removal(const identity& caller,
                                const user_id& target) const;

  // session_durable.cpp
  maybe_failure prepare_transfer(durable_op& op,
                                 const transfer_host_command& body,
                                 instant now);
  void apply(const durable_op& op, instant now);
  void apply_session(const session_record& kept, instant now);
  result<user_id> target_of(const user_id& user,
                            const participant_id& id) const;
  /// False if it is answered or done without a write.
  bool needs_journal(durable_op& op, instant now);
  /// The operation as it was done before, if it was.
  const done_op* done_before(const durable_op& op) const;
  result<reply> answer_again(const done_op& before, const command& asked) const;
  void remember_answer(const durable_op& op);
  void queue_admission(const command& asked);
  /// The user was removed, or went for good: a join of before admits nobody.
  void drop_admission(const user_id& user);
  void queue_erasure();
  void queue_host_lapse();

  // session_room.cpp
  /// Whether no member more fits, those on their way counted.
  [[nodiscard]] bool members_full() const noexcept;
  /// From its start to the journal's word an operation holds what it adds to
  /// members, answers and the event log, and the entries that it erases.
  void take_room(durable_op& op);
  void give_room_back(const durable_op& op, bool kept);

  // session_past.cpp
  std::vector<stay> unwritten_stays(const user_id& only) const;
  /// An entry with the next free number from a version on.
  audit_record audit_entry(std::string action, user_id target, version from,
                           instant now);
  /// The version of the change that is about to be told.
  [[nodiscard]] version coming() const noexcept {
    return {epoch_, rev_ + 1};
  }
  void note_join(const participant& who, instant now);
  void note_leave(const participant& who, leave_reason reason, instant now);
  [[nodiscard]] std::pair<std::string, std::string>
  describe_record(const record& one) const;
  void describe_change(const durable_op& op, audit_record& entry) const;
  maybe_failure prepare_delete(durable_op& op, instant now);
  maybe_failure prepare_forget(durable_op& op, const forget_user_command& body);
  [[nodiscard]] std::vector<record> bans_without(const user_id& user) const;
  void apply_forgotten(const user_id& user);
  // session_plan.cpp
  maybe_failure prepare_phase(durable_op& op, const set_phase_command& body,
                              instant now);
  maybe_failure prepare_barrier(durable_op& op,
                                const start_barrier_command& body, instant now);
  maybe_failure prepare_reminder(durable_op& op,
                                 const set_reminder_command& body, instant now);
  void prepare_timer(durable_op& op, instant now);
  void prepare_phase_end(durable_op& op, instant now);
  void prepare_opening(durable_op& op, instant now);
  void prepare_reminding(durable_op& op, instant now);
  void add_event(durable_op& op, event_record entry, instant now);
  result<reply> set_ready(const command& asked, bool ready, instant now);
  /// Queues what is due by a timer.
  void queue_timer(const timer_name& name);
  /// A timer's operation was not kept.
  void timer_failed(const timer_name& name, instant now);
  /// Sets all timers to what is kept.
  void arm_timers();
  void arm_reminder(const member_record& kept);
  [[nodiscard]] std::optional<millis>
  reminder_due(const session_record& session, const member_record& kept) const;
  [[nodiscard]] std::optional<millis>
  earliest_due(const std::vector<record>& records) const;
  /// The `due` entry that these operations and all before them need, if it is
  /// not the one that is kept.
  void mark_due(durable_batch& out, const std::vector<durable_op>& started);
  void restart_barrier();
  void see_at_barrier(const participant& who);
  void open_barrier_if_ready();

  // session_rounds.cpp
  maybe_failure prepare_round(durable_op& op, const open_round_command& body,
                              instant now);
  maybe_failure prepare_close(durable_op& op, const close_round_command& body,
                              instant now);
  maybe_failure prepare_submission(durable_op& op, const submit_command& body,
                                   instant now);
  void apply_round(const round_record& kept);
  void apply_submission(const submission_record& kept);
  result<reply> get_round(const command& asked,
                          const get_round_command& body) const;
  /// Those present who have answered a round, in order.
  [[nodiscard]] std::vector<participant_id>
  answered_here(std::string_view round) const;
  [[nodiscard]] const std::string& role_of(const user_id& user) const;
  [[nodiscard]] participant_id id_of(const identity& caller) const;
  /// An erased user's answers are gone, and observers are told so.
  void forget_answers(const user_id& user);
  void recount_rounds();
  void publish_rounds();

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
  [[nodiscard]] admittance admitted(const identity& caller) const;

  std::shared_ptr<const session_rules> rules_;
  session_key key_;
  epoch_t epoch_;
  revision_t rev_ = 1;
  version published_;
  kind_settings settings_;
  std::optional<session_record> record_;
  std::map<user_id, member_record> members_;
  ban_list bans_;
  roster roster_;
  std::uint32_t present_strangers_ = 0;
  /// How often users who are gone were here; limits::departed_per_session.
  std::unordered_map<user_id, std::uint32_t> departed_;
  /// Oldest first; limits::dismissed_per_session. Forgotten with the owner.
  std::deque<std::pair<connection_id, leave_reason>> dismissed_;

  std::optional<user_id> host_;
  /// Present members in order of admission.
  std::set<std::pair<version, user_id>> admitted_here_;
  /// All members in that order.
  std::set<std::pair<version, user_id>> admitted_;
  /// Steady time by which edges have named those who were restored.
  millis confirmed_by_{0};
  /// Steady time until which an absent appointed host is still the host.
  std::optional<millis> reclaim_until_;

  session_timers timers_;
  rounds rounds_;
  barrier barrier_;
  /// The barrier's opening is on its way.
  bool barrier_opens_ = false;
  event_log events_;
  /// What the `due` index says, as far as that is known.
  std::optional<millis> kept_due_;
  bool due_known_ = true;
  /// The deadlines that operations in flight bring.
  std::multiset<millis> coming_due_;
  /// What operations in flight add.
  std::size_t members_coming_ = 0;
  rounds::growth answers_coming_;
  /// Members with the start of which they were reminded last, while that is
  /// not kept yet.
  std::map<user_id, millis> reminded_;

  std::vector<change> changes_;
  /// Observers are still to be told that the epoch is a new one.
  bool opening_ = false;
  /// Where this tick's live change of a participant is in `changes_`.
  std::unordered_map<const participant*, std::size_t> live_at_;
  /// Likewise of a round's progress.
  std::map<std::string, std::size_t> round_at_;
  change_ring ring_;
  std::vector<direct> directs_;
  std::set<node_id> observers_;
  /// Those of them whose edge was lost, or who came with the session from
  /// another owner: the steady time by which they have to ask again.
  std::map<node_id, millis> doubted_observers_;

  pending_queue<durable_op> pending_;
  std::unordered_map<std::uint64_t, std::vector<durable_op>> in_flight_;
  std::vector<late_answer> answers_;
  bool erasing_ = false;
  ticket last_ticket_ = 0;
  std::uint64_t last_batch_ = 0;

  group_telling telling_;
  /// Somebody was put out, and the pages that say so are still to be kept, or
  /// on their way.
  bool put_out_ = false;
  bool put_out_in_flight_ = false;

  /// Closed stays and audit entries that are not kept yet.
  chronicle chronicle_;
  /// Whose doing what happens now is.
  acting_as acting_;
  std::vector<std::uint32_t> pages_in_flight_;
  bool writing_pages_ = false;
  bool marked_occupied_ = false;
  bool mark_in_flight_ = false;
  millis idle_since_{0};
};

} // namespace rollcall
