#include "cluster/nats_bus.hpp"

#include "actors/base/limits.hpp"
#include "actors/base/log.hpp"
#include "cluster/bus_queue.hpp"
#include "cluster/chunks.hpp"
#include "cluster/wire.hpp"

#include <nats/nats.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <utility>

namespace rollcall::cluster {

namespace {

constexpr std::int64_t open_timeout_ms = 2'000;
constexpr std::int64_t close_timeout_ms = 500;
// No server that takes less is of use; one says what it takes when it connects.
constexpr std::int64_t least_payload = 4'096;

struct bus_figures {
  explicit bus_figures(metrics::registry& to)
    : sent(make(to, "sent")),
      received(make(to, "received")),
      dropped(make(to, "dropped")),
      refused(make(to, "refused")),
      bytes(to.make_counter("rollcall_bus_sent_bytes_total",
                            "Bytes of messages to other nodes")) {
    // nop
  }

  static metrics::counter& make(metrics::registry& to, const char* outcome) {
    return to.make_counter("rollcall_bus_messages_total",
                           "Messages between nodes, by what became of them",
                           {{"outcome", outcome}});
  }

  metrics::counter& sent;
  metrics::counter& received;
  metrics::counter& dropped;
  metrics::counter& refused;
  metrics::counter& bytes;
};

} // namespace

// -- what callbacks and threads share -----------------------------------------

/// The inbox and the queue. Outlives the bus for as long as nats.c may call.
class nats_bus::core {
public:
  explicit core(metrics::registry& to) : figures(to) {
    // nop
  }

  void open(const node_id& me, receiver to) {
    std::lock_guard guard{mutex_};
    self_ = me;
    deliver_ = std::move(to);
    open_ = true;
  }

  /// Waits for calls into the receiver that have begun.
  void shut() {
    std::unique_lock guard{mutex_};
    open_ = false;
    quiet_.wait(guard, [this] { return calls_ == 0; });
  }

  [[nodiscard]] bool is_me(const node_id& node) const {
    std::lock_guard guard{mutex_};
    return open_ && node == self_;
  }

  void deliver(const node_id& from, node_message message) {
    {
      std::lock_guard guard{mutex_};
      if (!open_)
        return;
      ++calls_;
    }
    // The end of the call must be told, whatever the receiver does.
    struct call {
      core& of;
      ~call() {
        std::lock_guard guard{of.mutex_};
        if (--of.calls_ == 0)
          of.quiet_.notify_all();
      }
    } here{*this};
    figures.received.add();
    deliver_(from, std::move(message));
  }

  /// Bytes from NATS, of one subscription; its messages come one by one.
  void take(std::string_view bytes, chunk_assembler& parts) {
    auto now = system_now().steady;
    if (!is_chunk(bytes))
      return read(bytes, now);
    auto whole = parts.add(bytes, now);
    if (!whole)
      return refuse(whole.error());
    if (*whole)
      read(**whole, now);
  }

  void refuse(const failure& why) {
    figures.refused.add();
    log(log_level::warn, "bus", "refused",
        {{"field", why.field}, {"why", why.message}});
  }

  bus_queue queue;
  bus_figures figures;

private:
  void read(std::string_view bytes, millis now) {
    auto got = decode(bytes, now);
    if (got)
      deliver(got->from, std::move(got->message));
    else
      refuse(got.error());
  }

  mutable std::mutex mutex_;
  std::condition_variable quiet_;
  node_id self_;
  receiver deliver_;
  bool open_ = false;
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

// -- the writer ---------------------------------------------------------------

/// Writes what is queued, on its own thread.
class bus_writer {
public:
  bus_writer(bus_queue& queue, bus_figures& figures, natsConnection* connection,
             subjects names, node_id self)
    : queue_(queue),
      figures_(figures),
      connection_(connection),
      names_(std::move(names)),
      self_(std::move(self)) {
    // nop
  }

  void run() {
    while (auto next = queue_.pop())
      write(*next);
  }

private:
  void write(const queued_message& next) {
    // One message to many nodes is encoded once.
    auto now = system_now().steady;
    if (next.message != message_ || now != encoded_at_) {
      auto bytes = encode(next.message, self_, now);
      if (!bytes)
        return refuse(bytes.error());
      bytes_ = std::move(*bytes);
      message_ = next.message;
      encoded_at_ = now;
    }
    auto most = largest();
    const auto& subject = next.to ? inbox_of(*next.to) : everybody_;
    bool good = bytes_.size() <= most ? publish(next, subject, bytes_)
                                      : cut(next, subject, most);
    (good ? figures_.sent : figures_.dropped).add();
    // A large message is not kept for the sake of the next.
    if (bytes_.size() > limits::node_chunk_bytes)
      forget();
  }

  bool cut(const queued_message& next, const std::string& subject,
           std::size_t most) {
    // Broadcasts are written in between, and would replace it.
    auto whole = std::move(bytes_);
    forget();
    chunk_cutter cutter{whole, self_, ++number_, most};
    while (auto chunk = cutter.next()) {
      if (!publish(next, subject, *chunk))
        return false;
      if (!next.to)
        continue;
      while (auto urgent = queue_.pop_broadcast())
        write(*urgent);
    }
    return true;
  }

  bool publish(const queued_message& next, const std::string& subject,
               std::string_view bytes) {
    if (!queue_.is_current(next.generation))
      return false;
    auto status
      = natsConnection_Publish(connection_, subject.c_str(), bytes.data(),
                               static_cast<int>(bytes.size()));
    if (status == NATS_OK) {
      figures_.bytes.add(bytes.size());
      return true;
    }
    // Whatever else waits was meant for the connection that is gone.
    figures_.dropped.add(queue_.next_generation());
    log(log_level::warn, "bus", "dropped",
        {{"why", std::string_view{natsStatus_GetText(status)}}});
    return false;
  }

  void refuse(const failure& why) {
    figures_.dropped.add();
    log(log_level::error, "bus", "cannot_write",
        {{"field", why.field}, {"why", why.message}});
  }

  void forget() {
    bytes_ = {};
    message_ = {};
    encoded_at_ = never;
  }

  std::size_t largest() {
    auto most = natsConnection_GetMaxPayload(connection_);
    return std::clamp(static_cast<std::size_t>(std::max(most, least_payload)),
                      std::size_t{1}, limits::node_chunk_bytes);
  }

  const std::string& inbox_of(const node_id& node) {
    auto found = inboxes_.find(node);
    if (found != inboxes_.end())
      return found->second;
    if (inboxes_.size() >= limits::nodes)
      inboxes_.clear();
    return inboxes_.emplace(node, names_.node_inbox(node)).first->second;
  }

  bus_queue& queue_;
  bus_figures& figures_;
  natsConnection* connection_;
  subjects names_;
  node_id self_;
  std::string everybody_ = names_.everybody();
  std::map<node_id, std::string> inboxes_;
  // The last message, encoded.
  node_message message_;
  millis encoded_at_ = never;
  std::string bytes_;
  std::uint64_t number_ = 0;
};

} // namespace

// -- the bus ------------------------------------------------------------------

nats_bus::nats_bus(const nats_options& options, std::shared_ptr<core> shared)
  : names_(options.cluster), core_(std::move(shared)) {
  // nop
}

result<std::shared_ptr<nats_bus>>
nats_bus::connect(const nats_options& options, nats_connection::listener tell,
                  metrics::registry& figures) {
  auto shared = std::make_shared<core>(figures);
  auto listen = [shared, tell = std::move(tell)](nats_event event) {
    if (event == nats_event::disconnected)
      shared->figures.dropped.add(shared->queue.next_generation());
    if (tell)
      tell(event);
  };
  auto connection = nats_connection::open(options, std::move(listen));
  if (!connection)
    return connection.error();
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
