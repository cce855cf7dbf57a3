#include "sim/sim_crowd.hpp"

namespace rollcall::sim {

namespace {

std::string text_of(const edge::value* of) {
  const auto* text = of != nullptr ? of->get_if<std::string>() : nullptr;
  return text != nullptr ? *text : std::string{};
}

bool is_true(const edge::value* of) {
  const auto* flag = of != nullptr ? of->get_if<bool>() : nullptr;
  return flag != nullptr && *flag;
}

version version_of(const edge::value* of) {
  const auto* pair = of != nullptr ? of->get_if<edge::value::array>() : nullptr;
  if (pair == nullptr || pair->size() != 2)
    return {};
  return {static_cast<epoch_t>(*(*pair)[0].get_if<std::int64_t>()),
          static_cast<revision_t>(*(*pair)[1].get_if<std::int64_t>())};
}

} // namespace

std::size_t sim_crowd::add(std::string user, std::string session,
                           std::string kind) {
  auto& one = clients.emplace_back();
  one.user = std::move(user);
  one.session = std::move(session);
  one.kind = std::move(kind);
  return clients.size() - 1;
}

// -- what they do ------------------------------------------------------------

void sim_crowd::join(std::size_t who, sim_node& node, bool resumes) {
  auto& one = clients[who];
  end(one);
  one.at = &node;
  one.node = node.self();
  one.id = {node.self().incarnation * 1'000 + last_ % 7, ++last_};
  one.socket = {0, last_};
  by_socket_[one.socket] = who;
  node.hear_frame
    = [this](client_ref to, const edge::value& frame) { hear(to, frame); };
  edge::token_claims claims;
  claims.user = user_id{one.user};
  claims.who.name = one.user;
  // Good for every step of a wall clock here.
  claims.issued_at = node.now().wall - millis{86'400'000};
  claims.expires_at = node.now().wall + millis{43'200'000};
  claims.grants.allow("*", capability_set{capability::observe_roster,
                                          capability::join, capability::publish,
                                          capability::create});
  one.connection
    = edge::spawn_connection(node.fixture.system(), node.edge_env(),
                             {one.socket, dialect::json, one.id,
                              edge::mint_token(sim_node::key(), claims)});
  one.wants = true;
  one.wants_since = world_.now();
  one.refused = false;
  one.accepted.reset();
  resumes = resumes && one.sees.ready();
  one.sees.reconnect(resumes);
  ask_to_join(one, resumes);
}

void sim_crowd::ask_to_join(sim_client& one, bool resumes) {
  session_request body;
  body.session = session_id{one.session};
  body.body = join_command{std::nullopt, {}, one.kind, std::nullopt};
  body.wanted = view::roster;
  if (resumes)
    body.since = one.sees.at();
  joins_.insert(requests_ + 1);
  ask(one, std::move(body));
}

void sim_crowd::leave(std::size_t who) {
  auto& one = clients[who];
  if (!one.connection)
    return;
  one.wants = false;
  ask_to_leave(one);
}

void sim_crowd::publish(std::size_t who, std::int64_t value) {
  auto& one = clients[who];
  if (!one.connection)
    return;
  session_request body;
  body.session = session_id{one.session};
  body.body = set_live_command{{{"n", live_value{value}}}, millis{0}};
  ask(one, std::move(body));
}

void sim_crowd::drop(std::size_t who) {
  auto& one = clients[who];
  if (!one.connection)
    return;
  one.wants = false;
  if (one.at->running() && one.at->self() == one.node) {
    evidence told;
    told.items.push_back({one.id, sign::closed, millis{0}});
    caf::anon_send(one.at->router, std::make_shared<const note>(
                                     note{key_of(one), one.at->self(), told}));
  }
  end(one);
}

void sim_crowd::lose(sim_node& node) {
  for (auto& one : clients)
    if (one.at == &node && one.connection) {
      end(one);
      one.wants = false;
    }
}

void sim_crowd::retry() {
  for (std::size_t who = 0; who < clients.size(); ++who) {
    auto& one = clients[who];
    if (!one.connection || !one.refused)
      continue;
    one.refused = false;
    if (!one.wants) {
      ask_to_leave(one);
    } else if (one.sees.resumes()) {
      // What an earlier try still brings would be no sequel to a later one.
      auto& node = *one.at;
      drop(who);
      join(who, node, true);
    } else {
      ask_to_join(one, false);
    }
  }
}

bool sim_crowd::is_observed(const std::string& session,
                            const sim_node& node) const {
  for (const auto& one : clients)
    if (one.session == session && one.at == &node && one.wants
        && one.connection)
      return true;
  return false;
}

std::set<std::string> sim_crowd::expected(const std::string& session) const {
  std::set<std::string> out;
  for (const auto& one : clients)
    if (one.session == session && one.wants && one.connection)
      out.insert(one.user);
  return out;
}

void sim_crowd::ask_to_leave(sim_client& one) {
  session_request body;
  body.session = session_id{one.session};
  body.body = leave_command{};
  ask(one, std::move(body));
}

void sim_crowd::ask(sim_client& one, session_request body) {
  auto asked = std::make_shared<client_request>();
  asked->id = ++requests_;
  asked->body = std::move(body);
  caf::anon_send(one.connection, client_request_ptr{asked});
}

void sim_crowd::end(sim_client& one) {
  if (!one.connection)
    return;
  by_socket_.erase(one.socket);
  caf::anon_send(one.connection, client_gone{false});
  one.connection = nullptr;
}

// -- what they hear ----------------------------------------------------------

void sim_crowd::hear(client_ref to, const edge::value& frame) {
  auto at = by_socket_.find(to);
  if (at == by_socket_.end())
    return;
  ++frames;
  auto& one = clients[at->second];
  if (frame.find("re") != nullptr && frame.find("push") == nullptr)
    take_answer(one, frame);
  else
    take_push(at->second, frame);
}

void sim_crowd::take_answer(sim_client& one, const edge::value& frame) {
  auto number = *frame.find("re")->get_if<std::int64_t>();
  if (!is_true(frame.find("ok"))) {
    const auto* why = frame.find("error");
    if (is_true(why->find("retryable")))
      one.refused = true;
    else if (joins_.contains(number))
      complaints.push_back("the join of " + one.user + " to " + one.session
                           + " was refused: " + text_of(why->find("message")));
    return;
  }
  if (one.accepted || frame.find("is_reconnection") == nullptr)
    return;
  one.accepted = world_.now();
  one.accepted_at = version_of(frame.find("at"));
}

void sim_crowd::take_push(std::size_t who, const edge::value& frame) {
  auto& one = clients[who];
  auto kind = text_of(frame.find("push"));
  if (kind == "bye" && text_of(frame.find("reason")) == "overloaded") {
    // Its node knows less than it has seen: it comes back, here or elsewhere.
    ++sent_elsewhere;
    drop(who);
    return;
  }
  if (kind == "bye")
    complaints.push_back("at " + std::to_string(world_.now().count())
                         + " ms the socket of " + one.user
                         + " was closed: " + text_of(frame.find("code")) + ", "
                         + text_of(frame.find("reason")));
  if (kind == "direct") {
    one.refused = true;
    one.accepted.reset();
    return;
  }
  if (kind != "snapshot" && kind != "changes")
    return;
  auto& sees = one.sees;
  sees.take(frame, world_.now());
  if (on_push)
    on_push(who, frame);
  for (const auto& what : std::exchange(sees.complaints, {}))
    complaints.push_back(one.user + " of " + one.session + ": " + what);
  for (const auto& loss : std::exchange(sees.losses, {}))
    if (on_loss)
      on_loss(who, loss);
  auto text = sees.text();
  auto [known, fresh] = seen_.try_emplace({one.session, sees.at()}, text);
  if (!fresh && known->second != text)
    complaints.push_back(one.user + " sees " + one.session + " at "
                         + std::to_string(sees.at().epoch) + '/'
                         + std::to_string(sees.at().rev) + " as [" + text
                         + "], another saw [" + known->second + ']');
}

} // namespace rollcall::sim
