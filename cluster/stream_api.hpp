#pragma once

// JetStream's requests and answers as text (ADR-31 and ADR-1 of the NATS
// architecture). Pure.

#include "actors/base/errors.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::cluster {

/// The server's error numbers that mean something to us.
namespace stream_error {
/// More would be set aside than the server or the account has.
inline constexpr int no_meta_leader = 10008;
inline constexpr int not_the_leader = 10009;
inline constexpr int no_storage = 10047;
inline constexpr int message_not_found = 10037;
inline constexpr int not_enabled_for_account = 10039;
inline constexpr int stream_name_in_use = 10058;
inline constexpr int stream_not_found = 10059;
inline constexpr int wrong_last_sequence = 10071;
inline constexpr int not_enabled = 10076;
} // namespace stream_error

/// Any answer: an error, or the fields of it that were asked for.
struct stream_answer {
  /// Zero without an error. -1 when the answer was no answer.
  int error = 0;
  std::string description;
};

struct publish_answer : stream_answer {
  std::uint64_t sequence = 0;
  /// Of `wrong_last_sequence`: the right one; zero when it does not say.
  std::uint64_t last_sequence = 0;
  bool duplicate = false;
};

struct info_answer : stream_answer {
  std::string marker;
  std::int64_t messages_per_subject = 0;
  std::string discard;
  bool deny_purge = false;
  std::uint64_t last_sequence = 0;
  /// The name of the stream's leader, if the server says one.
  std::string leader;
};

/// The names of the streams that take a subject.
struct names_answer : stream_answer {
  std::vector<std::string> names;
};

struct message_answer : stream_answer {
  std::string subject;
  std::uint64_t sequence = 0;
  std::string data;
};

struct consumer_answer : stream_answer {
  std::string name;
  std::uint64_t pending = 0;
};

struct stream_settings {
  std::string name;
  std::string subjects;
  /// The description.
  std::string marker;
  int replicas = 1;
  std::int64_t max_bytes = 0;
  std::int64_t max_message_bytes = 0;
};

[[nodiscard]] std::string create_stream_request(const stream_settings& wanted);
[[nodiscard]] std::string message_at_request(std::uint64_t sequence);
[[nodiscard]] std::string last_message_request(std::string_view subject);
/// The first at or behind `first` whose subject passes `filter`.
[[nodiscard]] std::string next_message_request(std::string_view filter,
                                               std::uint64_t first);

/// An ephemeral pull consumer that nobody acknowledges.
[[nodiscard]] std::string consumer_request(std::string_view stream,
                                           std::string_view filter,
                                           std::uint64_t first);

/// At most 1,024 are answered at once, more than generations ever are.
[[nodiscard]] std::string stream_names_request(std::string_view subject);

/// Whether an answer only says that a leader is being elected.
[[nodiscard]] bool is_between_leaders(std::string_view json);

[[nodiscard]] publish_answer parse_publish_answer(std::string_view json);
[[nodiscard]] names_answer parse_names_answer(std::string_view json);
[[nodiscard]] info_answer parse_info_answer(std::string_view json);
[[nodiscard]] message_answer parse_message_answer(std::string_view json);
[[nodiscard]] consumer_answer parse_consumer_answer(std::string_view json);

} // namespace rollcall::cluster
