#include "cluster/nats_requests.hpp"

#include "actors/base/hash.hpp"
#include "cluster/subjects.hpp"

#include <nats/nats.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>

namespace rollcall::cluster {

namespace {

constexpr char consumer_mark = 'c';
constexpr std::string_view ack_prefix = "$JS.ACK.";

struct parsed_ack {
  std::string consumer;
  pulled_message message;
};

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    auto dot = text.find('.');
    out.push_back(text.substr(0, dot));
    if (dot == std::string_view::npos)
      return out;
    text.remove_prefix(dot + 1);
  }
}

bool to_number(std::string_view text, std::uint64_t& to) {
  auto end = text.data() + text.size();
  return std::from_chars(text.data(), end, to).ptr == end;
}

// $JS.ACK.[domain.account.]stream.consumer.times.sequence.delivery.time.
// pending[.random]; ADR-15 of the NATS architecture.
std::optional<parsed_ack> parse_ack_subject(std::string_view subject) {
  if (!subject.starts_with(ack_prefix))
    return std::nullopt;
  auto tokens = split(subject);
  std::size_t first = tokens.size() > 9 ? 4 : 2;
  if (tokens.size() < first + 7)
    return std::nullopt;
  parsed_ack out;
  out.consumer = tokens[first + 1];
  if (to_number(tokens[first + 3], out.message.sequence)
      && to_number(tokens[first + 4], out.message.delivery)
      && to_number(tokens[first + 6], out.message.pending))
    return out;
  return std::nullopt;
}

bool has_status(natsMsg* message) {
  const char* status = nullptr;
  return natsMsgHeader_Get(message, "Status", &status) == NATS_OK;
}

std::string data_of(natsMsg* message) {
  return {natsMsg_GetData(message),
          static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

// What surely did not reach the socket.
bool surely_unsent(natsStatus status) {
  return status == NATS_INSUFFICIENT_BUFFER || status == NATS_CONNECTION_CLOSED
         || status == NATS_CONNECTION_DISCONNECTED
         || status == NATS_NOT_YET_CONNECTED || status == NATS_MAX_PAYLOAD
         || status == NATS_INVALID_ARG || status == NATS_INVALID_SUBJECT;
}

} // namespace

// Where answers wait. Shared with nats.c's callbacks, which may outlive us.
struct nats_requests::mailbox {
  struct question {
    bool over = false;
    asked answer;
    /// Its own: an answer wakes nobody else.
    std::condition_variable changed;

    void end() {
      over = true;
      changed.notify_one();
    }
  };

  struct queue {
    std::deque<pulled_message> messages;
    bool dry = false;
  };

  std::mutex mutex;
  /// The connection came or went, or all ends.
  std::condition_variable changed;
  /// Some queue did.
  std::condition_variable pulled;
  std::string prefix;
  std::map<std::uint64_t, question*> questions;
  std::map<std::string, queue, std::less<>> queues;
  std::uint64_t last_question = 0;
  std::uint64_t connects = 0;
  bool stopped = false;

  void on_event(nats_event event) {
    std::lock_guard guard{mutex};
    if (event == nats_event::connected)
      ++connects;
    if (event == nats_event::disconnected)
      wake_all();
    changed.notify_all();
  }

  void wake_all() {
    for (auto& [id, waiting] : questions)
      waiting->end();
    for (auto& [name, waiting] : queues)
      waiting.dry = true;
    pulled.notify_all();
  }

  void on_message(natsMsg* message) {
    std::lock_guard guard{mutex};
    std::string_view subject = natsMsg_GetSubject(message);
    if (!subject.starts_with(prefix)) {
      take_pulled(message);
    } else if (subject.substr(prefix.size()).starts_with(consumer_mark)) {
      // The end of a pull; with a status and no data.
      auto found = queues.find(subject.substr(prefix.size() + 1));
      if (found != queues.end())
        found->second.dry = true;
      pulled.notify_all();
    } else {
      take_answer(subject.substr(prefix.size()), message);
    }
  }

  void take_pulled(natsMsg* message) {
    const auto* reply = natsMsg_GetReply(message);
    auto parsed = parse_ack_subject(reply == nullptr ? "" : reply);
    if (!parsed)
      return;
    auto found = queues.find(parsed->consumer);
    if (found == queues.end())
      return;
    parsed->message.data = data_of(message);
    found->second.messages.push_back(std::move(parsed->message));
    pulled.notify_all();
  }

  void take_answer(std::string_view token, natsMsg* message) {
    std::uint64_t id = 0;
    auto found = to_number(token, id) ? questions.find(id) : questions.end();
    if (found == questions.end())
      return;
    auto& waiting = *found->second;
    waiting.answer.end = has_status(message) && natsMsg_IsNoResponders(message)
                           ? ask_end::nobody
                           : ask_end::answered;
    waiting.answer.data = data_of(message);
    waiting.end();
  }
};

namespace {

using mailbox_callback = std::function<void(natsMsg*)>;

void on_inbox(natsConnection*, natsSubscription*, natsMsg* raw, void* closure) {
  nats_message_ptr message{raw};
  // An exception must not enter C; what it cost is a timeout.
  try {
    (*static_cast<mailbox_callback*>(closure))(raw);
  } catch (...) {
    return;
  }
}

void on_inbox_complete(void* closure) {
  delete static_cast<mailbox_callback*>(closure);
}

} // namespace

result<std::unique_ptr<nats_requests>>
nats_requests::open(const nats_options& options) {
  auto box = std::make_shared<mailbox>();
  auto connection = nats_connection::open(
    options, [box](nats_event event) { box->on_event(event); });
  if (!connection)
    return connection.error();
  std::unique_ptr<nats_requests> out{new nats_requests};
  out->mailbox_ = box;
  out->connection_ = *connection;
  box->prefix = "_INBOX." + subject_token(random_bytes(16)) + ".";
  auto closure = std::make_unique<mailbox_callback>(
    [box](natsMsg* message) { box->on_message(message); });
  natsSubscription* raw = nullptr;
  auto status = natsConnection_Subscribe(&raw, out->connection_->native(),
                                         (box->prefix + "*").c_str(), on_inbox,
                                         closure.get());
  if (status != NATS_OK)
    return fail(errc::unavailable,
                std::string{"no NATS inbox: "} + natsStatus_GetText(status));
  out->inbox_.reset(raw);
  natsSubscription_SetPendingLimits(raw, -1, -1);
  natsSubscription_SetOnCompleteCB(raw, on_inbox_complete, closure.release());
  return out;
}

nats_requests::~nats_requests() {
  stop();
  connection_->close();
}

asked nats_requests::ask(const std::string& subject, const headers& with,
                         std::string_view body, steady_time until,
                         millis again) {
  auto& box = *mailbox_;
  mailbox::question waiting;
  std::uint64_t id = 0;
  {
    std::lock_guard guard{box.mutex};
    if (box.stopped)
      return {ask_end::not_sent, {}};
    id = ++box.last_question;
    box.questions.emplace(id, &waiting);
  }
  auto reply = box.prefix + std::to_string(id);
  natsMsg* raw = nullptr;
  auto status = natsMsg_Create(&raw, subject.c_str(), reply.c_str(),
                               body.data(), static_cast<int>(body.size()));
  nats_message_ptr message{raw};
  for (const auto& [key, value] : with)
    if (status == NATS_OK)
      status = natsMsgHeader_Set(raw, key.c_str(), value.c_str());
  bool built = status == NATS_OK;
  if (built)
    status = natsConnection_PublishMsg(connection_->native(), raw);
  std::unique_lock guard{box.mutex};
  if (!built || surely_unsent(status))
    waiting.answer.end = ask_end::not_sent;
  auto over = [&] { return waiting.over || box.stopped; };
  while (status == NATS_OK) {
    auto next = until;
    if (again > millis{0})
      next = std::min(until, std::chrono::steady_clock::now() + again);
    if (waiting.changed.wait_until(guard, next, over) || next == until)
      break;
    guard.unlock();
    // Should this fail, whoever gets the first may still answer.
    status = natsConnection_PublishMsg(connection_->native(), raw);
    guard.lock();
  }
  box.questions.erase(id);
  return std::move(waiting.answer);
}

void nats_requests::pause(steady_time until) {
  auto& box = *mailbox_;
  std::unique_lock guard{box.mutex};
  box.changed.wait_until(guard, until, [&, before = box.connects] {
    return box.stopped || box.connects != before;
  });
}

bool nats_requests::pull(const std::string& stream, const std::string& consumer,
                         std::size_t count) {
  {
    std::lock_guard guard{mailbox_->mutex};
    auto found = mailbox_->queues.find(consumer);
    if (mailbox_->stopped || found == mailbox_->queues.end())
      return false;
    found->second.dry = false;
  }
  auto subject = "$JS.API.CONSUMER.MSG.NEXT." + stream + "." + consumer;
  auto reply = mailbox_->prefix + consumer_mark + consumer;
  auto body = "{\"batch\":" + std::to_string(count) + ",\"no_wait\":true}";
  return natsConnection_PublishRequest(connection_->native(), subject.c_str(),
                                       reply.c_str(), body.data(),
                                       static_cast<int>(body.size()))
         == NATS_OK;
}

void nats_requests::listen(const std::string& consumer) {
  std::lock_guard guard{mailbox_->mutex};
  mailbox_->queues[consumer];
}

void nats_requests::unlisten(const std::string& consumer) {
  std::lock_guard guard{mailbox_->mutex};
  mailbox_->queues.erase(consumer);
}

std::optional<pulled_message> nats_requests::take(const std::string& consumer,
                                                  steady_time until) {
  auto& box = *mailbox_;
  std::unique_lock guard{box.mutex};
  auto found = box.queues.find(consumer);
  if (found == box.queues.end())
    return std::nullopt;
  auto& from = found->second;
  box.pulled.wait_until(guard, until, [&] {
    return !from.messages.empty() || from.dry || box.stopped;
  });
  if (from.messages.empty())
    return std::nullopt;
  auto out = std::move(from.messages.front());
  from.messages.pop_front();
  return out;
}

bool nats_requests::connected() const noexcept {
  return connection_->connected();
}

void nats_requests::stop() noexcept {
  {
    std::lock_guard guard{mailbox_->mutex};
    mailbox_->stopped = true;
    mailbox_->wake_all();
  }
  mailbox_->changed.notify_all();
}

bool nats_requests::stopped() const noexcept {
  std::lock_guard guard{mailbox_->mutex};
  return mailbox_->stopped;
}

} // namespace rollcall::cluster
