#include "edge/relay/wording.hpp"

#include "edge/net/frame_codec.hpp"
#include "edge/protocol/push_encoder.hpp"
#include "edge/protocol/stream_events.hpp"

#include <memory>
#include <string>
#include <utility>

namespace rollcall::edge {

namespace {

void append_events(std::string& out, const variant_key& to, const batch& next) {
  for_each_stream_event(to.who, next, [&](const std::string& payload) {
    out += *make_frame(to.language, payload);
  });
}

frame_ptr as_frame(std::string bytes) {
  return bytes.empty() ? nullptr
                       : std::make_shared<const std::string>(std::move(bytes));
}

} // namespace

frame_ptr frame_of(const variant_key& to, const snapshot& whole,
                   std::string_view why, said_at when) {
  if (to.words == vocabulary::stream)
    return make_frame(to.language,
                      encode_stream_count(whole.session, whole.present));
  return make_frame(to.language,
                    encode_snapshot(to.language, to.who, whole, why,
                                    when.steady_now, when.stale));
}

frame_ptr frame_of(const variant_key& to, const batch& next, said_at when) {
  if (to.words == vocabulary::stream) {
    std::string out;
    append_events(out, to, next);
    return as_frame(std::move(out));
  }
  return make_frame(to.language, encode_changes(to.language, to.who, next,
                                                when.steady_now, when.stale));
}

frame_ptr frame_of(const variant_key& to, std::span<const batch_ptr> missed,
                   said_at when) {
  if (to.words == vocabulary::stream) {
    std::string out;
    for (const auto& each : missed)
      append_events(out, to, *each);
    return as_frame(std::move(out));
  }
  return make_frame(to.language, encode_changes(to.language, to.who, missed,
                                                when.steady_now, when.stale));
}

} // namespace rollcall::edge
