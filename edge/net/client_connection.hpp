#pragma once

// One client's socket, from the first byte to the last.

#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/base/rate_limiter.hpp"
#include "actors/client.hpp"
#include "actors/ports.hpp"
#include "edge/net/answer_frame.hpp"
#include "edge/net/client_address.hpp"
#include "edge/net/connection_handler.hpp"
#include "edge/net/evidence_book.hpp"
#include "edge/net/frame_codec.hpp"
#include "edge/net/handshake.hpp"
#include "edge/net/http_parser.hpp"
#include "edge/net/inbox.hpp"
#include "edge/net/net_stats.hpp"
#include "edge/net/transport.hpp"
#include "edge/net/write_queue.hpp"
#include "edge/protocol/close_codes.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rollcall::edge {

class client_loop;
class connection_handler;

/// Speaks HTTP until an upgrade is granted, then WebSocket. Lives on its
/// loop's thread. Nothing here writes at once: bytes are queued, and the loop
/// calls `flush` when it has done everything else, so that what belongs
/// together leaves in one call to the kernel.
class client_connection {
public:
  /// A place in a channel, kept by the loop's channel table.
  struct place {
    channel_id channel = 0;
    std::uint32_t index = 0;
    // Dropped out for being slow; wants to be called back.
    bool lost = false;
  };

  client_connection(client_loop& loop, client_ref self, transport pipe,
                    const client_address& from, bool over_limit);
  client_connection(const client_connection&) = delete;
  client_connection& operator=(const client_connection&) = delete;
  ~client_connection();

  // -- called by the loop ----------------------------------------------------

  void on_readable();
  void on_writable();
  /// The peer is gone in both directions.
  void on_hangup();
  void on_timer();
  void flush();

  /// Says `bye` and closes, or ends at once where there is nothing to say.
  void shut_down();
  /// Ends without a word; used when the loop ends.
  void abandon();

  void deliver(const frame_ptr& frame);
  void publish(const frame_ptr& frame);
  void subscribe(channel_id channel, const frame_ptr& first);
  void unsubscribe(channel_id channel);
  void watch(const watch_message& what);
  void close(std::uint16_t code, std::string_view reason,
             const frame_ptr& last);
  void respond(std::uint32_t exchange, http_response response);
  /// `bye` with one of our own codes, then the end.
  void cut(close_code code);
  /// Leaves all channels until its queue has drained.
  void lose_places();

  [[nodiscard]] client_ref self() const noexcept {
    return self_;
  }

  [[nodiscard]] const client_address& from() const noexcept {
    return from_;
  }

  [[nodiscard]] int fd() const noexcept {
    return pipe_.fd();
  }

  [[nodiscard]] bool dead() const noexcept {
    return phase_ == phase::dead;
  }

  [[nodiscard]] place* find_place(channel_id channel) noexcept;

  // For the loop's bookkeeping.
  bool dirty = false;
  bool paced = false;
  std::uint32_t interest = 0;
  millis armed = never;

private:
  enum class phase : std::uint8_t {
    /// An HTTP request is expected.
    reading,
    /// The handler owes an HTTP response; nothing is read.
    answering,
    /// A WebSocket.
    open,
    /// The last bytes are queued; what comes in is ignored.
    closing,
    dead,
  };

  struct watched {
    evidence_book::page* where = nullptr;
    connection_id connection;
    millis suspect_after{0};
    bool silent = false;
  };

  // -- bytes (client_connection.cpp) -----------------------------------------

  /// After a pause: bytes may wait inside the TLS layer.
  void read_pending();
  void take(std::span<char> fresh);
  void process(std::span<char>& input);
  void enqueue(const frame_ptr& frame);
  void push(const frame_ptr& frame);
  void update_interest();
  void after_drained();
  /// The first of what was queued is out.
  void on_answer_read();
  /// All answers are out: takes up what had to wait for that.
  void go_on_reading();
  void throttle();
  [[nodiscard]] bool throttled() const noexcept {
    return paused_until_ > millis{0};
  }
  /// Whether what comes next would be taken up: nothing else is read, so that
  /// it gathers in the kernel and not in `in_`.
  [[nodiscard]] bool wants_input() const noexcept {
    return !throttled() && !full_ && !peer_done_ && phase_ != phase::answering
           && phase_ != phase::dead;
  }
  /// Whether an answer in HTTP is on its way. How long the client may take for
  /// it is then what counts (`unread_until_`).
  [[nodiscard]] bool owes_bytes() const noexcept {
    return !websocket_ && !out_.empty();
  }

  void rearm();
  [[nodiscard]] millis next_deadline() const;
  /// The socket is lost, or there is nothing left to do with it.
  void lost();
  void doom();

  // -- HTTP (client_http.cpp) ------------------------------------------------

  /// Returns whether to go on with what is left of the input.
  bool process_http(std::span<char>& input);
  void handle(http_request request);
  void handle_plain(const http_request& request, result<plain_socket> socket);
  void grant(upgrade granted, std::optional<plain_socket> plain);
  void refuse(refusal_reason why, http_response response);
  /// The reason follows from its status.
  void refuse(http_response response);
  void send_response(http_response response);
  /// What every answer has, to one whose author did not see to it: the name
  /// of the request; a refusal is shown to the page that asked, too.
  void frame_response(http_response& response);
  void open_answer(const http_request& request);
  /// Answers what the server knows itself; false for all else.
  bool serve(const http_request& request);

  // -- WebSocket (client_socket.cpp) -----------------------------------------

  void process_frames(std::span<char>& input);
  void await_close(std::span<char>& input);
  void on_frame(frame_decoder::event what);
  void on_message();
  /// Of a plain WebSocket.
  void on_plain_message();
  void on_closed_by_peer();
  void heard();
  void check_watches();
  /// Pages on a plain WebSocket say nothing; only a ping makes them answer.
  [[nodiscard]] millis next_ping() const noexcept;
  void begin_close(std::uint16_t code, std::string_view reason,
                   const frame_ptr& last, bool drop_queue);
  void leave_open(bool goodbye, bool report);
  /// Nothing on a plain WebSocket: it does not know the word.
  [[nodiscard]] frame_ptr bye(close_code code,
                              std::optional<millis> after) const;
  [[nodiscard]] millis last_sign() const noexcept;
  [[nodiscard]] millis silence_allowed() const noexcept;

  client_loop& loop_;
  client_ref self_;
  transport pipe_;
  client_address from_;
  phase phase_ = phase::reading;
  dialect language_ = dialect::json;
  bool over_limit_ = false;
  bool websocket_ = false;
  // Told and not asked: what the client says is dropped.
  std::optional<plain_socket> plain_;
  bool want_write_ = false;
  // TLS wants the socket to be writable before it can read on.
  bool read_wants_write_ = false;
  bool peer_done_ = false;
  bool write_ended_ = false;
  bool lagging_ = false;
  // Answers in HTTP fill the queue: no request is taken up until they are out.
  bool full_ = false;
  bool first_message_ = true;
  bool head_request_ = false;
  bool keep_alive_ = false;
  std::uint32_t exchange_ = 0;
  // Steady times; zero in `paused_until_` means that input is read.
  millis deadline_{0};
  // By when the client must have read the first of what is queued.
  millis unread_until_{0};
  millis paused_until_{0};
  millis last_heard_{0};
  millis pinged_{0};
  millis lagging_since_{0};
  token_bucket requests_;
  token_bucket frames_;
  std::string in_;
  write_queue out_;
  frame_decoder decoder_;
  std::unique_ptr<http_parser> http_;
  // Of the request that is being answered.
  std::unique_ptr<answer_frame> frame_;
  std::shared_ptr<connection_handler> handler_;
  std::vector<place> places_;
  std::vector<watched> watches_;
};

} // namespace rollcall::edge
