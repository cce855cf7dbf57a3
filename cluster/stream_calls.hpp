#pragma once

// JetStream's API for one stream, as calls that wait.

#include "cluster/nats_requests.hpp"
#include "cluster/stream_api.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::cluster {

/// Stateless and thread-safe. Reads ask the stream's leader, never another
/// replica, and are asked again until there is an answer: `unavailable` says
/// that there was none in time. What the server refuses is in the answer.
class stream_calls {
public:
  /// A message in stream order; false to stop.
  using visitor
    = std::function<result<bool>(std::uint64_t sequence, std::string_view)>;

  /// `ask` outlives this.
  stream_calls(nats_requests& ask, std::string stream);

  /// The streams that take any of `subject`.
  [[nodiscard]] result<names_answer> names(std::string_view subject,
                                           steady_time until);
  [[nodiscard]] result<info_answer> info(steady_time until);
  [[nodiscard]] result<info_answer> create(const stream_settings& wanted,
                                           steady_time until);
  [[nodiscard]] result<message_answer> message_at(std::uint64_t sequence,
                                                  steady_time until);
  /// Nothing only if the server says that there is none: any other refusal is
  /// `unavailable`.
  [[nodiscard]] result<std::optional<message_answer>>
  last_message(std::string_view subject, steady_time until);
  /// The first at or behind `first` whose subject passes `filter`; nothing as
  /// above.
  [[nodiscard]] result<std::optional<message_answer>>
  next_message(std::string_view filter, std::uint64_t first, steady_time until);

  /// Visits the messages from `first` to `last` whose subject passes
  /// `filter`. Ends with `unavailable` when nothing comes for `patience`, and
  /// with a failure of `visit` about what the leader gave: what a consumer
  /// gave may be another replica's, and the leader is asked once more.
  ///
  /// Begins message by message, for which only the stream's leader is needed;
  /// only where there are many is a consumer tried. Consumers are placed by
  /// the servers' meta leader, and of 2.9.10 now and then on a server that is
  /// gone.
  [[nodiscard]] result<done> read(std::string_view filter, std::uint64_t first,
                                  std::uint64_t last, millis patience,
                                  const visitor& visit);

  [[nodiscard]] const std::string& stream() const noexcept;

private:
  /// Where a read has come to.
  struct progress {
    std::uint64_t next = 0;
    std::uint64_t last = 0;
    bool over = false;
  };

  /// Asks the same once more whenever `again` has passed.
  [[nodiscard]] result<std::string> call(const std::string& subject,
                                         const std::string& body,
                                         steady_time until,
                                         millis again = millis{250});
  [[nodiscard]] result<std::optional<message_answer>>
  find_message(const std::string& request, steady_time until);
  [[nodiscard]] std::string api(const char* what) const;
  [[nodiscard]] result<done> read_singly(std::string_view filter, progress& at,
                                         millis patience, const visitor& visit);
  [[nodiscard]] result<done> confirm_end(const progress& at, steady_time until);
  [[nodiscard]] result<done> read_some(std::string_view filter, progress& at,
                                       const visitor& visit);
  [[nodiscard]] result<done> pull_all(const std::string& consumer, progress& at,
                                      const visitor& visit);

  nats_requests& ask_;
  std::string stream_;
};

} // namespace rollcall::cluster
