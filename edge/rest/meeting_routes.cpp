#include "edge/rest/meeting_routes.hpp"

#include "actors/base/limits.hpp"
#include "edge/protocol/json_codec.hpp"
#include "edge/rest/answers.hpp"
#include "edge/rest/call_fields.hpp"
#include "edge/rest/meeting_words.hpp"

#include <array>
#include <utility>

namespace rollcall::edge {

namespace {

// Clients of old know no heartbeat: whoever asks who is there, is there;
// others for this long.
constexpr millis meeting_lease{30 * 60'000};

// -- requests ----------------------------------------------------------------

session_order whole_list(const rest_call& call) {
  get_roster_command body;
  body.limit = static_cast<std::uint32_t>(limits::roster_page_items);
  return order_for(call, std::move(body));
}

result<session_order> decode_active(const rest_call& call) {
  auto out = whole_list(call);
  out.renews = true;
  return out;
}

result<session_order> decode_join(const rest_call& call) {
  field_reader in{call.body};
  join_command body;
  body.lease = meeting_lease;
  auto out = finished(in, call, std::move(body));
  if (out)
    out->device = "";
  return out;
}

result<session_order> decode_leave(const rest_call& call) {
  field_reader in{call.body};
  leave_command body;
  body.every_lease = true;
  return finished(in, call, body);
}

// -- answers -----------------------------------------------------------------

/// A pseudonym stands for whom the caller is not shown.
void write_person(json_writer& to, const participant_view& who) {
  to.open_map();
  to.key<"userId">();
  to.text(who.user.empty() ? who.participant.str() : who.user.str());
  write_facts(to, who);
  to.close_map();
}

void write_people(json_writer& to, const roster_reply& page) {
  to.open_array(page.participants.size());
  for (const auto& who : page.participants)
    write_person(to, who);
  to.close_array();
}

http_response too_many() {
  return problem(fail(errc::too_large,
                      "too many people for one list; page with "
                      "/v1/sessions/…/participants"));
}

http_response encode_active(const rest_answer& what) {
  const auto& page = std::get<roster_reply>(what.what.body);
  if (page.next)
    return too_many();
  auto out = json_answer(
    200,
    [&](json_writer& to) {
      to.open_map();
      to.key<"meetingId">();
      to.text(what.order.session.str());
      to.key<"activeParticipants">();
      write_people(to, page);
      to.key<"totalParticipants">();
      to.integer(what.what.total);
      to.key<"activeCount">();
      to.integer(what.what.present);
      to.key<"source">();
      to.word<"websocket">();
      to.close_map();
    },
    person_bytes * (page.participants.size() + 1));
  return read_answer(std::move(out), what);
}

http_response deprecated(http_response out, const rest_answer& what,
                         std::string_view successor) {
  out.headers.emplace_back("Deprecation", "true");
  out.headers.emplace_back(
    "Link", "</v1/sessions/" + encode_segment(what.order.session.str())
              + std::string{successor} + ">; rel=\"successor-version\"");
  return out;
}

/// `totalParticipants` is here what it is to that system: how many are there.
/// Whoever has joined is told so, however many are shown.
http_response encode_join(const rest_answer& what) {
  static const roster_reply nobody;
  const auto* shown = std::get_if<roster_reply>(&what.what.body);
  const auto& page = shown != nullptr ? *shown : nobody;
  auto out = json_answer(
    200,
    [&](json_writer& to) {
      to.open_map();
      write_success(to, what);
      to.key<"participants">();
      write_people(to, page);
      to.key<"totalParticipants">();
      to.integer(what.what.present);
      to.close_map();
    },
    person_bytes * (page.participants.size() + 1));
  return deprecated(std::move(out), what, "/join");
}

http_response encode_leave(const rest_answer& what) {
  return deprecated(json_answer(200,
                                [&](json_writer& to) {
                                  to.open_map();
                                  write_success(to, what);
                                  to.close_map();
                                }),
                    what, "/leave");
}

// -- the table ---------------------------------------------------------------

using enum caller_rule;

constexpr std::array<route, 3> table = {{
  {"GET", "/meetings/{meeting}/active-participants", known, body_rule::none,
   decode_active, encode_active},
  {"POST", "/meetings/{meeting}/join", known, body_rule::optional, decode_join,
   encode_join, "", false, whole_list},
  {"POST", "/meetings/{meeting}/leave", known, body_rule::optional,
   decode_leave, encode_leave},
}};

} // namespace

std::span<const route> meeting_routes() {
  return table;
}

bool is_meeting_path(std::string_view path) noexcept {
  return path.starts_with("/meetings/");
}

http_response as_meeting_refusal(http_response problem) {
  auto read = decode_json(problem.body);
  const auto* detail = read ? read->find("detail") : nullptr;
  const auto* text
    = detail != nullptr ? detail->get_if<std::string>() : nullptr;
  if (text == nullptr)
    return problem;
  std::string more;
  json_writer to{more};
  to.open_map();
  to.key<"success">();
  to.boolean(false);
  to.key<"error">();
  to.text(*text);
  // The map goes on with what was there.
  problem.body.replace(0, 1, more);
  return problem;
}

} // namespace rollcall::edge
