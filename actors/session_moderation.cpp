// Keeping others out of a session: kicks and bans.

#include "actors/base/limits.hpp"
#include "actors/session_state.hpp"

#include <algorithm>

namespace rollcall {

namespace {

/// Bans that are over are forgotten so many at a time.
constexpr std::size_t forgotten_at_once = 64;

} // namespace

std::optional<failure>
session_state::refuses_removal(const identity& caller,
                               const user_id& target) const {
  const auto* known = member(target);
  bool above = record_->created_by == target
               || (known != nullptr && known->role == owner_role);
  if (above && !rights_of(caller).has(capability::configure))
    return fail(errc::forbidden, "only an owner may remove an owner", "user");
  return std::nullopt;
}

session_record session_state::without(const user_id& user,
                                      const durable_op& op) const {
  auto kept = *record_;
  kept.at = at();
  if (kept.appointed_host == user)
    kept.appointed_host.reset();
  // What was done to the member is still known when the record is gone.
  if (const auto* known = member(user))
    take_over(kept.ops, known->ops);
  remember(kept.ops, op.asked->op, kept.at);
  return kept;
}

std::optional<failure> session_state::prepare_kick(durable_op& op,
                                                   const kick_command& body) {
  const auto& caller = op.asked->caller;
  if (!rights_of(caller).has(capability::moderate))
    return fail(errc::forbidden, "you may not remove others");
  auto target = target_of(body.user, body.participant);
  if (!target)
    return target.error();
  if (member(*target) == nullptr && roster_.find(*target) == nullptr)
    return fail(errc::not_found, "there is no such participant", "user");
  if (auto why = refuses_removal(caller, *target))
    return why;
  op.records.emplace_back(without(*target, op));
  op.records.emplace_back(member_erased{key_, *target});
  return std::nullopt;
}

// One change: they are never kept out and still here, or gone and not kept out.
std::optional<failure> session_state::prepare_ban(durable_op& op,
                                                  const ban_command& body,
                                                  instant now) {
  const auto& caller = op.asked->caller;
  if (!rights_of(caller).has(capability::moderate))
    return fail(errc::forbidden, "you may not ban others");
  auto target = target_of(body.user, body.participant);
  if (!target)
    return target.error();
  if (*target == caller.user)
    return fail(errc::bad_request, "you cannot ban yourself", "user");
  if (*target == record_->created_by && !caller.grants.has(capability::admin))
    return fail(errc::forbidden, "the creator cannot be banned", "user");
  if (auto why = refuses_removal(caller, *target))
    return why;
  if (body.lasts
      && (*body.lasts <= millis{0} || *body.lasts > limits::ban_most))
    return fail(errc::bad_request, "must be above 0 and at most ten years",
                "for_ms");
  if (body.reason.size() > limits::reason_bytes)
    return fail(errc::bad_request, "must be at most 128 bytes", "reason");
  if (bans_.kept(*target) == nullptr
      && bans_.size() >= limits::bans_per_session) {
    auto over = bans_.over(now.wall, forgotten_at_once);
    if (over.empty())
      return fail(errc::too_large, "the session has too many bans");
    for (auto& user : over)
      op.records.emplace_back(ban_erased{key_, std::move(user)});
  }
  ban_record kept;
  kept.session = key_;
  kept.user = *target;
  if (body.lasts)
    kept.until = now.wall + *body.lasts;
  kept.by = caller.user;
  kept.when = now.wall;
  kept.reason = body.reason;
  kept.at = at();
  op.records.emplace_back(without(*target, op));
  op.records.emplace_back(member_erased{key_, *target});
  op.records.emplace_back(std::move(kept));
  return std::nullopt;
}

std::optional<failure> session_state::prepare_unban(durable_op& op,
                                                    const unban_command& body) {
  const auto& caller = op.asked->caller;
  if (!rights_of(caller).has(capability::moderate))
    return fail(errc::forbidden, "you may not lift bans");
  auto target = body.user;
  if (target.empty()) {
    // Whoever is banned is neither here nor a member.
    for (const auto* kept : bans_.page({}, millis::min(), bans_.size()))
      if (public_id(kept->user) == body.participant)
        target = kept->user;
  }
  if (bans_.kept(target) == nullptr)
    return fail(errc::not_found, "there is no such ban", "user");
  auto kept = *record_;
  kept.at = at();
  remember(kept.ops, op.asked->op, kept.at);
  op.records.emplace_back(std::move(kept));
  op.records.emplace_back(ban_erased{key_, target});
  return std::nullopt;
}

void session_state::apply_ban(const user_id& user, const ban_record* kept) {
  const auto* old = bans_.kept(user);
  bool in_force = kept != nullptr && old != nullptr && old->until == kept->until
                  && old->when == kept->when;
  if (kept != nullptr)
    bans_.put(*kept);
  else
    bans_.erase(user);
  if (in_force)
    return;
  // Whoever is banned is no member; a ban that is lifted makes nobody one.
  push_change(member_change{public_id(user),
                            user,
                            {},
                            {},
                            static_cast<std::uint8_t>(member_key::ban),
                            false,
                            kept != nullptr},
              audience::moderator);
}

result<reply> session_state::get_bans(const command& asked,
                                      const get_bans_command& body,
                                      instant now) const {
  if (hidden_from(asked.caller))
    return fail(errc::not_found, "there is no such session", "session");
  if (!rights_of(asked.caller).has(capability::moderate))
    return fail(errc::forbidden, "the bans are not shown to you");
  auto limit = std::min<std::size_t>(body.limit, limits::roster_page_items);
  bans_reply page;
  for (const auto* kept : bans_.page(body.after, now.wall, limit + 1)) {
    if (page.bans.size() == limit) {
      page.next = page.bans.back().user;
      break;
    }
    page.bans.push_back({public_id(kept->user), kept->user, kept->until,
                         kept->by, kept->when, kept->reason});
  }
  auto out = answer(ack_level::accepted);
  out.body = std::move(page);
  return out;
}

} // namespace rollcall
