#pragma once

// Plays the router, and the owners behind it: hands on what it is asked.

#include "actors/interfaces.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <functional>
#include <utility>
#include <vector>

namespace rollcall::test {

struct fake_router_hooks {
  /// The answer to a command; without one it waits until `inspect`, when all
  /// that wait are asked for again.
  std::function<reply_ptr(const command_ptr&)> answer;
  std::function<void(const note_ptr&)> note;
};

struct fake_router_shell {
  fake_router_hooks hooks;
  std::vector<std::pair<command_ptr, caf::typed_response_promise<reply_ptr>>>
    held;
};

inline router_actor::behavior_type
fake_router_behavior(router_actor::stateful_pointer<fake_router_shell> self,
                     fake_router_hooks hooks) {
  self->state.hooks = std::move(hooks);
  return {
    [self](const command_ptr& asked) -> caf::result<reply_ptr> {
      auto promise = self->make_response_promise<reply_ptr>();
      if (auto answer = self->state.hooks.answer(asked))
        promise.deliver(answer);
      else
        self->state.held.emplace_back(asked, promise);
      return promise;
    },
    [self](const note_ptr& told) { self->state.hooks.note(told); },
    [](const routed_from_ptr&) {},
    [](const routed_reply_ptr&) {},
    [](const ownership_ptr&, const partition_actor&) {},
    [](const edge_gone&) {},
    [](const edge_here&) {},
    [](const owner_lease&) {},
    [](atoms::wake) {},
    [self](atoms::inspect) -> inspection_ptr {
      for (auto& [asked, promise] : std::exchange(self->state.held, {}))
        if (auto answer = self->state.hooks.answer(asked))
          promise.deliver(answer);
        else
          self->state.held.emplace_back(asked, promise);
      return std::make_shared<const inspection>();
    },
  };
}

inline router_actor spawn_fake_router(caf::actor_system& system,
                                      fake_router_hooks hooks) {
  return system.spawn(fake_router_behavior, std::move(hooks));
}

} // namespace rollcall::test
