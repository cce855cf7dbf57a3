#include "edge/protocol/stream_events.hpp"

#include "edge/protocol/message_parts.hpp"

#include <utility>

namespace rollcall::edge {

namespace {

constexpr std::size_t event_bytes = 256;

template <class Write>
std::string written(Write write) {
  std::string out;
  out.reserve(event_bytes);
  json_writer to{out};
  to.open_map();
  write(to);
  to.close_map();
  to.finish();
  return out;
}

void write_stream(json_writer& to, const session_key& session,
                  std::uint32_t present) {
  to.key<"stream_id">();
  to.text(session.id.str());
  to.key<"active_count">();
  to.integer(present);
}

} // namespace

bool is_stream_event(const change& what) noexcept {
  return std::holds_alternative<joined_change>(what.body)
         || std::holds_alternative<left_change>(what.body);
}

std::string encode_stream_count(const session_key& session,
                                std::uint32_t present) {
  return written([&](json_writer& to) {
    to.key<"type">();
    to.word<"participant_count">();
    write_stream(to, session, present);
  });
}

std::string encode_stream_event(const session_key& session,
                                const change& what) {
  return written([&](json_writer& to) {
    to.key<"type">();
    if (const auto* joined = std::get_if<joined_change>(&what.body)) {
      to.word<"participant_joined">();
      to.key<"participant_id">();
      to.text(joined->participant.participant.str());
      to.key<"is_reconnection">();
      to.boolean(joined->is_reconnection);
    } else {
      const auto& left = std::get<left_change>(what.body);
      to.word<"participant_left">();
      to.key<"participant_id">();
      to.text(left.participant.str());
      to.key<"reason">();
      to.text(to_string(left.reason));
    }
    write_stream(to, session, what.present);
  });
}

} // namespace rollcall::edge
