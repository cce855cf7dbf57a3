#include "cluster/stream_calls.hpp"

#include "actors/base/limits.hpp"

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
                                       steady_time until, millis again) {
  for (;;) {
    auto now = clock::now();
    if (now >= until || ask_.stopped())
      return silence(stream_);
    auto got = ask_.ask(subject, {}, body, until, again);
    if (got.end == ask_end::answered && !is_between_leaders(got.data))
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
  // Takes about half a second where a stream is kept three times.
  auto got
    = call(api("STREAM.CREATE"), create_stream_request(wanted), until, attempt);
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
stream_calls::find_message(const std::string& request, steady_time until) {
  auto got = call(api("STREAM.MSG.GET"), request, until);
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

result<std::optional<message_answer>>
stream_calls::last_message(std::string_view subject, steady_time until) {
  return find_message(last_message_request(subject), until);
}

result<std::optional<message_answer>>
stream_calls::next_message(std::string_view filter, std::uint64_t first,
                           steady_time until) {
  return find_message(next_message_request(filter, first), until);
}

result<done> stream_calls::read(std::string_view filter, std::uint64_t first,
                                std::uint64_t last, millis patience,
                                const visitor& visit) {
  progress at{first, last, first > last};
  while (!at.over) {
    if (auto read = read_singly(filter, at, patience, visit); !read)
      return read;
    if (at.over)
      break;
    if (auto read = read_some(filter, at, visit); !read)
      return read;
  }
  return done{};
}

result<done> stream_calls::read_singly(std::string_view filter, progress& at,
                                       millis patience, const visitor& visit) {
  for (std::size_t i = 0; i < limits::journal_read_singly; ++i) {
    auto until = clock::now() + patience;
    auto found = next_message(filter, at.next, until);
    if (!found)
      return found.error();
    if (!*found) {
      at.over = true;
      return confirm_end(at, until);
    }
    const auto& message = **found;
    if (message.sequence > at.last) {
      at.over = true;
      return done{};
    }
    auto more = visit(message.sequence, message.data);
    if (!more)
      return more.error();
    at.next = message.sequence + 1;
    at.over = !*more || at.next > at.last;
    if (at.over)
      return done{};
  }
  return done{};
}

// A leader that has just been elected may not have all of it in place yet:
// "no more" from it is not the end.
result<done> stream_calls::confirm_end(const progress& at, steady_time until) {
  auto now = info(until);
  if (!now)
    return now.error();
  if (now->error != 0 || now->last_sequence < at.last)
    return fail(errc::unavailable, "the journal " + stream_ + " does not reach "
                                     + std::to_string(at.last) + " now");
  return done{};
}

// With a consumer of its own: one that lost a message is not asked again.
// Without one nothing is read, and that is no failure.
result<done> stream_calls::read_some(std::string_view filter, progress& at,
                                     const visitor& visit) {
  auto got = ask_.ask(api("CONSUMER.CREATE"), {},
                      consumer_request(stream_, filter, at.next),
                      clock::now() + attempt);
  if (got.end != ask_end::answered)
    return done{};
  auto consumer = parse_consumer_answer(got.data);
  if (consumer.error != 0 || consumer.pending == 0)
    return done{};
  ask_.listen(consumer.name);
  auto outcome = pull_all(consumer.name, at, visit);
  ask_.unlisten(consumer.name);
  // It would go by itself; what comes of this does not matter.
  auto subject = "$JS.API.CONSUMER.DELETE." + stream_ + "." + consumer.name;
  (void)ask_.ask(subject, {}, {}, clock::now() + between);
  return outcome;
}

// What is left when it gives no more, the single way finds or confirms.
result<done> stream_calls::pull_all(const std::string& consumer, progress& at,
                                    const visitor& visit) {
  std::uint64_t delivered = 0;
  for (;;) {
    if (!ask_.pull(stream_, consumer, pulled_at_once))
      return done{};
    for (std::size_t i = 0; i < pulled_at_once; ++i) {
      auto message = ask_.take(consumer, clock::now() + attempt);
      if (!message || message->delivery != delivered + 1)
        return done{};
      ++delivered;
      if (message->sequence > at.last) {
        at.over = true;
        return done{};
      }
      auto more = visit(message->sequence, message->data);
      if (!more)
        return done{};
      at.next = message->sequence + 1;
      at.over = !*more || at.next > at.last;
      if (at.over || message->pending == 0)
        return done{};
    }
  }
}

const std::string& stream_calls::stream() const noexcept {
  return stream_;
}

} // namespace rollcall::cluster
