// The frame decoder on any bytes: the same events however they arrive, and
// nothing kept beyond its bounds.

#include "edge/net/frame_codec.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using rollcall::edge::frame_decoder;
using event = frame_decoder::event;

struct seen {
  event what;
  std::string payload;
  std::uint16_t code;

  friend bool operator==(const seen&, const seen&) = default;
};

std::vector<seen> run(const std::string& bytes, std::size_t piece) {
  frame_decoder decoder;
  std::vector<seen> events;
  std::string kept;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    kept.append(bytes, at, piece);
    std::span<char> input{kept};
    while (true) {
      const auto what = decoder.next(input);
      if (what == event::need_more)
        break;
      const auto ends = what == event::closed || what == event::failed;
      events.push_back({what, std::string{decoder.payload()},
                        ends ? decoder.close_code() : std::uint16_t{0}});
    }
    kept.erase(0, kept.size() - input.size());
    if (decoder.buffered() > 2 * rollcall::limits::frame_bytes)
      std::abort();
  }
  return events;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string bytes{reinterpret_cast<const char*>(data), size};
  const auto whole = run(bytes, bytes.size() + 1);
  if (run(bytes, 1) != whole || run(bytes, 7) != whole)
    std::abort();
  return 0;
}
