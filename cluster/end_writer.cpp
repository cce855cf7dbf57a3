#include "cluster/end_writer.hpp"

#include "actors/base/hash.hpp"
#include "actors/base/limits.hpp"
#include "cluster/backoff.hpp"
#include "cluster/stream_calls.hpp"

#include <algorithm>

namespace rollcall::cluster {

namespace {

class end_writer {
public:
  end_writer(const end_calls& with, const std::string& stream,
             journal_entry entry, end_place place, millis resend_after,
             steady_time until)
    : with_(with),
      stream_(stream),
      entry_(std::move(entry)),
      end_(place.end),
      tries_most_(place.tries),
      resend_after_(resend_after),
      until_(until) {
    entry_.op = random_u64();
  }

  result<end_written> run() {
    while (with_.now() < until_ && !with_.stopped()) {
      auto begin = with_.now();
      auto got = publish();
      if (got.end == ask_end::answered) {
        if (auto over = judge(parse_publish_answer(got.data),
                              is_between_leaders(got.data)))
          return *over;
        continue;
      }
      doubtful_ = doubtful_ || got.end == ask_end::silent;
      auto pause = pause_.next();
      // Who was silent had the pause already.
      if (got.end != ask_end::silent || with_.now() < begin + pause)
        rest(pause);
    }
    return fail(errc::unavailable, "the journal did not answer in time");
  }

private:
  // The same to the byte as long as it expects the same end.
  asked publish() {
    entry_.epoch = make_epoch(entry_.marker, end_ + 1);
    auto end = std::to_string(end_);
    return with_.publish(
      {{"Nats-Expected-Stream", stream_},
       {"Nats-Expected-Last-Sequence", end},
       {"Nats-Msg-Id", "end." + std::to_string(entry_.op) + "." + end}},
      encode(entry_), std::min(until_, with_.now() + resend_after_));
  }

  // Nothing: it is to be tried again.
  std::optional<result<end_written>> judge(const publish_answer& answer,
                                           bool between_leaders) {
    if (answer.error == 0 && !answer.duplicate)
      return result<end_written>{end_written{answer.sequence, tries_}};
    if (answer.error != 0
        && answer.error != stream_error::wrong_last_sequence) {
      if (!between_leaders && !doubtful_)
        return result<end_written>{fail(
          errc::unavailable, "the journal refuses: " + answer.description)};
      rest(pause_.next());
      return std::nullopt;
    }
    // A duplicate had arrived, and may have been followed since.
    if (answer.duplicate || doubtful_) {
      auto own = find_own();
      if (!own)
        return result<end_written>{own.error()};
      if (*own != 0)
        return result<end_written>{end_written{*own, tries_}};
      doubtful_ = false;
    }
    if (++tries_ > tries_most_)
      return result<end_written>{fail(
        errc::unavailable, "others write to the journal: its end moves on")};
    return go_to_end(answer.last_sequence);
  }

  std::optional<result<end_written>> go_to_end(position_t refused_at) {
    auto end = refused_at;
    if (end <= end_) {
      auto looked = with_.end(until_);
      if (!looked)
        return result<end_written>{looked.error()};
      end = *looked;
    }
    // One that has less than was seen before is a leader that has not all of
    // it in place yet.
    if (end <= end_)
      rest(pause_.next());
    else
      end_ = end;
    return std::nullopt;
  }

  // Where it stands, if nobody has followed; zero otherwise.
  result<position_t> find_own() {
    auto found = with_.last(until_);
    if (!found)
      return found.error();
    if (!*found)
      return position_t{0};
    auto there = decode_entry((*found)->data);
    if (!there || there->op != entry_.op || there->kind != entry_.kind
        || there->marker != entry_.marker)
      return position_t{0};
    if (!is_in_place(*there, (*found)->sequence))
      return misplaced((*found)->sequence);
    return position_t{(*found)->sequence};
  }

  void rest(millis pause) {
    with_.pause(std::min(until_, with_.now() + pause));
  }

  const end_calls& with_;
  const std::string& stream_;
  journal_entry entry_;
  position_t end_;
  std::size_t tries_most_;
  millis resend_after_;
  steady_time until_;
  std::size_t tries_ = 1;
  bool doubtful_ = false;
  backoff pause_;
};

} // namespace

end_calls end_calls_of(nats_requests& ask, const std::string& stream,
                       const std::string& subject) {
  stream_calls at{ask, stream};
  end_calls out;
  out.publish = [&ask, subject](const auto& headers, auto bytes, auto until) {
    return ask.ask(subject, headers, bytes, until);
  };
  out.last = [at, subject](auto until) mutable {
    return at.last_message(subject, until);
  };
  out.end = [at](auto until) mutable -> result<position_t> {
    auto info = at.info(until);
    if (!info)
      return info.error();
    if (info->error != 0)
      return fail(errc::unavailable,
                  "the journal " + at.stream() + ": " + info->description);
    return position_t{info->last_sequence};
  };
  out.pause = [&ask](auto until) { ask.pause(until); };
  out.stopped = [&ask] { return ask.stopped(); };
  out.now = [] { return std::chrono::steady_clock::now(); };
  return out;
}

result<end_written> write_at_end(const end_calls& with,
                                 const std::string& stream, journal_entry entry,
                                 end_place place, millis resend_after,
                                 steady_time until) {
  return end_writer{with, stream, std::move(entry), place, resend_after, until}
    .run();
}

} // namespace rollcall::cluster
