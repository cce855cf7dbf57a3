#include "persistence/history_actor.hpp"

#include "actors/base/log.hpp"
#include "persistence/past_reader.hpp"

#include <caf/actor_system.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>

namespace rollcall {

namespace {

struct history_shell {
  static inline const char* name = "history";

  std::shared_ptr<store> disk;
  std::vector<kind_settings> kinds;
  metrics::counter* asked = nullptr;
  metrics::counter* failed = nullptr;
  metrics::histogram* seconds = nullptr;
};

using self_ptr = history_actor::stateful_pointer<history_shell>;

store_findings_ptr take_question(history_shell& s,
                                 const store_question& asked) {
  s.asked->add();
  auto begin = std::chrono::steady_clock::now();
  auto found = answer_question(*s.disk, s.kinds, asked);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  s.seconds->observe(took.count());
  if (!found && found.error().code != errc::bad_request) {
    s.failed->add();
    log(log_level::error, "history", "read_failed", {{"why", found.error()}});
  }
  return std::make_shared<const result<store_findings>>(std::move(found));
}

inspection_ptr inspect(const history_shell& s) {
  auto out = std::make_shared<inspection>();
  out->actor = history_shell::name;
  out->figures = {{"asked", static_cast<std::int64_t>(s.asked->value())},
                  {"failed", static_cast<std::int64_t>(s.failed->value())}};
  return out;
}

history_actor::behavior_type history_behavior(self_ptr self,
                                              std::shared_ptr<store> disk,
                                              const history_config& config) {
  auto& s = self->state;
  s.disk = std::move(disk);
  s.kinds = config.kinds;
  auto& to = *config.metrics;
  s.asked = &to.make_counter("rollcall_history_questions_total",
                             "Questions about the past that were answered.");
  s.failed = &to.make_counter("rollcall_history_failures_total",
                              "Questions the disk did not answer.");
  s.seconds = &to.make_histogram("rollcall_history_read_seconds",
                                 "Duration of such an answer.",
                                 metrics::duration_buckets());
  return {
    [self](const store_question_ptr& asked) {
      return take_question(self->state, *asked);
    },
    [self](atoms::stop) { self->quit(); },
    [self](atoms::inspect) { return inspect(self->state); },
  };
}

} // namespace

history_actor spawn_history(caf::actor_system& system,
                            std::shared_ptr<store> disk,
                            const history_config& config) {
  if (config.detached)
    return system.spawn<caf::detached>(history_behavior, std::move(disk),
                                       config);
  return system.spawn(history_behavior, std::move(disk), config);
}

} // namespace rollcall
