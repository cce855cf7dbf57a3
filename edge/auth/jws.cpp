#include "edge/auth/jws.hpp"

#include "actors/base/base64url.hpp"
#include "actors/base/limits.hpp"
#include "edge/protocol/json_codec.hpp"

namespace rollcall::edge {

failure bad_token(std::string message, std::string_view field) {
  return fail(errc::unauthenticated, std::move(message), std::string{field});
}

result<jws_parts> split_jws(std::string_view jwt) {
  if (jwt.empty())
    return bad_token("is missing", "token");
  if (jwt.size() > limits::token_bytes)
    return bad_token("is longer than 8 KiB", "token");
  auto first = jwt.find('.');
  auto last = jwt.rfind('.');
  if (first == last || jwt.find('.', first + 1) != last)
    return bad_token("must have three parts", "token");
  jws_parts out{jwt.substr(0, first), jwt.substr(first + 1, last - first - 1),
                jwt.substr(last + 1)};
  if (out.header.empty() || out.payload.empty())
    return bad_token("has an empty part", "token");
  if (out.signature.empty())
    return bad_token("is missing", "signature");
  return out;
}

result<value> decode_part(std::string_view part, std::string_view name) {
  auto text = base64url_decode(part);
  if (!text)
    return bad_token(text.error().message, name);
  auto content = decode_json(*text);
  if (!content) {
    const auto& why = content.error();
    return bad_token(why.message,
                     why.field.empty() ? name : std::string_view{why.field});
  }
  if (content->get_if<value::map>() == nullptr)
    return bad_token("must be a map", name);
  return content;
}

} // namespace rollcall::edge
