// Questions about the past of a session: who may ask, what the store cannot
// know yet, and the answer. And the audit entries of what happens.

#include "actors/audit_words.hpp"
#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

#include <algorithm>
#include <iterator>

namespace rollcall {

namespace {

stay stay_of(const interval_record& closed) {
  return {closed.user,         {},           closed.joined,
          closed.from,         closed.until, closed.reason,
          closed.reconnections};
}

failure not_shown() {
  return fail(errc::forbidden, "this history is not shown to you");
}

/// Whom a record is about, if it is about one user.
const user_id* subject_user(const record& one) {
  if (const auto* known = std::get_if<member_record>(&one))
    return &known->user;
  if (const auto* gone = std::get_if<member_erased>(&one))
    return &gone->user;
  if (const auto* ban = std::get_if<ban_record>(&one))
    return &ban->user;
  if (const auto* lifted = std::get_if<ban_erased>(&one))
    return &lifted->user;
  return nullptr;
}

} // namespace

bool session_state::asks_past(const command_body& body) noexcept {
  return std::holds_alternative<get_history_command>(body)
         || std::holds_alternative<get_audit_command>(body);
}

result<store_question> session_state::question(const command& asked,
                                               instant now) const {
  if (auto why = refuses(asked.caller, now.wall))
    return *why;
  auto rights = rights_of(asked.caller);
  if (const auto* entries = std::get_if<get_audit_command>(&asked.body)) {
    if (!rights.has(capability::configure))
      return fail(errc::forbidden, "you may not read the audit log");
    if (entries->until.value_or(now.wall) < entries->from)
      return fail(errc::bad_request, "ends before it begins", "until");
    return store_question{audit_question{0, key_, now.wall, *entries}};
  }
  history_question out;
  out.session = key_;
  out.at = at();
  out.now = now.wall;
  out.asked = std::get<get_history_command>(asked.body);
  auto& wish = out.asked;
  if (!wish.participant.empty()) {
    auto target = target_of(wish.user, wish.participant);
    // Nobody else learns who is known here.
    if (!target)
      return rights.has(capability::moderate) ? target.error() : not_shown();
    wish.user = *target;
  }
  // Figures name nobody; what names others is for those who moderate.
  bool figures = wish.what == history_view::summary && wish.user.empty();
  bool own = !asked.caller.user.empty() && wish.user == asked.caller.user;
  bool allowed
    = rights.has(capability::moderate)
      || (rights.has(capability::observe_roster) && (figures || own));
  if (!allowed)
    return not_shown();
  if (wish.what == history_view::here && wish.from == millis{0})
    wish.from = now.wall;
  if (wish.until.value_or(now.wall) < wish.from)
    return fail(errc::bad_request, "ends before it begins", "until");
  out.known = unwritten_stays(wish.user);
  return store_question{std::move(out)};
}

// Those who are here, and stays that may not be in the store yet.
std::vector<stay> session_state::unwritten_stays(const user_id& only) const {
  std::vector<stay> out;
  for (const auto& closed : chronicle_.unwritten_stays())
    if (only.empty() || closed.user == only)
      out.push_back(stay_of(closed));
  for (const auto& [joined, who] : roster_.in_order())
    if (only.empty() || who->user == only)
      out.push_back({who->user,
                     {},
                     joined,
                     who->since,
                     std::nullopt,
                     leave_reason::left,
                     who->reconnections});
  std::sort(out.begin(), out.end(), [](const stay& a, const stay& b) {
    return std::tie(a.joined, a.user) < std::tie(b.joined, b.user);
  });
  return out;
}

reply session_state::answer_past(store_findings found, version asked_at) const {
  auto out = answer(ack_level::accepted);
  out.at = asked_at;
  if (auto* past = std::get_if<history_reply>(&found)) {
    for (auto& one : past->stays)
      one.participant = public_id(one.user);
    for (auto& one : past->people)
      one.participant = public_id(one.user);
    out.body = std::move(*past);
  } else if (auto* entries = std::get_if<audit_reply>(&found)) {
    out.body = std::move(*entries);
  }
  return out;
}

// -- audit -------------------------------------------------------------------

audit_record session_state::audit_entry(std::string action, user_id target,
                                        version from, instant now) {
  audit_record out;
  out.session = key_;
  out.at = chronicle_.next_number(from);
  out.when = now.wall;
  out.actor = acting_.actor;
  out.action = std::move(action);
  out.target = std::move(target);
  out.request = acting_.request;
  return out;
}

void session_state::note_join(const participant& who, instant now) {
  auto entry = audit_entry("join", who.user, coming(), now);
  if (who.reconnections > 0)
    entry.after = "reconnections=" + std::to_string(who.reconnections);
  chronicle_.add(std::move(entry));
}

void session_state::note_leave(const participant& who, leave_reason reason,
                               instant now) {
  if (reason == leave_reason::kicked)
    drop_admission(who.user);
  // The clock of the owner before may have been ahead.
  chronicle_.add(interval_record{key_, who.user, who.joined, who.since,
                                 later(now.wall, who.since), reason,
                                 who.reconnections});
  auto entry = audit_entry("leave", who.user, coming(), now);
  entry.after = "reason=";
  entry.after += to_string(reason);
  chronicle_.add(std::move(entry));
}

// What a record was before, and will be, in words.
std::pair<std::string, std::string>
session_state::describe_record(const record& one) const {
  auto both = [](const auto* old, const auto& kept) {
    return std::pair{old != nullptr ? describe(*old) : "", describe(kept)};
  };
  auto end = [](const auto* old) {
    return std::pair{old != nullptr ? describe(*old) : "", std::string{}};
  };
  if (const auto* kept = std::get_if<session_record>(&one)) {
    auto out = both(record_ ? &*record_ : nullptr, *kept);
    const auto& code = kept->overrides.code;
    if (!record_ && !code.value_or("").empty())
      out.second += " code=set";
    if (record_ && code != record_->overrides.code)
      out.second += " code=changed";
    return out;
  }
  if (const auto* known = std::get_if<member_record>(&one))
    return both(member(known->user), *known);
  if (const auto* gone = std::get_if<member_erased>(&one))
    return end(member(gone->user));
  if (const auto* ban = std::get_if<ban_record>(&one))
    return both(bans_.kept(ban->user), *ban);
  if (const auto* lifted = std::get_if<ban_erased>(&one))
    return end(bans_.kept(lifted->user));
  if (const auto* kept = std::get_if<round_record>(&one)) {
    const auto* old = rounds_.find(kept->name);
    return both(old != nullptr ? &old->record : nullptr, *kept);
  }
  return {};
}

// What makes way for a change of one user is nothing that it changed.
void session_state::describe_change(const durable_op& op,
                                    audit_record& entry) const {
  for (const auto& one : op.records) {
    const auto* whose = subject_user(one);
    if (whose != nullptr && !entry.target.empty() && *whose != entry.target)
      continue;
    auto [before, after] = describe_record(one);
    auto [was, is] = changed_words(before, after);
    auto append = [](std::string& to, const std::string& words) {
      if (words.empty()
          || to.size() + words.size() + 1 > limits::audit_text_bytes)
        return;
      if (!to.empty())
        to += ' ';
      to += words;
    };
    append(entry.after, subject_of(one));
    append(entry.before, was);
    append(entry.after, is);
  }
}

// -- erasure -----------------------------------------------------------------

std::optional<failure> session_state::prepare_delete(durable_op& op,
                                                     instant now) {
  if (!rights_of(op.asked->caller).has(capability::configure))
    return fail(errc::forbidden, "you may not delete this");
  auto kept = *record_;
  kept.ended_at = deleted;
  if (kept.group)
    kept.group->deleted_at = now.wall;
  kept.at = at();
  op.records.emplace_back(std::move(kept));
  // A later owner goes on with it.
  op.records.emplace_back(due_mark{key_, now.wall});
  return std::nullopt;
}

std::optional<failure>
session_state::prepare_forget(durable_op& op, const forget_user_command& body) {
  if (!op.asked->caller.grants.has(capability::admin))
    return fail(errc::forbidden, "erasing a user needs admin");
  auto kept = *record_;
  auto untold
    = kept.group
        ? std::erase_if(kept.group->removed,
                        [&](const auto& one) { return one.user == body.user; })
        : 0;
  auto bans = bans_without(body.user);
  auto answers
    = rounds_.answers_without(public_id(body.user), limits::answers_forgotten);
  if (member(body.user) == nullptr && roster_.find(body.user) == nullptr
      && record_->created_by != body.user
      && record_->appointed_host != body.user && untold == 0 && bans.empty()
      && answers.empty()) {
    // Nothing is kept of the user; what waits to be written concerns nobody
    // any more.
    apply_forgotten(body.user);
    return std::nullopt;
  }
  if (kept.created_by == body.user)
    kept.created_by = {};
  if (kept.appointed_host == body.user)
    kept.appointed_host.reset();
  kept.at = at();
  op.records.emplace_back(std::move(kept));
  op.records.emplace_back(member_erased{key_, body.user});
  std::move(bans.begin(), bans.end(), std::back_inserter(op.records));
  for (auto& one : answers) {
    one.at = at();
    op.records.emplace_back(std::move(one));
  }
  return std::nullopt;
}

// The erasure asks again until no ban is left that names the user.
std::vector<record> session_state::bans_without(const user_id& user) const {
  std::vector<record> out;
  for (const auto* ban : bans_.page({}, millis::min(), bans_.size())) {
    if (out.size() == limits::bans_forgotten)
      break;
    if (ban->user == user) {
      out.emplace_back(ban_erased{key_, user});
    } else if (ban->by == user) {
      auto kept = *ban;
      kept.by = {};
      kept.at = at();
      out.emplace_back(std::move(kept));
    }
  }
  return out;
}

void session_state::apply_forgotten(const user_id& user) {
  chronicle_.forget(user);
  departed_.erase(user);
  forget_answers(user);
  // Whoever resumes gets a snapshot.
  ring_.clear();
}

} // namespace rollcall
