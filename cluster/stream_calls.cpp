#include "cluster/stream_calls.hpp"

#include <algorithm>

namespace rollcall::cluster {

namespace {

using clock = std::chrono::steady_clock;

constexpr millis attempt{1'000};
constexpr millis between{100};
// What one pull asks for. A message has at most limits::journal_part_bytes.
constexpr std::size_t pulled_at_once = 64;

failure silence(const std::string& stream) {
  return fail(errc::unavailable, "the journal " + stream + " does not answer");
}

} // namespace

stream_calls::stream_calls(nats_requests& ask, std::string stream)
  : ask_(ask), stream_(std::move(stream)) {
  // nop
}

std::string stream_calls::api(const char* what) const {
  return std::string{"$JS.API."} + what + "." + stream_;
}

result<std::string> stream_calls::call(const std::string& subject,
                                       const std::string& body,
                                       steady_time until) {
  for (;;) {
    auto now = clock::now();
    if (now >= until || ask_.stopped())
      return silence(stream_);
    auto got = ask_.ask(subject, {}, body, std::min(until, now + attempt));
    if (got.end == ask_end::answered)
      return std::move(got.data);
    ask_.pause(std::min(until, clock::now() + between));
  }
}

result<names_answer> stream_calls::names(std::string_view subject,
                                         steady_time until) {
  auto got = call("$JS.API.STREAM.NAMES", stream_names_request(subject), until);
  if (!got)
    return got.error();
  return parse_names_answer(*got);
}

result<info_answer> stream_calls::info(steady_time until) {
  auto got = call(api("STREAM.INFO"), {}, until);
  if (!got)
    return got.error();
  return parse_info_answer(*got);
}

result<info_answer> stream_calls::create(const stream_settings& wanted,
                                         steady_time until) {
  auto got = call(api("STREAM.CREATE"), create_stream_request(wanted), until);
  if (!got)
    return got.error();
  return parse_info_answer(*got);
}

result<message_answer> stream_calls::message_at(std::uint64_t sequence,
                                                steady_time until) {
  auto got = call(api("STREAM.MSG.GET"), message_at_request(sequence), until);
  if (!got)
    return got.error();
  return parse_message_answer(*got);
}

result<std::optional<message_answer>>
stream_calls::last_message(std::string_view subject, steady_time until) {
  auto got = call(api("STREAM.MSG.GET"), last_message_request(subject), until);
  if (!got)
    return got.error();
  auto answer = parse_message_answer(*got);
  if (answer.error == stream_error::message_not_found)
    return std::optional<message_answer>{};
  if (answer.error != 0)
    return fail(errc::unavailable,
                "the journal " + stream_
                  + " cannot be read: " + answer.description);
  return std::optional<message_answer>{std::move(answer)};
}

result<done> stream_calls::read(std::string_view filter, std::uint64_t first,
                                std::uint64_t last, millis patience,
                                const visitor& visit) {
  progress at{first, last, first > last};
  auto until = clock::now() + patience;
  while (!at.over) {
    auto before = at.next;
    auto outcome = read_some(filter, at, until, visit);
    if (!outcome)
      return outcome;
    if (at.next != before)
      until = clock::now() + patience;
    else if (!at.over && (clock::now() >= until || ask_.stopped()))
      return silence(stream_);
    else if (!at.over)
      ask_.pause(clock::now() + between);
  }
  return done{};
}

// With a consumer of its own: one that lost a message is not asked again.
result<done> stream_calls::read_some(std::string_view filter, progress& at,
                                     steady_time until, const visitor& visit) {
  auto got = call(api("CONSUMER.CREATE"),
                  consumer_request(stream_, filter, at.next), until);
  if (!got)
    return got.error();
  auto consumer = parse_consumer_answer(*got);
  if (consumer.error != 0)
    return fail(errc::unavailable,
                "the journal " + stream_
                  + " cannot be read: " + consumer.description);
  if (consumer.pending == 0) {
    at.over = true;
    return done{};
  }
  ask_.listen(consumer.name);
  auto outcome = pull_all(consumer.name, at, until, visit);
  ask_.unlisten(consumer.name);
  // It would go by itself; what comes of this does not matter.
  auto subject = "$JS.API.CONSUMER.DELETE." + stream_ + "." + consumer.name;
  (void)ask_.ask(subject, {}, {}, clock::now() + between);
  return outcome;
}

result<done> stream_calls::pull_all(const std::string& consumer, progress& at,
                                    steady_time until, const visitor& visit) {
  std::uint64_t delivered = 0;
  for (;;) {
    if (!ask_.pull(stream_, consumer, pulled_at_once))
      return done{};
    for (std::size_t i = 0; i < pulled_at_once; ++i) {
      auto message
        = ask_.take(consumer, std::min(until, clock::now() + attempt));
      if (!message || message->delivery != delivered + 1)
        return done{};
      ++delivered;
      if (message->sequence > at.last) {
        at.over = true;
        return done{};
      }
      auto more = visit(message->sequence, message->data);
      if (!more)
        return more.error();
      at.next = message->sequence + 1;
      at.over = !*more || message->pending == 0 || at.next > at.last;
      if (at.over)
        return done{};
    }
    until = clock::now() + attempt;
  }
}

const std::string& stream_calls::stream() const noexcept {
  return stream_;
}

} // namespace rollcall::cluster
