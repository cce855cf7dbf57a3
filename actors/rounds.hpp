#pragma once

// The rounds of one session: which are open, who has answered what, how far
// those present have got. Knows no rights and no time. Values in, values out;
// what is durable comes in as records, once it is kept.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/changes.hpp"
#include "actors/records.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rollcall {

/// Owned by one session_state. Holds at most limits::rounds_per_session rounds
/// and limits::answers_per_session answers.
class rounds {
public:
  /// One round with its answers.
  struct round {
    round_record record;
    std::map<participant_id, submission_record> answers;
    /// Of those present.
    std::uint32_t eligible = 0;
    std::uint32_t submitted = 0;
  };

  [[nodiscard]] const round* find(std::string_view name) const;
  [[nodiscard]] const submission_record*
  answer_of(std::string_view name, const participant_id& who) const;

  [[nodiscard]] std::size_t size() const noexcept {
    return all_.size();
  }

  /// What answers add to those that are here.
  struct growth {
    std::size_t answers = 0;
    std::size_t bytes = 0;

    growth& operator+=(const growth& other) noexcept {
      answers += other.answers;
      bytes += other.bytes;
      return *this;
    }

    growth& operator-=(const growth& other) noexcept {
      answers -= other.answers;
      bytes -= other.bytes;
      return *this;
    }
  };

  /// Of an answer of so many bytes in place of `old`; never less than nothing.
  [[nodiscard]] static growth growth_of(std::size_t bytes,
                                        const submission_record* old) noexcept;

  /// Whether so much more fits.
  [[nodiscard]] result<done> room_for(const growth& more) const;

  /// Takes a record; an answer of a round that is not here is dropped.
  void take(const round_record& kept);
  void take(const submission_record& kept, const participant_id& who,
            bool present, std::string_view role);

  /// Says at which version an answer's operation took effect.
  void set_version(std::string_view name, const participant_id& who,
                   const op_id& op, version at);

  /// Drops the answers of somebody who is erased, and says in which rounds.
  std::vector<std::string> forget(const participant_id& who, bool present,
                                  std::string_view role);

  /// Answers that mention somebody, of others than that one, with what they
  /// say of it taken out; so many bytes of them, and one more.
  [[nodiscard]] std::vector<submission_record>
  answers_without(const participant_id& who, std::size_t bytes) const;

  // -- who is here -----------------------------------------------------------

  /// Forgets who is here, to be told anew.
  void recount() noexcept;
  void enter(const participant_id& who, std::string_view role);
  /// Likewise for one round that has just opened.
  void enter(std::string_view name, const participant_id& who,
             std::string_view role);
  void leave(const participant_id& who, std::string_view role);

  // -- out -------------------------------------------------------------------

  [[nodiscard]] static bool eligible(const round_record& of,
                                     std::string_view role);

  /// All rounds as observers see them, in order of their names.
  [[nodiscard]] std::vector<round_view> views() const;
  [[nodiscard]] static round_view view_of(const round& one);

  /// Of each round that looks otherwise than when this was last asked: how it
  /// looks now, with only those who have answered since.
  [[nodiscard]] std::vector<round_view> take_news();

  /// As if `take_news` had been asked.
  void forget_news() noexcept {
    touched_.clear();
  }

private:
  void enter(round& one, const participant_id& who, std::string_view role);
  void touch(const round& one);

  std::map<std::string, round, std::less<>> all_;
  std::size_t answers_ = 0;
  std::size_t bytes_ = 0;
  /// Rounds to be told of, and who has answered in them since.
  std::map<std::string, std::set<participant_id>, std::less<>> touched_;
};

/// What follows for a view from the news of a round (a `submission_change`).
void merge_news(round_view& seen, const round_view& news);

} // namespace rollcall
