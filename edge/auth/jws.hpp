#pragma once

// The outer shape of a token: three base64url parts and a signature
// (RFC 7515). Internal to edge/auth.

#include "actors/base/errors.hpp"
#include "edge/protocol/value.hpp"

#include <string>
#include <string_view>

namespace rollcall::edge {

/// A token taken apart; the parts still encoded. Borrows the token.
struct jws_parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;

  /// What the signature covers.
  [[nodiscard]] std::string_view signed_text() const noexcept {
    return {header.data(), header.size() + 1 + payload.size()};
  }
};

/// Refuses whatever has not exactly three parts, none of them empty.
[[nodiscard]] result<jws_parts> split_jws(std::string_view jwt);

/// The map encoded in a part; `name` is the field of a failure.
[[nodiscard]] result<value> decode_part(std::string_view part,
                                        std::string_view name);

/// An `unauthenticated` failure naming a header or claim.
[[nodiscard]] failure bad_token(std::string message, std::string_view field);

} // namespace rollcall::edge
