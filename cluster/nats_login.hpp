#pragma once

// How a node signs in to NATS, as its credentials file says. Pure.

#include "actors/base/errors.hpp"

#include <span>
#include <string>
#include <string_view>

namespace rollcall::cluster {

/// One of two: a user and a password, or the path of a `.creds` file, which
/// nats.c reads again whenever it connects.
struct nats_login {
  std::string user;
  std::string password;
  bool is_jwt = false;

  friend bool operator==(const nats_login&, const nats_login&) = default;
};

/// Reads the bytes of a credentials file: a line `user:password`, or the JWT
/// and the seed that NATS' own tools write. `bad_request` for anything else;
/// its message repeats nothing of the file.
[[nodiscard]] result<nats_login> parse_nats_login(std::string_view bytes);

/// The URLs, separated by commas, without users and passwords.
[[nodiscard]] std::string without_secrets(std::span<const std::string> urls);

} // namespace rollcall::cluster
