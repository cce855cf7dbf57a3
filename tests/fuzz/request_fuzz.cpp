// Any frame in either dialect is a request or a refusal that can be answered.

#include "actors/base/ids.hpp"
#include "actors/base/limits.hpp"
#include "edge/protocol/answer_encoder.hpp"
#include "edge/protocol/json_codec.hpp"
#include "edge/protocol/request_decoder.hpp"

#include <cstdint>
#include <cstdlib>

using namespace rollcall;
using namespace rollcall::edge;

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

void check_session(const session_request& request) {
  require(check_id(request.session.str(), "session").ok());
  require(request.op.str().size() <= limits::op_id_bytes);
  if (const auto* join = std::get_if<join_command>(&request.body))
    require(join->live.size() <= limits::live_keys && !join->resumes);
  if (const auto* live = std::get_if<set_live_command>(&request.body))
    require(live->live.size() <= limits::live_keys);
  require(!std::holds_alternative<observe_command>(request.body));
}

} // namespace

/// The first byte chooses the dialect.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0)
    return 0;
  auto language = data[0] % 2 == 0 ? dialect::json : dialect::msgpack;
  auto out = decode_request(
    language, {reinterpret_cast<const char*>(data) + 1, size - 1});
  if (const auto* bad = std::get_if<decode_failure>(&out)) {
    require(!bad->why.message.empty());
    require(decode_json(encode_error(dialect::json, bad->id, bad->why)).ok());
    return 0;
  }
  const auto& request = std::get<client_request>(out);
  require(!op_name(request).empty());
  if (const auto* session = std::get_if<session_request>(&request.body))
    check_session(*session);
  return 0;
}
