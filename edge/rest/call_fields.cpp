#include "edge/rest/call_fields.hpp"

#include <charconv>
#include <string>
#include <utility>

namespace rollcall::edge {

session_order order_for(const rest_call& call, command_body body) {
  return {session_id{call.parameters.front()}, std::move(body)};
}

result<session_order> finished(field_reader& in, const rest_call& call,
                               command_body body) {
  if (auto why = in.finish())
    return *why;
  return order_for(call, std::move(body));
}

result<std::uint32_t> read_limit(std::string_view text, std::size_t most) {
  std::uint32_t out = 0;
  const auto* end = text.data() + text.size();
  auto [at, failed] = std::from_chars(text.data(), end, out);
  if (failed != std::errc{} || at != end || out == 0 || out > most)
    return fail(errc::bad_request,
                "must be an integer from 1 to " + std::to_string(most),
                "limit");
  return out;
}

} // namespace rollcall::edge
