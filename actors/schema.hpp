#pragma once

// What an answer must look like: a bounded description, and the check of an
// answer against it. Values in, values out.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/datum.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall {

/// The values are stored and on the wire.
enum class answer_type : std::uint8_t {
  boolean,
  integer,
  /// With or without fraction.
  number,
  text,
  /// One of `choices`.
  choice,
  /// Any number of what its one child describes.
  list,
  /// The named fields its children describe.
  record,
  /// From participants, each at most once, to what its one child describes.
  participants,
};

[[nodiscard]] std::string_view to_string(answer_type type) noexcept;
[[nodiscard]] std::optional<answer_type>
parse_answer_type(std::string_view name) noexcept;

/// One rule of a schema.
struct answer_rule {
  /// The field's name; empty for the root, and below lists and participants.
  std::string name;
  answer_type type = answer_type::record;
  /// The field may be absent.
  bool optional = false;
  /// Bounds of a number, of a text's bytes, or of how many there are in a list
  /// or of participants.
  std::optional<double> least{};
  std::optional<double> most{};
  std::vector<std::string> choices{};
  /// Bounds of the sum over a list of numbers, or over participants.
  std::optional<double> sum_least{};
  std::optional<double> sum_most{};
  /// Whether one may speak of oneself, among participants.
  bool self = false;
  /// How many rules follow that are below this one.
  std::uint16_t below = 0;

  friend bool operator==(const answer_rule&, const answer_rule&) = default;
};

/// A tree of rules, parents first. The first is the root, a `record`. At most
/// limits::schema_rules, at most limits::schema_depth deep.
using answer_schema = std::vector<answer_rule>;

/// Refuses a schema that breaks its bounds or contradicts itself. The failure
/// names the field under `schema`.
[[nodiscard]] result<done> check(const answer_schema& schema);

/// Refuses a schema, sound by `check`, that no answer fits, or that has bounds
/// where they mean nothing. For new rounds: those that are kept may be such.
[[nodiscard]] result<done> check_answerable(const answer_schema& schema);

/// Who is meant by the name an answer gives: a user or a participant of the
/// session; nothing if there is none.
using participant_finder
  = std::function<std::optional<participant_id>(std::string_view name)>;

/// The answer with its participants by public id, or why it is refused; the
/// failure names the field under `answer`. `by` is who answers.
[[nodiscard]] result<datum> validate(const answer_schema& schema,
                                     const datum& answer,
                                     const participant_id& by,
                                     const participant_finder& find);

} // namespace rollcall
