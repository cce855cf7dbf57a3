#include "cluster/router_actor.hpp"

#include "actors/base/hash.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace rollcall::cluster {

namespace {

struct router_shell {
  static inline const char* name = "router";

  std::vector<partition_actor> local;
  std::int64_t commands = 0;
  std::int64_t notes = 0;

  const partition_actor& owner_of(const session_key& session) const {
    return local[partition_of(session,
                              static_cast<std::uint32_t>(local.size()))];
  }
};

using self_ptr = router_actor::stateful_pointer<router_shell>;

router_actor::behavior_type
router_behavior(self_ptr self, std::vector<partition_actor> local) {
  self->state.local = std::move(local);
  return {
    [self](const command_ptr& asked) {
      ++self->state.commands;
      return self->delegate(self->state.owner_of(asked->session), asked);
    },
    [self](const note_ptr& told) {
      ++self->state.notes;
      self->send(self->state.owner_of(told->session), told);
    },
    [self](atoms::inspect) -> inspection_ptr {
      auto out = std::make_shared<inspection>();
      out->actor = "router";
      out->figures
        = {{"commands", self->state.commands},
           {"notes", self->state.notes},
           {"partitions", static_cast<std::int64_t>(self->state.local.size())}};
      return out;
    },
  };
}

} // namespace

router_actor spawn_router(caf::actor_system& system,
                          std::vector<partition_actor> local) {
  return system.spawn(router_behavior, std::move(local));
}

} // namespace rollcall::cluster
