#include "cluster/nats_access.hpp"

#include "actors/base/hash.hpp"
#include "cluster/stream_api.hpp"
#include "cluster/subjects.hpp"

#include <nats/nats.h>

#include <array>
#include <string>
#include <vector>

namespace rollcall::cluster {

namespace {

constexpr std::int64_t answer_ms = 1'000;
constexpr std::chrono::milliseconds between_tries{100};

// What the journal asks of JetStream; see stream_calls. Without a body each is
// refused or answers nothing.
constexpr std::array<std::string_view, 6> stream_requests = {
  "STREAM.INFO.",     "STREAM.CREATE.",     "STREAM.MSG.GET.",
  "CONSUMER.CREATE.", "CONSUMER.MSG.NEXT.", "CONSUMER.DELETE.",
};

bool names_consumer(std::string_view request) {
  return request == "CONSUMER.MSG.NEXT." || request == "CONSUMER.DELETE.";
}

/// One connection and what it was refused.
class prober {
public:
  explicit prober(std::shared_ptr<nats_connection> over)
    : connection_(std::move(over)) {
    // nop
  }

  /// The subscription goes with the prober, after its connection was closed.
  natsSubscription* subscribe(const std::string& subject) {
    natsSubscription* out = nullptr;
    auto status = natsConnection_SubscribeSync(&out, connection_->native(),
                                               subject.c_str());
    if (status == NATS_OK)
      subscriptions_.emplace_back(out);
    settle(status, "subscribe to ", subject);
    return out;
  }

  void publish(const std::string& subject, const std::string& reply) {
    auto status = reply.empty()
                    ? natsConnection_Publish(connection_->native(),
                                             subject.c_str(), nullptr, 0)
                    : natsConnection_PublishRequest(connection_->native(),
                                                    subject.c_str(),
                                                    reply.c_str(), nullptr, 0);
    settle(status, "publish to ", subject);
  }

  void end() {
    connection_->close();
    subscriptions_.clear();
  }

  [[nodiscard]] bool broken() const noexcept {
    return broken_;
  }

  [[nodiscard]] const std::string& refused() const noexcept {
    return refused_;
  }

private:
  // The server answers in order: what it refuses is known by its pong.
  void settle(natsStatus status, const char* what, const std::string& subject) {
    auto* native = connection_->native();
    if (status == NATS_OK)
      status = natsConnection_FlushTimeout(native, answer_ms);
    broken_ = broken_ || status != NATS_OK;
    const char* text = nullptr;
    if (natsConnection_GetLastError(native, &text) != NATS_NOT_PERMITTED
        || text == nullptr
        || std::string_view{text}.find('"' + subject + '"')
             == std::string_view::npos)
      return;
    refused_ += refused_.empty() ? "" : ", ";
    refused_ += what + subject;
  }

  std::shared_ptr<nats_connection> connection_;
  std::vector<nats_subscription_ptr> subscriptions_;
  std::string refused_;
  bool broken_ = false;
};

void probe_streams(prober& at, const subjects& names) {
  auto stream = names.stream(0);
  for (auto request : stream_requests)
    at.publish("$JS.API." + std::string{request} + stream
                 + (names_consumer(request) ? ".probe" : ""),
               {});
  at.publish("$JS.API.STREAM.NAMES", {});
  at.publish(names.journal_probe(), {});
}

/// Whether an answer of JetStream's says that there is none.
bool says_no_jetstream(natsMsg* message) {
  if (natsMsg_IsNoResponders(message))
    return true;
  auto size = static_cast<std::size_t>(natsMsg_GetDataLength(message));
  auto told = parse_info_answer({natsMsg_GetData(message), size});
  return told.error == stream_error::not_enabled
         || told.error == stream_error::not_enabled_for_account;
}

/// Asks for a stream, whether there is one or not. Servers that still elect a
/// leader do not answer, and that is no reason to refuse.
result<done> ask_jetstream(prober& at, const subjects& names,
                           const nats_options& options,
                           const std::string& inbox,
                           natsSubscription* answers) {
  auto until = std::chrono::steady_clock::now() + options.connect_timeout;
  for (;;) {
    at.publish("$JS.API.STREAM.INFO." + names.stream(0), inbox);
    natsMsg* raw = nullptr;
    auto status = natsSubscription_NextMsg(&raw, answers, answer_ms);
    nats_message_ptr message{raw};
    bool none = status == NATS_NO_RESPONDERS
                || (status == NATS_OK && says_no_jetstream(raw));
    if (!none)
      return done{};
    // A server that has just started may need a moment.
    if (std::chrono::steady_clock::now() + between_tries >= until)
      return fail(errc::unavailable,
                  "NATS has no JetStream for this user: turn it on in the "
                  "server and for the account",
                  "nats");
    // Nothing comes that was not asked for.
    natsMsg* late = nullptr;
    (void)natsSubscription_NextMsg(&late, answers, between_tries.count());
    message.reset(late);
  }
}

} // namespace

result<done> check_nats_access(const nats_options& options, bool core) {
  auto quietly = options;
  quietly.quiet = true;
  quietly.gave_up = {};
  auto connection = nats_connection::open(quietly);
  if (!connection)
    return connection.error();
  subjects names{options.cluster};
  auto token = random_bytes(16);
  node_id nobody{subject_token(token), 1};
  auto inbox = "_INBOX." + subject_token(token) + ".probe";
  prober at{std::move(*connection)};
  (void)at.subscribe(names.everybody());
  (void)at.subscribe(names.node_inbox(nobody));
  at.publish(names.node_inbox(nobody), {});
  // Everybody hears this one; an inbox ignores what is empty.
  at.publish(names.everybody(), {});
  result<done> out = done{};
  if (core) {
    auto* answers = at.subscribe(inbox);
    probe_streams(at, names);
    if (at.refused().empty() && !at.broken())
      out = ask_jetstream(at, names, options, inbox, answers);
  }
  at.end();
  if (!at.refused().empty())
    return fail(errc::forbidden,
                "NATS does not let this node " + at.refused()
                  + ": give the user of cluster.credentials these rights"
                  + (core ? ", or set cluster.roles" : "")
                  + " (docs/cluster.md, Security)",
                "credentials");
  if (at.broken())
    return fail(errc::unavailable,
                "the connection to NATS broke while rights were checked",
                "nats");
  return out;
}

} // namespace rollcall::cluster
