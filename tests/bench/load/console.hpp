#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rollcall::bench {

/// Standard input as whoever runs us uses it: words, one a line. Never waits.
class console {
public:
  /// Whether `word` was said; each counts once.
  [[nodiscard]] bool said(std::string_view word);

  /// Whether there is nobody to say more.
  [[nodiscard]] bool closed();

private:
  void read();

  /// At most `text_most`; more is dropped.
  std::string text_;
  bool closed_ = false;

  static constexpr std::size_t text_most = 4'096;
};

} // namespace rollcall::bench
