#include "cluster/nats_bus.hpp"

#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "cluster/bus_queue.hpp"
#include "cluster/chunks.hpp"
#include "cluster/nats_bus_writer.hpp"
#include "cluster/wire.hpp"

#include <nats/nats.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>

namespace rollcall::cluster {

namespace {

constexpr std::int64_t open_timeout_ms = 2'000;
constexpr std::int64_t close_timeout_ms = 500;

} // namespace

// -- what callbacks and threads share -----------------------------------------

/// The inbox and the queue. Outlives the bus for as long as nats.c may call,
/// which it does after the connection was closed, too: once `shut`, nothing
/// that others own is touched.
class nats_bus::core {
public:
  core(metrics::registry& to, nats_connection::listener tell)
    : figures(to), tell_(std::move(tell)) {
    // nop
  }

  void open(const node_id& me, receiver to) {
    std::lock_guard guard{mutex_};
    self_ = me;
    deliver_ = std::move(to);
  }

  /// Waits for calls that have begun; none begins from here on.
  void shut() {
    std::unique_lock guard{mutex_};
    shut_ = true;
    quiet_.wait(guard, [this] { return calls_ == 0; });
  }

  [[nodiscard]] bool is_me(const node_id& node) const {
    std::lock_guard guard{mutex_};
    return deliver_ && node == self_;
  }

  void deliver(const node_id& from, node_message message) {
    call here{*this};
    if (!here)
      return;
    figures.received.add();
    deliver_(from, std::move(message));
  }

  /// Bytes from NATS, of one subscription; its messages come one by one.
  void take(std::string_view bytes, chunk_assembler& parts) {
    call here{*this};
    // Without a byte it is somebody who finds out what he may do.
    if (!here || bytes.empty())
      return;
    auto now = system_now().steady;
    if (!is_chunk(bytes))
      return read(bytes, now);
    auto whole = parts.add(bytes, now);
    if (!whole)
      return refuse(whole.error());
    if (*whole)
      read(**whole, now);
  }

  void told(nats_event event) {
    call here{*this};
    if (!here)
      return;
    if (event == nats_event::disconnected)
      figures.dropped.add(queue.next_generation());
    if (tell_)
      tell_(event);
  }

  bus_queue queue;
  bus_figures figures;

private:
  /// A call that `shut` waits for, if it came before.
  class call {
  public:
    explicit call(core& of) : of_(of) {
      std::lock_guard guard{of.mutex_};
      allowed_ = !of.shut_;
      of.calls_ += allowed_ ? 1 : 0;
    }

    call(const call&) = delete;
    call& operator=(const call&) = delete;

    ~call() {
      if (!allowed_)
        return;
      std::lock_guard guard{of_.mutex_};
      if (--of_.calls_ == 0)
        of_.quiet_.notify_all();
    }

    explicit operator bool() const noexcept {
      return allowed_;
    }

  private:
    core& of_;
    bool allowed_ = false;
  };

  void read(std::string_view bytes, millis now) {
    auto got = decode(bytes, now);
    if (got)
      deliver(got->from, std::move(got->message));
    else
      refuse(got.error());
  }

  void refuse(const failure& why) {
    figures.refused.add();
    log(log_level::warn, "bus", "refused",
        {{"field", why.field}, {"why", why.message}});
  }

  mutable std::mutex mutex_;
  std::condition_variable quiet_;
  node_id self_;
  // Set before the first subscription and not changed again.
  receiver deliver_;
  nats_connection::listener tell_;
  bool shut_ = false;
  std::size_t calls_ = 0;
};

namespace {

// -- callbacks of nats.c ------------------------------------------------------

/// What one subscription calls back with; goes with its last call.
template <class Core>
struct inbox_closure {
  std::shared_ptr<Core> core;
  chunk_assembler parts;
};

template <class Core>
void on_message(natsConnection*, natsSubscription*, natsMsg* raw,
                void* closure) {
  nats_message_ptr message{raw};
  if (!message)
    return;
  auto& in = *static_cast<inbox_closure<Core>*>(closure);
  // An exception must not enter C.
  try {
    auto size = natsMsg_GetDataLength(raw);
    in.core->take({natsMsg_GetData(raw), static_cast<std::size_t>(size)},
                  in.parts);
  } catch (const std::exception&) {
    log(log_level::error, "bus", "receiver_threw");
  }
}

template <class Core>
void on_complete(void* closure) {
  delete static_cast<inbox_closure<Core>*>(closure);
}

} // namespace

// -- the bus ------------------------------------------------------------------

nats_bus::nats_bus(const nats_options& options, std::shared_ptr<core> shared)
  : names_(options.cluster), core_(std::move(shared)) {
  // nop
}

result<std::shared_ptr<nats_bus>>
nats_bus::connect(const nats_options& options, nats_connection::listener tell,
                  metrics::registry& figures) {
  auto shared = std::make_shared<core>(figures, std::move(tell));
  auto connection = nats_connection::open(
    options, [shared](nats_event event) { shared->told(event); });
  if (!connection) {
    shared->shut();
    return connection.error();
  }
  std::shared_ptr<nats_bus> out{new nats_bus{options, std::move(shared)}};
  out->connection_ = std::move(*connection);
  return out;
}

nats_bus::~nats_bus() {
  close();
}

void nats_bus::send(const node_id& to, node_message message) {
  if (core_->is_me(to))
    return core_->deliver(to, std::move(message));
  if (!core_->queue.push(to, std::move(message)))
    core_->figures.dropped.add();
}

void nats_bus::broadcast(node_message message) {
  if (!core_->queue.push(std::nullopt, std::move(message)))
    core_->figures.dropped.add();
}

bool nats_bus::subscribe(const std::string& subject) {
  using closure_type = inbox_closure<core>;
  auto closure = std::make_unique<closure_type>();
  closure->core = core_;
  natsSubscription* raw = nullptr;
  auto status
    = natsConnection_Subscribe(&raw, connection_->native(), subject.c_str(),
                               on_message<core>, closure.get());
  if (status == NATS_OK) {
    subscriptions_.emplace_back(raw);
    status
      = natsSubscription_SetOnCompleteCB(raw, on_complete<core>, closure.get());
    // From here on a message may use it, so it is never freed by us.
    (void)closure.release();
  }
  if (status == NATS_OK)
    status = natsSubscription_SetPendingLimits(
      raw, static_cast<int>(limits::bus_queue),
      static_cast<int>(limits::bus_queue_bytes));
  if (status != NATS_OK)
    log(log_level::error, "bus", "cannot_subscribe",
        {{"why", std::string_view{natsStatus_GetText(status)}}});
  return status == NATS_OK;
}

void nats_bus::open(const node_id& self, receiver deliver) {
  core_->open(self, std::move(deliver));
  // Neither ends before the connection does.
  if (!subscribe(names_.node_inbox(self)) || !subscribe(names_.everybody()))
    return;
  auto* native = connection_->native();
  auto status = natsConnection_FlushTimeout(native, open_timeout_ms);
  if (status != NATS_OK)
    log(log_level::warn, "bus", "opened_without_server",
        {{"why", std::string_view{natsStatus_GetText(status)}}});
  // The thread is joined in `close`, before the connection goes.
  writer_ = std::thread{[shared = core_, native, names = names_, self] {
    bus_writer{shared->queue, shared->figures, native, names, self}.run();
  }};
}

void nats_bus::close() {
  core_->queue.close();
  if (writer_.joinable())
    writer_.join();
  // Closing a socket that has something to read resets it, and the server
  // would lose what it has not read of ours.
  if (connected())
    natsConnection_FlushTimeout(connection_->native(), close_timeout_ms);
  core_->shut();
  connection_->close();
  subscriptions_.clear();
}

bool nats_bus::connected() const noexcept {
  return connection_->connected();
}

} // namespace rollcall::cluster
