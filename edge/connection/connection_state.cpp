#include "edge/connection/connection_state.hpp"

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "edge/auth/resume_key.hpp"
#include "edge/protocol/request_fields.hpp"

namespace rollcall::edge {

result<done> connection_state::identify(std::string_view token,
                                        millis wall_now) {
  auto verified = rules_->tokens.verify(token, wall_now);
  if (!verified)
    return verified.error();
  if (token_ && (token_->user != verified->user || token_->ns != verified->ns))
    return fail(errc::forbidden, "the new token is another user's", "token");
  token_ = std::move(*verified);
  participant_
    = make_participant_id(rules_->id_secret, token_->ns, token_->user);
  greeted_ = true;
  return done{};
}

result<done> connection_state::continue_from(std::string_view resume_key) {
  auto user = token_ ? token_->user : user_id{};
  auto old = open_resume_key(rules_->id_secret, ns(), user, resume_key);
  if (!old)
    return old.error();
  if (*old != id_)
    resumes_ = *old;
  return done{};
}

std::string connection_state::resume_key() const {
  auto user = token_ ? token_->user : user_id{};
  return make_resume_key(rules_->id_secret, ns(), user, id_);
}

const namespace_id& connection_state::ns() const noexcept {
  static const namespace_id fallback{"default"};
  return token_ ? token_->ns : fallback;
}

identity connection_state::caller_for(const session_id& session,
                                      std::string code) const {
  if (!token_)
    return {};
  if (auto at = sessions_.find(session); code.empty() && at != sessions_.end())
    code = at->second.code;
  return {token_->user,
          participant_,
          token_->who,
          token_->grants.unrestricted() ? rules_->default_grants
                                        : token_->grants_for(session),
          token_->groups,
          token_->role,
          std::move(code)};
}

std::uint64_t connection_state::about(const session_request& asked) const {
  if (asked.op.empty() || asked.about == 0 || !token_)
    return 0;
  return short_digest(std::to_string(asked.about) + ':' + token_->user.str());
}

result<done> connection_state::room_for(const session_id& session) const {
  if (sessions_.contains(session)
      || sessions_.size() < limits::attachments_per_connection)
    return done{};
  return fail(errc::too_large, "a connection holds at most 16 sessions",
              "session");
}

bool connection_state::begin_request() noexcept {
  if (in_flight_ >= limits::requests_in_flight)
    return false;
  ++in_flight_;
  return true;
}

viewer viewer_for(view wanted, capability_set rights,
                  const kind_settings& settings) noexcept {
  auto rank = rights.has(capability::moderate) ? audience::moderator
              : rights.has(capability::join)   ? audience::member
                                               : audience::everyone;
  return {wanted, rank, settings.identity};
}

} // namespace rollcall::edge
