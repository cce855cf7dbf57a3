#pragma once

// Who stands behind a client's socket. The network side knows no actors: it
// hands decoded requests to a handler, and takes bytes from a client_sink.

#include "actors/base/errors.hpp"
#include "actors/client.hpp"
#include "edge/net/http_message.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::edge {

/// What a plain WebSocket is: about one session, in words of another system.
/// In those of `stream` the client says nothing: `request` is never called.
struct plain_socket {
  session_id session;
  vocabulary words = vocabulary::stream;
};

/// A client whose upgrade is about to be granted.
struct accepted_client {
  client_ref client;
  dialect language = dialect::json;
  /// From the Authorization header or the subprotocol, not yet verified;
  /// empty when the client will say `hello`. Never log it.
  std::string token;
  /// The peer's address, without port.
  std::string address;
  /// The Origin header; empty when there was none.
  std::string origin;
  std::optional<plain_socket> plain;
};

/// Takes what one client says. Called on the client's io loop, in order, and
/// must not block: it passes things on. Answers go through the client_sink,
/// which may be called right away.
class connection_handler {
public:
  virtual ~connection_handler() = default;

  /// A request within the limits of rate and size.
  virtual void request(client_request_ptr what) = 0;

  /// No request follows. `goodbye` says that the client closed on purpose
  /// (close frame 1000 or 1001). Called once.
  virtual void gone(bool goodbye) = 0;
};

/// Called on an io loop at each upgrade; thread-safe. Verifies the token, if
/// there is one. A failure refuses the upgrade: 401 for `unauthenticated` and
/// `token_expired`, 403 for `forbidden`, 503 for `unavailable`.
using handler_factory
  = std::function<result<std::shared_ptr<connection_handler>>(
    const accepted_client&)>;

/// What the plain WebSocket that is asked for is, or why it cannot be opened.
/// Nothing where none is asked for. Called on io loops; thread-safe.
using plain_sockets = std::function<std::optional<result<plain_socket>>(
  const http_request& request)>;

/// Answers one HTTP request, from any thread, once; later calls and those for
/// a client that has gone are swallowed.
using http_responder = std::function<void(http_response)>;

/// Takes HTTP requests that the server does not answer itself. Called on io
/// loops; thread-safe; must not block. Returns false, without calling the
/// responder, for paths it does not know.
using http_handler
  = std::function<bool(std::shared_ptr<const http_request>, http_responder)>;

} // namespace rollcall::edge
