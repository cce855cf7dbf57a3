#include "edge/rest/meeting_vote_routes.hpp"

#include "actors/base/limits.hpp"
#include "edge/protocol/field_reader.hpp"
#include "edge/rest/answers.hpp"
#include "edge/rest/call_fields.hpp"
#include "edge/rest/meeting_words.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

namespace rollcall::edge {

namespace {

// As the last segment of their paths.
constexpr std::string_view evaluations = "emotional-evaluations";
constexpr std::string_view contributions = "understanding-contributions";

// -- requests ----------------------------------------------------------------

datum fields_of(datum::fields fields) {
  std::sort(fields.begin(), fields.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return {std::move(fields)};
}

/// Reads a list of objects, each about one person, as a map by person:
/// `read(item)` gives what is said of them.
template <class Read>
datum::fields read_about(field_reader& in, std::string_view list,
                         std::string_view person, Read read) {
  datum::fields out;
  const auto* items = in.list(list, need::required);
  for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
    auto path = std::string{list} + '[' + std::to_string(i) + ']';
    const auto* fields = (*items)[i].get_if<value::map>();
    if (fields == nullptr) {
      in.refuse(path, "must be an object");
      break;
    }
    field_reader item{*fields, path};
    auto who = item.checked(person, check_id, need::required);
    auto said = read(item);
    if (auto why = item.finish()) {
      in.refuse(*why);
      break;
    }
    bool twice = std::any_of(out.begin(), out.end(), [&](const auto& each) {
      return each.first == *who;
    });
    if (twice)
      in.refuse(item.path_of(person), "is there twice");
    out.emplace_back(std::move(*who), std::move(said));
  }
  std::sort(out.begin(), out.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return out;
}

result<session_order> submission(field_reader& in, const rest_call& call,
                                 std::string_view round, datum::fields answer) {
  submit_command body;
  body.round = round;
  body.answer = fields_of(std::move(answer));
  return finished(in, call, std::move(body));
}

datum percentage(field_reader& in, std::string_view key) {
  const auto* found = in.take(key);
  if (found != nullptr) {
    if (const auto* whole = found->get_if<std::int64_t>())
      if (*whole >= 0 && *whole <= 100)
        return {*whole};
    if (const auto* real = found->get_if<double>())
      if (*real >= 0 && *real <= 100)
        return {*real};
  }
  in.refuse(key, "must be a number from 0 to 100");
  return {};
}

datum scale(field_reader& in, std::string_view key) {
  const auto* found = in.integer(key, 0, 100, need::required);
  return {found != nullptr ? *found : std::int64_t{0}};
}

result<session_order> decode_evaluations(const rest_call& call) {
  field_reader in{call.body};
  auto people = read_about(
    in, "evaluations", "targetParticipantId", [](field_reader& item) {
      auto how = scale(item, "emotionalScale");
      const auto* toxic = item.boolean("isToxic", need::required);
      return fields_of({{"emotional_scale", std::move(how)},
                        {"is_toxic", {toxic != nullptr && *toxic}}});
    });
  return submission(in, call, evaluations,
                    {{"evaluations", {std::move(people)}}});
}

result<session_order> decode_contributions(const rest_call& call) {
  field_reader in{call.body};
  auto score = scale(in, "understandingScore");
  auto people
    = read_about(in, "contributions", "participantId", [](field_reader& item) {
        return percentage(item, "contributionPercentage");
      });
  return submission(in, call, contributions,
                    {{"understanding_score", std::move(score)},
                     {"contributions", {std::move(people)}}});
}

result<session_order> decode_info(const rest_call& call) {
  return order_for(call, get_course_command{true});
}

// -- answers -----------------------------------------------------------------

http_response encode_vote(const rest_answer& what) {
  return json_answer(200, [&](json_writer& to) {
    to.open_map();
    write_success(to, what);
    to.close_map();
  });
}

/// Who of those here has answered all the votes that are open.
struct vote_state {
  std::vector<const round_view*> open;
  std::vector<const participant_view*> submitted;
  std::vector<const participant_view*> pending;
};

vote_state state_of(const course_reply& course) {
  vote_state out;
  for (const auto& round : course.rounds)
    if (round.open
        && (round.name == evaluations || round.name == contributions))
      out.open.push_back(&round);
  std::vector<std::set<std::string>> answered;
  for (const auto* round : out.open) {
    auto& ids = answered.emplace_back();
    for (const auto& who : round->participants)
      ids.insert(who.str());
  }
  for (const auto& who : course.participants) {
    bool all = !out.open.empty();
    for (const auto& ids : answered)
      all = all && ids.contains(who.participant.str());
    (all ? out.submitted : out.pending).push_back(&who);
  }
  return out;
}

void write_users(json_writer& to,
                 const std::vector<const participant_view*>& people) {
  to.open_array(people.size());
  for (const auto* who : people)
    to.text(who->user.str());
  to.close_array();
}

/// Both numbers of those who are here: it never exceeds a hundred.
void write_progress(json_writer& to, std::size_t submitted, std::size_t total) {
  to.open_map();
  to.key<"submitted">();
  to.integer(static_cast<std::int64_t>(submitted));
  to.key<"total">();
  to.integer(static_cast<std::int64_t>(total));
  to.key<"percentage">();
  to.integer(total == 0 ? 0
                        : static_cast<std::int64_t>((200 * submitted + total)
                                                    / (2 * total)));
  to.close_map();
}

void write_voters(json_writer& to, const course_reply& course) {
  to.open_array(course.participants.size());
  for (const auto& who : course.participants) {
    to.open_map();
    to.key<"_id">();
    to.text(who.user.str());
    write_facts(to, who);
    to.close_map();
  }
  to.close_array();
}

void write_info(json_writer& to, const rest_answer& what) {
  const auto& course = std::get<course_reply>(what.what.body);
  auto votes = state_of(course);
  to.open_map();
  to.key<"meetingId">();
  to.text(what.order.session.str());
  to.key<"phase">();
  to.text(course.phase.name);
  to.key<"status">();
  to.text(course.phase.status);
  to.key<"votingParticipants">();
  write_voters(to, course);
  to.key<"totalVotingParticipants">();
  to.integer(static_cast<std::int64_t>(course.participants.size()));
  to.key<"submissionStatus">();
  to.open_map();
  to.key<"submitted">();
  write_users(to, votes.submitted);
  to.key<"pending">();
  write_users(to, votes.pending);
  to.close_map();
  to.key<"votingProgress">();
  write_progress(to, votes.submitted.size(), course.participants.size());
  to.key<"rounds">();
  to.open_map();
  for (const auto* round : votes.open) {
    to.key(round->name);
    write_progress(to, round->submitted, round->eligible);
  }
  to.close_map();
  to.close_map();
}

http_response encode_info(const rest_answer& what) {
  const auto& course = std::get<course_reply>(what.what.body);
  auto out = json_answer(
    200, [&](json_writer& to) { write_info(to, what); },
    person_bytes * (course.participants.size() + 2));
  return read_answer(std::move(out), what);
}

// -- the table ---------------------------------------------------------------

using enum caller_rule;

constexpr std::array<route, 3> table = {{
  {"GET", "/meetings/{meeting}/voting-info", known, body_rule::none,
   decode_info, encode_info},
  {"POST", "/meetings/{meeting}/emotional-evaluations", known,
   body_rule::required, decode_evaluations, encode_vote},
  {"POST", "/meetings/{meeting}/understanding-contributions", known,
   body_rule::required, decode_contributions, encode_vote},
}};

} // namespace

std::span<const route> meeting_vote_routes() {
  return table;
}

} // namespace rollcall::edge
