#pragma once

// The clients of a simulated cluster, and what must be true of them.

#include "sim/sim_node.hpp"

#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace rollcall::sim {

/// A client with a real connection actor at one edge.
struct sim_client {
  std::string user;
  std::string session;
  sim_node* at = nullptr;
  connection_actor connection;
  connection_id id;
  client_ref socket;
  /// Has asked to join and not to leave.
  bool wants = false;
  /// When it was seen that the join was answered.
  std::optional<millis> accepted;
  version accepted_at;
};

/// Opens, closes and moves clients; keeps what is true of them.
class sim_crowd {
public:
  explicit sim_crowd(sim_world& world) : world_(world) {
    // nop
  }

  ~sim_crowd() {
    for (auto& one : clients)
      end(one);
  }

  sim_crowd(const sim_crowd&) = delete;
  sim_crowd& operator=(const sim_crowd&) = delete;

  std::size_t add(std::string user, std::string session) {
    auto& one = clients.emplace_back();
    one.user = std::move(user);
    one.session = std::move(session);
    return clients.size() - 1;
  }

  /// Connects at `node` and joins. Joins are repeated as a real client does,
  /// until one is answered.
  void join(std::size_t who, sim_node& node) {
    auto& one = clients[who];
    end(one);
    one.at = &node;
    one.id = {node.self().incarnation * 1'000 + last_ % 7, ++last_};
    one.socket = {0, last_};
    edge::token_claims claims;
    claims.user = user_id{one.user};
    claims.who.name = one.user;
    claims.issued_at = world_.fixture.now().wall;
    claims.expires_at = claims.issued_at + millis{3'600'000};
    claims.grants.allow(
      "*", capability_set{capability::observe_roster, capability::join,
                          capability::publish, capability::create});
    one.connection
      = edge::spawn_connection(world_.fixture.system(), node.edge_env(),
                               {one.socket, dialect::json, one.id,
                                edge::mint_token(sim_node::key(), claims)});
    one.wants = true;
    one.accepted.reset();
    ask_to_join(one);
  }

  void ask_to_join(const sim_client& one) {
    session_request body;
    body.session = session_id{one.session};
    body.body = join_command{std::nullopt, {}, "stage"};
    body.wanted = view::roster;
    ask(one, std::move(body));
  }

  void leave(std::size_t who) {
    auto& one = clients[who];
    if (!one.connection)
      return;
    one.wants = false;
    ask_to_leave(one);
  }

  void publish(std::size_t who, std::int64_t value) {
    auto& one = clients[who];
    if (!one.connection)
      return;
    session_request body;
    body.session = session_id{one.session};
    body.body = set_live_command{{{"n", live_value{value}}}, millis{0}};
    ask(one, std::move(body));
  }

  /// Whether somebody at this node watches the session.
  [[nodiscard]] bool is_observed(const std::string& session,
                                 const sim_node& node) const {
    for (const auto& one : clients)
      if (one.session == session && one.at == &node && one.wants
          && one.connection)
        return true;
    return false;
  }

  void ask_to_leave(const sim_client& one) {
    session_request body;
    body.session = session_id{one.session};
    body.body = leave_command{};
    ask(one, std::move(body));
  }

  /// The socket closes without a word; the edge notices at once.
  void drop(std::size_t who) {
    auto& one = clients[who];
    if (!one.connection)
      return;
    one.wants = false;
    if (one.at->running()) {
      evidence told;
      told.items.push_back({one.id, sign::closed, millis{0}});
      caf::anon_send(one.at->router, std::make_shared<const note>(note{
                                       key_of(one), one.at->self(), told}));
    }
    end(one);
  }

  /// Its edge is gone, and so is its connection.
  void lose(sim_node& node) {
    for (auto& one : clients)
      if (one.at == &node && one.connection) {
        end(one);
        one.wants = false;
      }
  }

  /// Users who should be shown in a session when all is quiet.
  [[nodiscard]] std::set<std::string>
  expected(const std::string& session) const {
    std::set<std::string> out;
    for (const auto& one : clients)
      if (one.session == session && one.wants && one.connection)
        out.insert(one.user);
    return out;
  }

  /// Asks again for those whose join was refused meanwhile, and answers what
  /// a `removed` would make a real client do.
  void retry() {
    for (auto& one : clients) {
      if (!one.connection)
        continue;
      bool refused = false;
      for (const auto& frame : one.at->sink->take(one.socket)) {
        bool removed = frame.find(R"("type":"removed")") != std::string::npos;
        refused = refused || removed
                  || frame.find(R"("retryable":true)") != std::string::npos;
        if (removed)
          one.accepted.reset();
        else if (!one.accepted
                 && frame.find(R"("is_reconnection")") != std::string::npos
                 && frame.find(R"("ok":true)") != std::string::npos) {
          one.accepted = world_.fixture.now().steady;
          one.accepted_at = version_of(frame);
        }
      }
      if (refused && one.wants)
        ask_to_join(one);
      else if (refused)
        ask_to_leave(one);
    }
  }

  /// `"at":[epoch,rev]` of an answer.
  static version version_of(const std::string& frame) {
    auto at = frame.find(R"("at":[)");
    if (at == std::string::npos)
      return {};
    char* end = nullptr;
    auto epoch = std::strtoull(frame.c_str() + at + 6, &end, 10);
    return {epoch, std::strtoull(end + 1, nullptr, 10)};
  }

  static session_key key_of(const sim_client& one) {
    return {namespace_id{"default"}, session_id{one.session}};
  }

  std::vector<sim_client> clients;

private:
  void ask(const sim_client& one, session_request body) {
    auto asked = std::make_shared<client_request>();
    asked->id = static_cast<std::int64_t>(++requests_);
    asked->body = std::move(body);
    caf::anon_send(one.connection, client_request_ptr{asked});
  }

  void end(sim_client& one) {
    if (!one.connection)
      return;
    caf::anon_send(one.connection, client_gone{false});
    world_.fixture.drain();
    one.connection = nullptr;
  }

  sim_world& world_;
  std::uint64_t last_ = 0;
  std::uint64_t requests_ = 0;
};

} // namespace rollcall::sim
