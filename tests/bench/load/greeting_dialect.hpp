#pragma once

#include "tests/bench/load/dialect.hpp"

#include <functional>
#include <utility>

namespace rollcall::bench {

/// Another dialect, which must outlive it, with a first word of one's own.
class greeting_dialect final : public dialect {
public:
  using greeting = std::function<std::string(const seat& who)>;

  greeting_dialect(const dialect& base, greeting words)
    : base_{base}, words_{std::move(words)} {}

  std::string path() const override {
    return base_.path();
  }

  std::string headers(const seat& who) const override {
    return base_.headers(who);
  }

  std::string greet(const seat& who) const override {
    return words_(who);
  }

  reading read(const seat& who, position& at,
               std::string_view text) const override {
    return base_.read(who, at, text);
  }

  std::string event(const seat& who, std::size_t number) const override {
    return base_.event(who, number);
  }

  std::string heartbeat() const override {
    return base_.heartbeat();
  }

private:
  const dialect& base_;
  greeting words_;
};

/// Rollcall's word of one who looks and does not join.
[[nodiscard]] inline std::string watching(const seat& who) {
  return R"({"op":"attach","id":1,"session":")" + who.room + R"("})";
}

} // namespace rollcall::bench
