// Any bytes are a value or a refusal; a value survives both dialects.

#include "actors/base/ids.hpp"
#include "edge/protocol/json_codec.hpp"
#include "edge/protocol/msgpack_codec.hpp"
#include "value_text.hpp"

#include <cstdint>
#include <cstdlib>

using namespace rollcall;
using namespace rollcall::edge;

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

/// Longer spellings may exceed a frame; then there is nothing to compare.
template <class Writer, class Decode>
void require_same(const value& what, Decode decode) {
  auto again = decode(fuzz::text_of<Writer>(what), nullptr);
  require(again.ok() ? *again == what : again.error().code == errc::too_large);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  std::string_view bytes{reinterpret_cast<const char*>(data), size};
  value partial;
  auto out = decode_msgpack(bytes, &partial);
  if (!out) {
    require(!out.error().message.empty());
    require(is_utf8(out.error().field));
    return 0;
  }
  require_same<json_writer>(*out, decode_json);
  require_same<msgpack_writer>(*out, decode_msgpack);
  return 0;
}
