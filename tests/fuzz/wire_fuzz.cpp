// Any bytes are a node message within every bound, or a refusal that says why.

#include "cluster/wire.hpp"

#include "actors/base/limits.hpp"

#include <cstdint>
#include <cstdlib>

using namespace rollcall;
using namespace rollcall::cluster;

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  constexpr millis now{1'000'000};
  std::string_view bytes{reinterpret_cast<const char*>(data), size};
  auto out = decode(bytes, now);
  if (!out) {
    require(out.error().code == errc::bad_request);
    require(!out.error().message.empty() && !out.error().field.empty());
    return 0;
  }
  // The writer checks every bound: what it takes back was within them.
  auto again = encode(out->message, out->from, now);
  require(again.ok());
  auto twice = decode(*again, now);
  require(twice.ok() && twice->from == out->from);
  require(*encode(twice->message, twice->from, now) == *again);
  return 0;
}
