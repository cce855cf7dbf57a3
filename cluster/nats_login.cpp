#include "cluster/nats_login.hpp"

namespace rollcall::cluster {

namespace {

constexpr std::string_view jwt_mark = "-----BEGIN NATS USER JWT-----";
constexpr std::string_view seed_mark = "-----BEGIN USER NKEY SEED-----";

} // namespace

result<nats_login> parse_nats_login(std::string_view bytes) {
  bool has_jwt = bytes.find(jwt_mark) != std::string_view::npos;
  bool has_seed = bytes.find(seed_mark) != std::string_view::npos;
  if (has_jwt && has_seed)
    return nats_login{{}, {}, true};
  while (bytes.ends_with('\n') || bytes.ends_with('\r'))
    bytes.remove_suffix(1);
  auto colon = bytes.find(':');
  bool is_line = colon != std::string_view::npos && colon > 0
                 && colon + 1 < bytes.size()
                 && bytes.find_first_of("\r\n") == std::string_view::npos;
  if (has_jwt || has_seed || !is_line)
    return fail(errc::bad_request,
                "neither a line \"user:password\" nor a NATS .creds file with "
                "a user JWT and its seed",
                "credentials");
  return nats_login{std::string{bytes.substr(0, colon)},
                    std::string{bytes.substr(colon + 1)}, false};
}

std::string without_secrets(std::span<const std::string> urls) {
  std::string out;
  for (const auto& url : urls) {
    if (!out.empty())
      out += ", ";
    auto scheme = url.find("://");
    auto from = scheme == std::string::npos ? 0 : scheme + 3;
    auto at = url.rfind('@');
    out += url.substr(0, from);
    out += url.substr(at == std::string::npos || at < from ? from : at + 1);
  }
  return out;
}

} // namespace rollcall::cluster
