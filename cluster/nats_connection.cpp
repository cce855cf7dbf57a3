#include "cluster/nats_connection.hpp"

#include "actors/base/log.hpp"
#include "cluster/nats_login.hpp"
#include "cluster/subjects.hpp"

#include <nats/nats.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>

namespace rollcall::cluster {

namespace {

constexpr int delivery_threads = 2;
constexpr std::chrono::milliseconds between_tries{100};
// Of nats.c 3.4.1, about one in 300 signatures is one that no server takes; the
// next is over another nonce.
constexpr int signatures_tried = 4;

} // namespace

// Owned by nats.c's callbacks until the closed one, the last, has run.
struct nats_callbacks {
  nats_connection::listener tell;
  nats_options asked;
  std::atomic<bool> closing{false};
  std::atomic<bool> given_up{false};

  void note(log_level level, std::string_view event) const {
    if (!asked.quiet)
      log(level, "nats", event);
  }

  void told(nats_event event) noexcept {
    // An exception must not enter C.
    try {
      if (tell)
        tell(event);
    } catch (...) {
      log(log_level::error, "nats", "listener_threw");
    }
  }

  /// At most once, and not for what we closed ourselves.
  void give_up(const failure& why) noexcept;
};

// -- what went wrong ----------------------------------------------------------

namespace {

failure refused_credentials(const nats_options& options) {
  auto servers = without_secrets(options.urls);
  if (options.credentials.empty())
    return fail(errc::forbidden,
                "NATS at " + servers
                  + " wants credentials: set cluster.credentials",
                "credentials");
  return fail(errc::forbidden,
              "NATS at " + servers + " refuses the user of "
                + options.credentials
                + ": mend cluster.credentials, or the user there",
              "credentials");
}

failure refused_server(const nats_options& options, const std::string& why) {
  auto servers = without_secrets(options.urls);
  if (options.ca.empty())
    return fail(errc::forbidden,
                "TLS with NATS at " + servers + " failed (" + why
                  + "): set cluster.ca to a file with the authority of its "
                    "certificate",
                "ca");
  return fail(errc::forbidden,
              "the certificate of NATS at " + servers + " is not for that "
                + "name or not of an authority in " + options.ca + " (" + why
                + "): mend cluster.ca, cluster.nats or the certificate",
              "ca");
}

/// Why a try to connect failed; `forbidden` if another one would, too.
failure connect_failure(const nats_options& options, natsStatus status) {
  const char* text = nats_GetLastError(nullptr);
  std::string why = text == nullptr ? natsStatus_GetText(status) : text;
  // nats.c begins with the line of its source.
  if (auto at = why.find("): "); why.starts_with('(') && at != why.npos)
    why.erase(0, at + 3);
  auto servers = without_secrets(options.urls);
  switch (status) {
  case NATS_CONNECTION_AUTH_FAILED:
    return refused_credentials(options);
  case NATS_SSL_ERROR:
    return refused_server(options, why);
  case NATS_SECURE_CONNECTION_REQUIRED:
    return fail(errc::forbidden,
                "NATS at " + servers
                  + " wants TLS: set cluster.ca to a file with the authority "
                    "of its certificate",
                "ca");
  case NATS_SECURE_CONNECTION_WANTED:
    return fail(errc::forbidden,
                "NATS at " + servers
                  + " has no TLS, and cluster.ca or tls:// asks for it: turn "
                    "it on there, or remove them",
                "ca");
  default:
    return fail(errc::unavailable, "no NATS server answers at " + servers + " ("
                                     + why + "): is it running, and is "
                                     + "cluster.nats right?");
  }
}

} // namespace

void nats_callbacks::give_up(const failure& why) noexcept {
  if (closing || given_up.exchange(true))
    return;
  log(log_level::error, "nats", "gave_up", {{"why", why}});
  try {
    if (asked.gave_up)
      asked.gave_up(why);
  } catch (...) {
    log(log_level::error, "nats", "listener_threw");
  }
}

namespace {

// -- callbacks ----------------------------------------------------------------

nats_callbacks& state_of(void* closure) noexcept {
  return **static_cast<std::shared_ptr<nats_callbacks>*>(closure);
}

void on_connected(natsConnection*, void* closure) {
  auto& state = state_of(closure);
  state.note(log_level::info, "connected");
  state.told(nats_event::connected);
}

void on_disconnected(natsConnection*, void* closure) {
  auto& state = state_of(closure);
  if (!state.closing)
    state.note(log_level::warn, "disconnected");
  state.told(nats_event::disconnected);
}

void on_lame_duck(natsConnection*, void* closure) {
  auto& state = state_of(closure);
  state.note(log_level::warn, "lame_duck");
  state.told(nats_event::lame_duck);
}

void on_closed(natsConnection*, void* closure) {
  std::unique_ptr<std::shared_ptr<nats_callbacks>> last{
    static_cast<std::shared_ptr<nats_callbacks>*>(closure)};
  // Only a server that refused us twice makes nats.c close by itself.
  (**last).give_up(refused_credentials((**last).asked));
}

// `Permissions Violation for Publish to "a.b"`: the words behind "for".
std::string_view refused_part(std::string_view text) {
  constexpr std::string_view before = " for ";
  auto at = text.find(before);
  return at == std::string_view::npos ? text : text.substr(at + before.size());
}

// What a user may not do is told late and without the call that asked for it.
void on_error(natsConnection* native, natsSubscription*, natsStatus status,
              void* closure) {
  const char* text = nullptr;
  if (status != NATS_NOT_PERMITTED
      || natsConnection_GetLastError(native, &text) != NATS_NOT_PERMITTED
      || text == nullptr) {
    log(log_level::warn, "nats", "error",
        {{"why", std::string_view{natsStatus_GetText(status)}}});
    return;
  }
  auto what = refused_part(text);
  log(log_level::error, "nats", "not_permitted",
      {{"what", what}, {"setting", "cluster.credentials"}});
  // The server has forgotten it and will not be asked again by itself: we
  // would be deaf even if the right were given back.
  if (what.starts_with("Subscription"))
    state_of(closure).give_up(
      fail(errc::forbidden,
           "NATS does not let this node listen any more: mend the rights of "
           "the user of cluster.credentials",
           "credentials"));
}

// Without a handler nats.c would write to stderr.
void ignore_error(natsConnection*, natsSubscription*, natsStatus, void*) {
  // nop
}

// nats.c reads this once, when the first connection opens.
void size_delivery_pool() {
  static std::once_flag once;
  std::call_once(once, [] {
    nats_Open(-1);
    nats_SetMessageDeliveryPoolSize(delivery_threads);
  });
}

bool wants_tls(const nats_options& options) {
  for (const auto& url : options.urls)
    if (url.starts_with("tls://"))
      return true;
  return !options.ca.empty();
}

// Remembers the first call that failed.
class setter {
public:
  void operator()(natsStatus status, const char* field) {
    if (status == NATS_OK || bad_)
      return;
    bad_ = fail(errc::bad_request,
                std::string{"NATS option "} + field + ": "
                  + natsStatus_GetText(status),
                field);
  }

  [[nodiscard]] const std::optional<failure>& bad() const noexcept {
    return bad_;
  }

private:
  std::optional<failure> bad_;
};

result<std::optional<nats_login>> read_login(const nats_options& options) {
  if (options.credentials.empty())
    return std::optional<nats_login>{};
  std::ifstream file{options.credentials, std::ios::binary};
  std::string bytes{std::istreambuf_iterator<char>{file}, {}};
  auto what = file ? parse_nats_login(bytes)
                   : result<nats_login>{
                     fail(errc::bad_request, "cannot be read", "credentials")};
  if (!what)
    return fail(errc::bad_request,
                "cluster.credentials: " + options.credentials + " is "
                  + what.error().message,
                "credentials");
  return std::optional{std::move(*what)};
}

void set_addresses(setter& set, natsOptions* to, const nats_options& from,
                   const std::optional<nats_login>& login) {
  std::vector<const char*> urls;
  for (const auto& url : from.urls)
    urls.push_back(url.c_str());
  set(natsOptions_SetServers(to, urls.data(), static_cast<int>(urls.size())),
      "urls");
  set(natsOptions_SetName(to, from.name.c_str()), "name");
  if (login && login->is_jwt)
    set(natsOptions_SetUserCredentialsFromFiles(to, from.credentials.c_str(),
                                                nullptr),
        "credentials");
  else if (login)
    set(
      natsOptions_SetUserInfo(to, login->user.c_str(), login->password.c_str()),
      "credentials");
  if (wants_tls(from))
    set(natsOptions_SetSecure(to, true), "tls");
  if (!from.ca.empty())
    set(natsOptions_LoadCATrustedCertificates(to, from.ca.c_str()), "ca");
}

void set_behaviour(setter& set, natsOptions* to) {
  // A flusher thread would add a millisecond to every publish.
  set(natsOptions_SetSendAsap(to, true), "send_asap");
  set(natsOptions_SetReconnectBufSize(to, 0), "reconnect_buffer");
  set(natsOptions_SetFailRequestsOnDisconnect(to, true), "fail_requests");
  // The defaults notice a stopped server after minutes.
  set(natsOptions_SetPingInterval(to, 1'000), "ping_interval");
  set(natsOptions_SetMaxPingsOut(to, 2), "pings_out");
  set(natsOptions_SetWriteDeadline(to, 2'000), "write_deadline");
  set(natsOptions_SetTimeout(to, 2'000), "timeout");
  set(natsOptions_SetAllowReconnect(to, true), "reconnect");
  set(natsOptions_SetMaxReconnect(to, -1), "reconnect");
  set(natsOptions_SetReconnectWait(to, 100), "reconnect_wait");
  set(natsOptions_SetReconnectJitter(to, 100, 100), "reconnect_jitter");
  set(natsOptions_UseGlobalMessageDelivery(to, true), "delivery");
}

void set_callbacks(setter& set, natsOptions* to,
                   std::shared_ptr<nats_callbacks>* closure) {
  set(natsOptions_SetReconnectedCB(to, on_connected, closure), "callbacks");
  set(natsOptions_SetDisconnectedCB(to, on_disconnected, closure), "callbacks");
  set(natsOptions_SetLameDuckModeCB(to, on_lame_duck, closure), "callbacks");
  set(natsOptions_SetClosedCB(to, on_closed, closure), "callbacks");
  auto* errors = (**closure).asked.quiet ? ignore_error : on_error;
  set(natsOptions_SetErrorHandler(to, errors, closure), "callbacks");
}

/// Tries until a server lets us in, one says that it never will, or the time
/// is over. nats.c itself would try again whatever the reason, and not tell it.
result<nats_connection_handle*> connect(const nats_options& options,
                                        natsOptions* native, bool signs) {
  auto until = std::chrono::steady_clock::now() + options.connect_timeout;
  for (int refused = 0;;) {
    natsConnection* out = nullptr;
    auto status = natsConnection_Connect(&out, native);
    if (status == NATS_OK)
      return out;
    auto why = connect_failure(options, status);
    bool again = why.code == errc::unavailable
                 || (signs && status == NATS_CONNECTION_AUTH_FAILED
                     && ++refused < signatures_tried);
    if (!again || std::chrono::steady_clock::now() + between_tries >= until)
      return why;
    std::this_thread::sleep_for(between_tries);
  }
}

} // namespace

void nats_deleter::operator()(nats_message_handle* handle) const noexcept {
  natsMsg_Destroy(handle);
}

void nats_deleter::operator()(nats_options_handle* handle) const noexcept {
  natsOptions_Destroy(handle);
}

void nats_deleter::operator()(nats_subscription_handle* handle) const noexcept {
  natsSubscription_Destroy(handle);
}

result<std::shared_ptr<nats_connection>>
nats_connection::open(const nats_options& options, listener tell) {
  if (auto id = check_cluster_id(options.cluster); !id)
    return id.error();
  if (options.urls.empty())
    return fail(errc::bad_request, "NATS needs a server's URL", "urls");
  auto login = read_login(options);
  if (!login)
    return login.error();
  size_delivery_pool();
  natsOptions* raw = nullptr;
  if (natsOptions_Create(&raw) != NATS_OK)
    return fail(errc::internal, "nats.c gives no options");
  nats_options_ptr native_options{raw};
  auto state = std::make_shared<nats_callbacks>();
  state->tell = std::move(tell);
  state->asked = options;
  auto closure = std::make_unique<std::shared_ptr<nats_callbacks>>(state);
  setter set;
  set_addresses(set, raw, options, *login);
  set_behaviour(set, raw);
  set_callbacks(set, raw, closure.get());
  if (set.bad())
    return *set.bad();
  auto handle = connect(options, raw, *login && (**login).is_jwt);
  if (!handle)
    return handle.error();
  // on_closed has it from here.
  (void)closure.release();
  std::shared_ptr<nats_connection> out{new nats_connection};
  out->handle_ = *handle;
  out->state_ = state;
  // nats.c calls back for later connects only.
  on_connected(nullptr, &state);
  return out;
}

nats_connection::~nats_connection() {
  if (handle_ == nullptr)
    return;
  close();
  natsConnection_Destroy(handle_);
}

nats_connection_handle* nats_connection::native() const noexcept {
  return handle_;
}

bool nats_connection::connected() const noexcept {
  return natsConnection_Status(handle_) == NATS_CONN_STATUS_CONNECTED;
}

void nats_connection::close() noexcept {
  state_->closing = true;
  natsConnection_Close(handle_);
}

} // namespace rollcall::cluster
