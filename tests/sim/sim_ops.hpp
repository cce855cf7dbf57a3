#pragma once

// Durable changes of a simulated cluster: a server sets roles through any
// node, asks again until it knows the outcome, repeats itself, and others try
// what they may not. What was answered `committed` must be there at the end.

#include "sim/sim_node.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::sim {

class sim_ops {
public:
  sim_ops(sim_world& world, std::uint64_t seed) : world_(world), random_(seed) {
    // nop
  }

  sim_ops(const sim_ops&) = delete;
  sim_ops& operator=(const sim_ops&) = delete;

  /// Starts something for this user of this session, if nothing is under way.
  void start(const std::string& session, const std::string& user);

  /// Asks again where the outcome is unknown.
  void retry();

  /// The role that a user of a session must have; nothing where none is known.
  [[nodiscard]] std::optional<std::string>
  expected(const std::string& session, const std::string& user) const;

  /// Compares what the log holds, and how far the answers got.
  void check();

  /// Told what is asked and answered about a user, for whoever looks for a
  /// cause.
  std::function<void(const std::string& user, const std::string& what)> tell;
  std::vector<std::string> complaints;
  std::uint64_t started = 0;
  std::uint64_t committed = 0;
  std::uint64_t repeated = 0;
  std::uint64_t refused = 0;
  std::uint64_t unknown = 0;

private:
  struct operation {
    std::string id;
    std::string role;
  };

  /// All about one member. One operation at a time, so that their order is
  /// the order of their answers.
  struct member_history {
    std::vector<operation> done;
    std::optional<operation> now;
    bool repeats = false;
    /// Since when an answer is waited for.
    std::optional<millis> waiting;
    std::uint64_t asks = 0;
  };

  using target = std::pair<std::string, std::string>;

  void ask(const target& whom);
  void tell_of(const target& whom, const std::string& what) const;
  void ask_forbidden(const target& whom);
  void answered(const target& whom, const result<reply>& answer);
  sim_node* some_node();
  [[nodiscard]] static command_ptr make(const target& whom, sim_node& at,
                                        const operation& what,
                                        const std::string& caller,
                                        capability_set grants);

  sim_world& world_;
  std::mt19937_64 random_;
  std::map<target, member_history> members_;
  std::uint64_t last_ = 0;
  /// What callbacks look at: they may outlive this.
  std::shared_ptr<bool> here_ = std::make_shared<bool>(true);

public:
  ~sim_ops() {
    *here_ = false;
  }
};

} // namespace rollcall::sim
