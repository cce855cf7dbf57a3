#include "actors/session_state.hpp"

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"

#include <algorithm>
#include <cassert>

namespace rollcall {

const kind_settings* session_rules::find_kind(std::string_view name) const {
  if (name == group_kind().kind)
    return &group_kind();
  auto at = std::find_if(kinds.begin(), kinds.end(),
                         [&](const auto& kind) { return kind.kind == name; });
  return at == kinds.end() ? nullptr : &*at;
}

session_state::session_state(std::shared_ptr<const session_rules> rules,
                             session_key key, epoch_t epoch,
                             const stored_session& stored, instant now)
  : rules_(std::move(rules)), key_(std::move(key)), epoch_(epoch) {
  idle_since_ = now.steady;
  restore(stored, now);
  published_ = at();
}

session_state::~session_state() = default;

void session_state::restore(const stored_session& stored, instant now) {
  for (const auto& kept : stored.members) {
    members_.emplace(kept.user, kept);
    admitted_.emplace(kept.admitted, kept.user);
  }
  for (const auto& kept : stored.bans)
    bans_.put(kept);
  for (const auto& [user, visits] : stored.departed)
    departed_.emplace(user, visits);
  if (stored.session) {
    use_record(*stored.session);
    if (record_->at.epoch == epoch_)
      rev_ = std::max(rev_, record_->at.rev);
  }
  if (!stored.pages.empty())
    confirmed_by_ = now.steady + rules_->confirm_window;
  for (const auto& page : stored.pages) {
    for (const auto& kept : page.entries) {
      // A roster page and its successor may both have survived a crash
      // between two pages of one move; the first one read counts.
      if (roster_.find(kept.user) != nullptr || kept.connections.empty())
        continue;
      participant who;
      who.user = kept.user;
      who.public_id = public_id(kept.user);
      who.who = profile_of(kept.user, kept.who);
      who.grants = kept.grants;
      who.joined = kept.joined;
      who.since = kept.since;
      who.last_active = kept.since;
      who.reconnections = kept.reconnections;
      for (const auto& item : kept.connections)
        who.connections.push_back(restored(item, now));
      who.shown_connections
        = static_cast<std::uint32_t>(who.connections.size());
      who.shown_facts = facts_of(who);
      auto& added = roster_.restore(std::move(who), page.number);
      if (member(added.user) == nullptr)
        ++present_strangers_;
      track_host_candidate(added, true);
      marked_occupied_ = true;
    }
  }
  if (record_ && record_->appointed_host
      && roster_.find(*record_->appointed_host) == nullptr)
    reclaim_until_ = now.steady + settings_.host_reclaim;
  host_ = find_host();
  for (const auto& kept : stored.rounds)
    rounds_.take(kept);
  for (const auto& kept : stored.submissions)
    rounds_.take(kept, public_id(kept.user), false, {});
  for (const auto& [place, when] : stored.events)
    events_.add(place, when);
  kept_due_ = stored.due;
  recount_rounds();
  restart_barrier();
  arm_timers();
}

void session_state::use_record(session_record kept) {
  const auto* kind = rules_->find_kind(kept.kind);
  settings_
    = with_patch(kind != nullptr ? *kind : kind_settings{}, kept.overrides);
  settings_.kind = kept.kind;
  record_ = std::move(kept);
}

participant_id session_state::public_id(const user_id& user) const {
  return make_participant_id(rules_->id_secret, key_.ns, user);
}

const member_record* session_state::member(const user_id& user) const {
  auto at = members_.find(user);
  return at == members_.end() ? nullptr : &at->second;
}

// -- rights ------------------------------------------------------------------

// Of whoever created a session, and may not enter it.
constexpr capability_set beside_presence
  = {capability::observe_count, capability::observe_roster,
     capability::moderate, capability::configure};

capability_set session_state::rights_of(const identity& caller) const {
  if (caller.grants.has(capability::admin))
    return default_grants
           | capability_set{capability::create, capability::admin};
  if (caller.user.empty())
    return settings_.anonymous_views && settings_.access == access_mode::open
             ? capability_set{capability::observe_count}
             : capability_set{};
  auto may = admitted(caller);
  if (!may.sees)
    return {};
  capability_set given
    = {capability::observe_count, capability::observe_roster};
  if (may.enters)
    given = given | capability_set{capability::join, capability::publish};
  auto above = standing_rights(caller.user);
  if (!may.enters)
    above = above & beside_presence;
  return caller.grants & (given | above);
}

admittance session_state::admitted(const identity& caller) const {
  standing known;
  known.is_member = member(caller.user) != nullptr;
  known.is_present = roster_.find(caller.user) != nullptr;
  known.is_creator = record_ && record_->created_by == caller.user;
  known.in_group = is_by_group(caller);
  std::string_view code;
  if (record_ && record_->overrides.code)
    code = *record_->overrides.code;
  return admit(settings_, code, caller, known);
}

std::optional<failure> session_state::refuses(const identity& caller,
                                              millis wall) const {
  if (hidden_from(caller))
    return unknown();
  if (caller.grants.has(capability::admin) || caller.user.empty()
      || bans_.find(caller.user, wall) == nullptr)
    return std::nullopt;
  return fail(errc::banned, "you are banned from this session", "session");
}

bool session_state::hidden_from(const identity& caller) const {
  return !record_ || record_->ended_at == deleted
         || rights_of(caller) == capability_set{};
}

// -- host --------------------------------------------------------------------

std::optional<user_id> session_state::find_host() const {
  if (settings_.host != host_policy::none && record_ && record_->appointed_host
      && (roster_.find(*record_->appointed_host) != nullptr || reclaim_until_))
    return record_->appointed_host;
  switch (settings_.host) {
  case host_policy::oldest_member_any:
    if (!admitted_.empty())
      return admitted_.begin()->second;
    return std::nullopt;
  case host_policy::oldest_member:
    if (!admitted_here_.empty())
      return admitted_here_.begin()->second;
    return std::nullopt;
  case host_policy::oldest_present:
    if (!roster_.empty())
      return roster_.in_order().begin()->second->user;
    return std::nullopt;
  case host_policy::appointed:
  case host_policy::none:
    break;
  }
  return std::nullopt;
}

void session_state::track_host_candidate(const participant& who, bool here) {
  const auto* known = member(who.user);
  if (known == nullptr)
    return;
  if (here)
    admitted_here_.emplace(known->admitted, who.user);
  else
    admitted_here_.erase({known->admitted, who.user});
}

void session_state::refresh_host() {
  auto now_host = find_host();
  if (now_host == host_)
    return;
  auto before = std::exchange(host_, std::move(now_host));
  push_change(host_change{host()});
  if (before && settings_.gated_media)
    if (auto* here = roster_.find(*before))
      enforce_gates(*here);
}

std::optional<participant_id> session_state::host() const {
  if (!host_)
    return std::nullopt;
  const auto* here = roster_.find(*host_);
  return here != nullptr ? here->public_id : public_id(*host_);
}

// -- output ------------------------------------------------------------------

void session_state::push_change(change_body body, audience seen_by) {
  ++rev_;
  changes_.push_back({rev_, seen_by, present(), total(), std::move(body)});
}

batch_ptr session_state::take_batch() {
  if (!has_changes())
    return nullptr;
  opening_ = false;
  auto out = std::make_shared<batch>();
  out->session = key_;
  out->from = published_;
  out->to = at();
  out->present = present();
  out->total = total();
  out->changes = std::move(changes_);
  changes_.clear();
  live_at_.clear();
  round_at_.clear();
  published_ = out->to;
  ring_.push(out);
  return out;
}

std::vector<direct> session_state::take_directs() {
  return std::exchange(directs_, {});
}

std::vector<late_answer> session_state::take_answers() {
  return std::exchange(answers_, {});
}

snapshot session_state::make_snapshot() const {
  assert(!has_changes());
  snapshot out;
  out.session = key_;
  out.at = published_;
  out.settings = settings_;
  out.ended = record_ && record_->ended_at;
  out.present = present();
  out.total = total();
  out.host = host();
  out.participants.reserve(roster_.size());
  for (const auto& [joined, who] : roster_.in_order())
    out.participants.push_back(view_of(*who, member(who->user)));
  out.rounds = rounds_.views();
  if (!record_)
    return out;
  out.starts_at = record_->starts_at;
  out.phase = record_->phase;
  out.barrier = barrier_shown();
  return out;
}

std::optional<barrier_view> session_state::barrier_shown() const {
  if (!record_->barrier)
    return std::nullopt;
  return barrier_view{*record_->barrier,
                      {barrier_.ready().begin(), barrier_.ready().end()}};
}

reply session_state::answer(ack_level level) const {
  return {level, at(), present(), total(), done{}};
}

result<reply> session_state::answer_again(const done_op& before,
                                          const command& asked) const {
  if (before.about != 0 && asked.about != 0 && before.about != asked.about)
    return fail(errc::conflict, "the op id was used for something else",
                "op_id");
  result<reply> out = answer(ack_level::committed);
  out->at = before.at;
  return out;
}

// -- roster pages ------------------------------------------------------------

std::vector<record> session_state::take_pages() {
  std::vector<record> out;
  if (writing_pages_ || !pages_dirty())
    return out;
  writing_pages_ = true;
  put_out_in_flight_ = std::exchange(put_out_, false);
  for (auto& page : roster_.take_pages(key_, at())) {
    pages_in_flight_.push_back(page.number);
    out.emplace_back(std::move(page));
  }
  for (auto& one : chronicle_.take())
    out.push_back(std::move(one));
  mark_in_flight_ = !roster_.empty();
  if (mark_in_flight_ != marked_occupied_)
    out.emplace_back(occupied_mark{key_, mark_in_flight_});
  return out;
}

void session_state::pages_written(bool kept) {
  writing_pages_ = false;
  put_out_ |= std::exchange(put_out_in_flight_, false) && !kept;
  if (kept) {
    marked_occupied_ = mark_in_flight_;
  } else {
    roster_.pages_lost(pages_in_flight_);
  }
  chronicle_.written(kept);
  pages_in_flight_.clear();
}

// -- time --------------------------------------------------------------------

std::optional<millis> session_state::next_deadline(instant now) const {
  auto next = never;
  if (auto deadline = roster_.next_deadline())
    next = std::min(next, *deadline);
  if (reclaim_until_)
    next = std::min(next, *reclaim_until_);
  for (const auto& [node, until] : doubted_observers_)
    next = std::min(next, until);
  if (auto due = next_due(now))
    next = std::min(next, *due);
  if (idle())
    next = std::min(next, idle_since_
                            + (record_ ? rules_->idle_after : millis{1'000}));
  if (next == never)
    return std::nullopt;
  return next;
}

std::optional<millis> session_state::next_due(instant now) const {
  auto wall = timers_.next();
  if (!wall)
    return std::nullopt;
  return now.steady + later(*wall - now.wall, millis{0});
}

bool session_state::idle() const noexcept {
  return roster_.empty() && observers_.empty() && pending_.empty()
         && in_flight_.empty() && !writing_pages_ && !pages_dirty()
         && !has_changes() && !reclaim_until_ && !untold_since();
}

std::vector<record> session_state::farewell() const {
  std::vector<record> out;
  if (!record_)
    return out;
  auto kept = *record_;
  kept.at = {epoch_, std::max(rev_, chronicle_.last_number())};
  out.emplace_back(std::move(kept));
  if (!due_known_ || kept_due_ != timers_.next())
    out.emplace_back(due_mark{key_, timers_.next()});
  return out;
}

void session_state::hold_others(const node_id& self, millis until) {
  roster_.hold_others(self, until);
}

void session_state::stalled(millis gap) {
  roster_.shift_deadlines(gap);
  for (auto& [node, until] : doubted_observers_)
    until += gap;
  if (reclaim_until_)
    *reclaim_until_ += gap;
}

} // namespace rollcall
