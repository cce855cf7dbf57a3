#include "cluster/nats_connection.hpp"

#include "actors/base/log.hpp"
#include "cluster/subjects.hpp"

#include <nats/nats.h>

#include <condition_variable>
#include <mutex>
#include <optional>

namespace rollcall::cluster {

namespace {

constexpr int delivery_threads = 2;

// Owned by nats.c's callbacks until the closed one, the last, has run.
struct callback_state {
  std::mutex mutex;
  std::condition_variable changed;
  bool up = false;
  nats_connection::listener tell;

  void told(nats_event event) noexcept {
    {
      std::lock_guard guard{mutex};
      up = event != nats_event::disconnected;
    }
    changed.notify_all();
    // An exception must not enter C.
    try {
      if (tell)
        tell(event);
    } catch (...) {
      log(log_level::error, "nats", "listener_threw");
    }
  }
};

using shared_state = std::shared_ptr<callback_state>;

callback_state& state_of(void* closure) noexcept {
  return **static_cast<shared_state*>(closure);
}

void on_connected(natsConnection*, void* closure) {
  log(log_level::info, "nats", "connected");
  state_of(closure).told(nats_event::connected);
}

void on_disconnected(natsConnection*, void* closure) {
  log(log_level::warn, "nats", "disconnected");
  state_of(closure).told(nats_event::disconnected);
}

void on_lame_duck(natsConnection*, void* closure) {
  log(log_level::warn, "nats", "lame_duck");
  state_of(closure).told(nats_event::lame_duck);
}

void on_closed(natsConnection*, void* closure) {
  delete static_cast<shared_state*>(closure);
}

void on_error(natsConnection*, natsSubscription*, natsStatus status, void*) {
  log(log_level::warn, "nats", "error",
      {{"why", std::string_view{natsStatus_GetText(status)}}});
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

void set_addresses(setter& set, natsOptions* to, const nats_options& from) {
  std::vector<const char*> urls;
  for (const auto& url : from.urls)
    urls.push_back(url.c_str());
  set(natsOptions_SetServers(to, urls.data(), static_cast<int>(urls.size())),
      "urls");
  set(natsOptions_SetName(to, from.name.c_str()), "name");
  if (!from.credentials.empty())
    set(natsOptions_SetUserCredentialsFromFiles(to, from.credentials.c_str(),
                                                nullptr),
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

void set_callbacks(setter& set, natsOptions* to, void* closure) {
  set(natsOptions_SetRetryOnFailedConnect(to, true, on_connected, closure),
      "retry");
  set(natsOptions_SetReconnectedCB(to, on_connected, closure), "callbacks");
  set(natsOptions_SetDisconnectedCB(to, on_disconnected, closure), "callbacks");
  set(natsOptions_SetLameDuckModeCB(to, on_lame_duck, closure), "callbacks");
  set(natsOptions_SetClosedCB(to, on_closed, closure), "callbacks");
  set(natsOptions_SetErrorHandler(to, on_error, nullptr), "callbacks");
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
  size_delivery_pool();
  natsOptions* raw = nullptr;
  if (natsOptions_Create(&raw) != NATS_OK)
    return fail(errc::internal, "nats.c gives no options");
  nats_options_ptr native_options{raw};
  auto state = std::make_shared<callback_state>();
  state->tell = std::move(tell);
  auto closure = std::make_unique<shared_state>(state);
  setter set;
  set_addresses(set, raw, options);
  set_behaviour(set, raw);
  set_callbacks(set, raw, closure.get());
  if (set.bad())
    return *set.bad();
  std::shared_ptr<nats_connection> out{new nats_connection};
  auto status = natsConnection_Connect(&out->handle_, raw);
  if (status != NATS_OK && status != NATS_NOT_YET_CONNECTED)
    return fail(errc::unavailable, std::string{"cannot connect to NATS: "}
                                     + natsStatus_GetText(status));
  // on_closed has it from here.
  (void)closure.release();
  if (status == NATS_OK) {
    // nats.c calls back for later connects only.
    state->told(nats_event::connected);
    return out;
  }
  std::unique_lock guard{state->mutex};
  if (!state->changed.wait_for(guard, options.connect_timeout,
                               [&] { return state->up; }))
    return fail(errc::unavailable, "no NATS server answers");
  return out;
}

nats_connection::~nats_connection() {
  if (handle_ == nullptr)
    return;
  natsConnection_Close(handle_);
  natsConnection_Destroy(handle_);
}

nats_connection_handle* nats_connection::native() const noexcept {
  return handle_;
}

bool nats_connection::connected() const noexcept {
  return natsConnection_Status(handle_) == NATS_CONN_STATUS_CONNECTED;
}

void nats_connection::close() noexcept {
  natsConnection_Close(handle_);
}

} // namespace rollcall::cluster
