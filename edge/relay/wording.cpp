#include "edge/relay/wording.hpp"

#include "edge/net/frame_codec.hpp"
#include "edge/protocol/board_words.hpp"
#include "edge/protocol/push_encoder.hpp"
#include "edge/protocol/stream_events.hpp"

#include <memory>
#include <string>
#include <utility>

namespace rollcall::edge {

namespace {

void append_messages(std::string& out, const variant_key& to, const batch& next,
                     said_at when) {
  auto append = [&](const std::string& payload) {
    out += *make_frame(to.language, payload);
  };
  if (to.words == vocabulary::stream)
    for_each_stream_event(to.who, next, append);
  else
    for_each_board_message(to.who, next, when.now.wall, append);
}

frame_ptr as_frame(std::string bytes) {
  return bytes.empty() ? nullptr
                       : std::make_shared<const std::string>(std::move(bytes));
}

} // namespace

frame_ptr frame_of(const variant_key& to, const snapshot& whole,
                   std::string_view why, said_at when) {
  switch (to.words) {
  case vocabulary::stream:
    return make_frame(to.language,
                      encode_stream_count(whole.session, whole.present));
  case vocabulary::board:
    return make_frame(to.language,
                      encode_board_sync(to.who, whole, when.now.wall));
  case vocabulary::native:
    break;
  }
  return make_frame(to.language,
                    encode_snapshot(to.language, to.who, whole, why,
                                    when.now.steady, when.stale));
}

frame_ptr frame_of(const variant_key& to, const batch& next, said_at when) {
  if (to.words == vocabulary::native)
    return make_frame(to.language, encode_changes(to.language, to.who, next,
                                                  when.now.steady, when.stale));
  std::string out;
  append_messages(out, to, next, when);
  return as_frame(std::move(out));
}

frame_ptr frame_of(const variant_key& to, std::span<const batch_ptr> missed,
                   said_at when) {
  if (to.words == vocabulary::native)
    return make_frame(to.language, encode_changes(to.language, to.who, missed,
                                                  when.now.steady, when.stale));
  std::string out;
  for (const auto& each : missed)
    append_messages(out, to, *each, when);
  return as_frame(std::move(out));
}

} // namespace rollcall::edge
