#include "edge/net/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace rollcall::edge {

namespace {

failure refuse(std::string what, const char* field) {
  const auto code = ERR_peek_last_error();
  if (const auto* reason = ERR_reason_error_string(code); reason != nullptr)
    what += std::string{": "} + reason;
  ERR_clear_error();
  return fail(errc::bad_request, std::move(what), field);
}

} // namespace

void tls_context::deleter::operator()(ssl_ctx_st* context) const noexcept {
  SSL_CTX_free(context);
}

result<std::shared_ptr<const tls_context>>
tls_context::load(const std::string& certificate, const std::string& key) {
  auto made = std::make_shared<tls_context>();
  made->context_.reset(SSL_CTX_new(TLS_server_method()));
  auto* context = made->context_.get();
  if (context == nullptr)
    return refuse("TLS cannot be set up", "tls");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
                                 | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A queue only grows at its end, so a retry may bring more and from
  // elsewhere; released buffers save 34 kB for each idle client.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE
                              | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                              | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // Without tickets a connection keeps no resumption state at all.
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
    return refuse("the certificate \"" + certificate
                    + "\" cannot be read as a PEM chain",
                  "tls.certificate");
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    return refuse("the key \"" + key + "\" cannot be read as PEM", "tls.key");
  if (SSL_CTX_check_private_key(context) != 1)
    return refuse("the key \"" + key + "\" does not belong to \"" + certificate
                    + "\"",
                  "tls.key");
  return std::shared_ptr<const tls_context>{std::move(made)};
}

ssl_st* tls_context::open(int fd) const {
  auto* session = SSL_new(context_.get());
  if (session == nullptr)
    return nullptr;
  if (SSL_set_fd(session, fd) != 1) {
    SSL_free(session);
    return nullptr;
  }
  SSL_set_accept_state(session);
  return session;
}

} // namespace rollcall::edge
