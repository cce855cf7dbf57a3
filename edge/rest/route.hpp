#pragma once

// Routes as data: a method, a path, what it needs, and how its request becomes
// a command and its reply an answer.

#include "actors/client.hpp"
#include "actors/commands.hpp"
#include "actors/gather.hpp"
#include "actors/replies.hpp"
#include "edge/net/http_message.hpp"
#include "edge/protocol/value.hpp"
#include "edge/rest/target.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rollcall::edge {

/// Whether a request carries a JSON object.
enum class body_rule : std::uint8_t { none, optional, required };

/// Who may ask.
enum class caller_rule : std::uint8_t {
  /// Somebody with a token.
  known,
  /// Anybody: the session says what is shown to whom.
  anybody,
};

/// Whose tag an `If-Match` names.
enum class tag_rule : std::uint8_t { none, session, member };

struct route;

/// A request whose form is right: everything but who asks.
struct rest_call {
  const route* to = nullptr;
  /// What stands where the pattern has braces, in order.
  std::vector<std::string> parameters;
  query_fields query;
  value::map body;
  /// From `Idempotency-Key`, or empty.
  op_id op;
  /// From `If-Match`.
  std::optional<precondition> expected{};
  /// From `Session-Code`, or empty.
  std::string code;
  /// From `X-Request-Id`, or drawn.
  std::string request;
  /// Whether it came over TLS that ends here.
  bool secure = false;

  [[nodiscard]] const std::string* field(std::string_view name) const;
};

/// What a call asks of which session.
struct session_order {
  session_id session;
  command_body body;
  /// In place of both: a question to the whole namespace.
  std::optional<decltype(namespace_request::what)> everywhere{};
  /// Which of the caller's leased connections it is about; see lease_id.hpp.
  std::optional<std::string> device{};
  /// All of the caller's leased connections are to be renewed beside.
  bool renews = false;
};

/// What an answer is made of.
struct rest_answer {
  const rest_call& call;
  const session_order& order;
  const identity& caller;
  const reply& what;
  /// On the clock of participant_view::expires.
  millis steady_now{0};
};

/// What the edge knows by itself.
struct local_facts {
  /// With the rights that the token gives for sessions it does not name.
  const identity& caller;
  const namespace_id& ns;
  std::string_view id_secret;
};

struct route {
  std::string_view method;
  /// Segments; `{name}` takes any one.
  std::string_view pattern;
  caller_rule who = caller_rule::known;
  body_rule body = body_rule::none;
  /// Refuses what is wrong with parameters, query or body. Pure.
  result<session_order> (*decode)(const rest_call& call) = nullptr;
  http_response (*encode)(const rest_answer& answer) = nullptr;
  /// The query's fields, joined by commas.
  std::string_view query = {};
  /// The client need not name the session: one is drawn where it does not, in
  /// place of `session` of the order, which is empty then.
  bool draws_session = false;
  /// What to ask next, once the first was done: `encode` gets its reply, or
  /// the first one's where the next is forbidden to the caller.
  session_order (*then)(const rest_call& call) = nullptr;
  /// The operation of the protocol that it is, if it is one: op_routes.hpp.
  std::string_view op = {};
  /// In place of `decode` and `encode`: no session is asked.
  result<http_response> (*local)(const rest_call& call,
                                 const local_facts& known)
    = nullptr;
  /// In place of `encode`, of what the whole namespace answered; without it
  /// that is said in the protocol's words.
  http_response (*gathered)(const rollcall::gathered& found) = nullptr;
  /// What may be expected of what it changes.
  tag_rule guard = tag_rule::none;
};

/// A path that is known, and what of it a request wants.
struct route_match {
  const route* to = nullptr;
  std::vector<std::string> parameters;
};

/// The path is none of ours.
struct no_route {};

/// The path is ours, the method is not: what may be used, for `Allow`.
struct other_method {
  std::string allowed;
};

/// Finds the route. HEAD is answered by GET.
[[nodiscard]] std::variant<route_match, no_route, other_method>
find_route(std::span<const route> routes, std::string_view method,
           const path_segments& path);

/// All routes, of every adapter. Lives as long as the program.
[[nodiscard]] std::span<const route> all_routes();

} // namespace rollcall::edge
