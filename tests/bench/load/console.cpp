#include "tests/bench/load/console.hpp"

#include <algorithm>
#include <array>

#include <poll.h>
#include <unistd.h>

namespace rollcall::bench {

bool console::said(std::string_view word) {
  read();
  auto line = std::string{word} + '\n';
  auto at = text_.find(line);
  if (at == std::string::npos)
    return false;
  text_.erase(at, line.size());
  return true;
}

bool console::closed() {
  read();
  return closed_;
}

void console::read() {
  std::array<char, 256> bytes;
  pollfd in{STDIN_FILENO, POLLIN, 0};
  while (!closed_ && ::poll(&in, 1, 0) > 0) {
    auto n = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    closed_ = n <= 0;
    auto room = text_most - std::min(text_most, text_.size());
    if (n > 0)
      text_.append(bytes.data(), std::min(room, static_cast<std::size_t>(n)));
  }
}

} // namespace rollcall::bench
