#pragma once

// The clients of a simulated cluster, and what must be true of them.

#include "sim/client_model.hpp"
#include "sim/sim_node.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::sim {

/// A client with a real connection actor at one edge.
struct sim_client {
  std::string user;
  std::string session;
  std::string kind = "stage";
  sim_node* at = nullptr;
  node_id node;
  connection_actor connection;
  connection_id id;
  client_ref socket;
  /// Has asked to join and not to leave.
  bool wants = false;
  millis wants_since{0};
  /// When it was told that it is in.
  std::optional<millis> accepted;
  version accepted_at;
  /// Something it asked for was refused for now, or it was removed.
  bool refused = false;
  client_model sees;
};

/// Opens, closes and moves clients; keeps what is true of them, and compares
/// what they see of one session at one version.
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

  std::size_t add(std::string user, std::string session,
                  std::string kind = "stage");

  /// Connects at `node` and joins; with `resumes` it asks for what it missed.
  void join(std::size_t who, sim_node& node, bool resumes = false);
  void leave(std::size_t who);
  void publish(std::size_t who, std::int64_t value);

  /// The socket closes without a word; the edge notices at once.
  void drop(std::size_t who);

  /// Its edge is gone, and so is its connection.
  void lose(sim_node& node);

  /// Asks again for those who were refused meanwhile, as a real client does.
  void retry();

  /// Whether somebody at this node watches the session.
  [[nodiscard]] bool is_observed(const std::string& session,
                                 const sim_node& node) const;

  /// Users who should be shown in a session when all is quiet.
  [[nodiscard]] std::set<std::string>
  expected(const std::string& session) const;

  [[nodiscard]] static session_key key_of(const sim_client& one) {
    return {namespace_id{"default"}, session_id{one.session}};
  }

  std::vector<sim_client> clients;
  std::vector<std::string> complaints;
  std::uint64_t frames = 0;
  /// Clients that had seen more than a node that was cut off.
  std::uint64_t sent_elsewhere = 0;
  /// Told of every loss that a client sees, by its number.
  std::function<void(std::size_t, const seen_loss&)> on_loss;
  /// Told of every push, when it is folded.
  std::function<void(std::size_t, const edge::value&)> on_push;

private:
  void ask(sim_client& one, session_request body);
  void ask_to_join(sim_client& one, bool resumes);
  void ask_to_leave(sim_client& one);
  void hear(client_ref to, const edge::value& frame);
  void take_push(std::size_t who, const edge::value& frame);
  void take_answer(sim_client& one, const edge::value& frame);
  void end(sim_client& one);

  sim_world& world_;
  std::uint64_t last_ = 0;
  std::int64_t requests_ = 0;
  std::map<client_ref, std::size_t> by_socket_;
  /// Requests that must not be refused for good.
  std::set<std::int64_t> joins_;
  std::map<std::pair<std::string, version>, std::string> seen_;
};

} // namespace rollcall::sim
