#pragma once

// The server's certificate, ready for new connections.

#include "actors/base/errors.hpp"

#include <memory>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace rollcall::edge {

/// TLS 1.2 and 1.3, without renegotiation or a session cache. Immutable after
/// loading, so safe on any thread.
class tls_context {
public:
  /// Reads a PEM certificate chain and its key. A failure names the file and
  /// what to mend.
  [[nodiscard]] static result<std::shared_ptr<const tls_context>>
  load(const std::string& certificate, const std::string& key);

  /// A new server-side session on `fd`; null when memory ran out. The caller
  /// frees it.
  [[nodiscard]] ssl_st* open(int fd) const;

private:
  struct deleter {
    void operator()(ssl_ctx_st* context) const noexcept;
  };

  std::unique_ptr<ssl_ctx_st, deleter> context_;
};

} // namespace rollcall::edge
