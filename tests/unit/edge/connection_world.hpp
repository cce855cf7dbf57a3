#pragma once

// A client's connection actor with all around it: played owners, a hub, and a
// sink that keeps what the client would have received.

#include "edge/auth/token.hpp"
#include "edge/connection/connection_actor.hpp"
#include "edge/relay/relay_actor.hpp"
#include "support/actor_fixture.hpp"
#include "support/fake_router.hpp"
#include "support/recording_sink.hpp"
#include "support/session_harness.hpp"

#include <caf/scheduled_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rollcall::test {

/// Plays the owners: answers joins and observations, keeps what it was asked.
struct owner_log {
  std::vector<command_ptr> commands;
  std::vector<note_ptr> notes;
  /// While set, nothing is answered.
  bool silent = false;
  /// While set, the answer to everything.
  std::optional<failure> refusal;
  /// What those who join are admitted with.
  version stay{1, 1};
  /// While set, the node is cut off and knows less than was seen.
  bool behind = false;
};

inline reply_ptr knows_less() {
  return std::make_shared<const result<reply>>(
    fail(errc::unavailable, "the node is cut off", behind_field));
}

inline reply_ptr answer_to(const command& asked, version stay) {
  reply out;
  out.at = {1, 1};
  if (std::holds_alternative<join_command>(asked.body))
    out.body = join_reply{asked.caller.participant,
                          preset_kinds()[4],
                          {stay, millis{0}, 0},
                          asked.caller.grants};
  else if (std::holds_alternative<observe_command>(asked.body))
    out.body = observe_reply{preset_kinds()[0],
                             asked.caller.user.empty()
                               ? capability_set{capability::observe_count}
                               : asked.caller.grants};
  else if (std::holds_alternative<renew_command>(asked.body))
    out.body = renew_reply{millis{45'000}};
  return std::make_shared<const result<reply>>(out);
}

/// Plays the partitions together: they answer at `wake`.
struct gather_log {
  std::vector<caf::typed_response_promise<gathered_ptr>> open;
};

inline gather_actor::behavior_type
silent_gather(gather_actor::stateful_pointer<gather_log> self) {
  return {
    [self](const gather_order_ptr&) -> caf::result<gathered_ptr> {
      return self->state.open.emplace_back(
        self->make_response_promise<gathered_ptr>());
    },
    [self](atoms::wake) {
      for (auto& one : std::exchange(self->state.open, {}))
        one.deliver(std::make_shared<const result<gathered>>(gathered{}));
    },
    [](atoms::inspect) -> inspection_ptr {
      return std::make_shared<const inspection>();
    },
  };
}

class ConnectionActor : public ::testing::Test {
protected:
  ConnectionActor() {
    router = spawn_fake_router(
      fixture.system(),
      {[this](const command_ptr& asked) {
         owner.commands.push_back(asked);
         if (owner.refusal)
           return std::make_shared<const result<reply>>(*owner.refusal);
         if (owner.behind && asked->seen)
           return knows_less();
         return owner.silent ? nullptr : answer_to(*asked, owner.stay);
       },
       [this](const note_ptr& told) { owner.notes.push_back(told); }});
    edge::relay_env relays;
    relays.router = router;
    relays.sink = sink;
    relays.self = {"node1", 1};
    relays.clock = [this] { return fixture.now(); };
    hub = edge::spawn_relay_hub(fixture.system(), relays);
    edge::token_config tokens;
    tokens.keys.push_back(key);
    auto verifier = edge::token_verifier::make(tokens);
    EXPECT_TRUE(verifier.ok());
    auto shared = std::make_shared<edge::connection_env>();
    shared->rules = std::make_shared<edge::connection_rules>(
      edge::connection_rules{*verifier, test_secret});
    shared->router = router;
    shared->hub = hub;
    gather = fixture.system().spawn(silent_gather);
    shared->gather = gather;
    shared->sink = sink;
    shared->self = {"node1", 1};
    shared->clock = [this] { return fixture.now(); };
    env = shared;
  }

  ~ConnectionActor() override {
    fixture.drop(client);
    fixture.drop(hub);
    fixture.drop(gather);
    fixture.drop(router);
  }

  std::string token(const std::string& user,
                    millis lifetime = millis{3'600'000}) {
    edge::token_claims claims;
    claims.user = user_id{user};
    claims.issued_at = fixture.now().wall;
    claims.expires_at = fixture.now().wall + lifetime;
    return edge::mint_token(key, claims);
  }

  void open(const std::string& with_token = {}) {
    client = edge::spawn_connection(fixture.system(), env,
                                    {ref, dialect::json, id, with_token});
    fixture.drain();
  }

  std::vector<std::string> ask(request_body body) {
    auto asked = std::make_shared<client_request>();
    asked->id = std::int64_t{++last_id};
    asked->body = std::move(body);
    caf::anon_send(client, client_request_ptr{asked});
    fixture.drain();
    return sink->take(ref);
  }

  std::vector<std::string> join(const std::string& session) {
    session_request body;
    body.session = session_id{session};
    body.body = join_command{};
    return ask(body);
  }

  static bool has(const std::vector<std::string>& frames,
                  const std::string& text) {
    for (const auto& frame : frames)
      if (frame.find(text) != std::string::npos)
        return true;
    return false;
  }

  edge::signing_key key{
    {}, namespace_id{"default"}, edge::algorithm::hs256, test_secret};
  actor_fixture fixture;
  owner_log owner;
  std::shared_ptr<recording_sink> sink = std::make_shared<recording_sink>();
  std::shared_ptr<const edge::connection_env> env;
  router_actor router;
  relay_hub_actor hub;
  gather_actor gather;
  connection_actor client;
  client_ref ref{0, 77};
  connection_id id{9, 1};
  std::int64_t last_id = 0;
};

} // namespace rollcall::test
