#pragma once

// Node messages for tests: filled at random, and compared member by member,
// with no help from the code that puts them on the wire.

#include "actors/ports.hpp"

#include <cstdint>
#include <random>

namespace rollcall::test {

/// Makes messages whose values are within their bounds.
class filler {
public:
  explicit filler(std::uint64_t seed) : random_(seed) {
    // nop
  }

  node_message message();

  std::uint64_t below(std::uint64_t end) {
    return random_() % end;
  }

private:
  std::mt19937_64 random_;
};

bool same(const node_message& a, const node_message& b);

} // namespace rollcall::test
