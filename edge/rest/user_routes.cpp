#include "edge/rest/user_routes.hpp"

#include "actors/base/hash.hpp"
#include "edge/rest/answers.hpp"

#include <array>

namespace rollcall::edge {

namespace {

/// The public id of a user, for services that know the user: for oneself, and
/// for whoever may do anything.
result<http_response> participant_of(const rest_call& call,
                                     const local_facts& known) {
  const user_id user{call.parameters.front()};
  if (user != known.caller.user && !known.caller.grants.has(capability::admin))
    return fail(errc::forbidden, "the token does not allow to ask for others");
  const auto id = make_participant_id(known.id_secret, known.ns, user);
  return json_answer(200, [&](json_writer& to) {
    to.open_map();
    to.key<"user">();
    to.text(user.str());
    to.key<"participant_id">();
    to.text(id.str());
    to.close_map();
  });
}

constexpr std::array<route, 1> table = {{
  {"GET", "/v1/users/{user}/participant_id", caller_rule::known,
   body_rule::none, nullptr, nullptr, "", false, nullptr, participant_of},
}};

} // namespace

std::span<const route> user_routes() {
  return table;
}

} // namespace rollcall::edge
