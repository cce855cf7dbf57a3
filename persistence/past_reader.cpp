#include "persistence/past_reader.hpp"

#include "actors/base/base64url.hpp"
#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/key_search.hpp"
#include "persistence/record_format.hpp"
#include "persistence/session_lister.hpp"

#include <algorithm>
#include <deque>
#include <tuple>

namespace rollcall {

namespace {

// -- cursors: what of a key follows its session, in text ---------------------

std::string cursor_of(std::string_view key, std::string_view prefix) {
  return base64url_encode(key.substr(prefix.size()));
}

result<std::string> key_behind(const std::string& prefix,
                               const std::string& cursor) {
  if (cursor.empty())
    return std::string{};
  if (cursor.size() > limits::cursor_bytes)
    return fail(errc::bad_request, "is no cursor", "after");
  auto tail = base64url_decode(cursor);
  if (!tail || !keys::parse(prefix + *tail))
    return fail(errc::bad_request, "is no cursor", "after");
  return prefix + *tail;
}

std::size_t page_size(std::uint32_t asked) {
  return std::clamp<std::size_t>(asked, 1, limits::history_page_items);
}

// -- stays -------------------------------------------------------------------

stay stay_of(interval_record closed) {
  return {std::move(closed.user), {},
          closed.joined,          closed.from,
          closed.until,           closed.reason,
          closed.reconnections};
}

auto place(const stay& one) {
  return std::tie(one.joined, one.user);
}

// The stays of a session as of the version of a question: what the session
// said itself is right, and what began later is not yet.
class stay_filter {
public:
  explicit stay_filter(const history_question& asked) : asked_(asked) {
    // nop
  }

  [[nodiscard]] bool takes(const stay& one) const {
    return one.joined <= asked_.at && !is_known(one)
           && (asked_.asked.user.empty() || one.user == asked_.asked.user);
  }

private:
  [[nodiscard]] bool is_known(const stay& one) const {
    return std::binary_search(
      asked_.known.begin(), asked_.known.end(), one,
      [](const stay& a, const stay& b) { return place(a) < place(b); });
  }

  const history_question& asked_;
};

// Hands the closed stays of a session to `each`, which returns false to stop.
template <class Each>
result<done> walk_stays(store& from, const history_question& asked,
                        std::string_view start, walk_way way, Each each) {
  stay_filter filter{asked};
  std::optional<failure> bad;
  auto walked
    = from.walk(keys::prefix(asked.partition, table::interval, asked.session),
                start, way, [&](auto key, auto value) {
                  auto rec = decode(key, value);
                  if (!rec) {
                    bad = rec.error();
                    return false;
                  }
                  auto one = stay_of(std::get<interval_record>(*rec));
                  return each(key, filter.takes(one) ? &one : nullptr);
                });
  if (!walked)
    return walked;
  if (bad)
    return *bad;
  return done{};
}

time_window window_of(const history_question& asked) {
  // What happens at this very moment is part of it.
  return {asked.asked.from, asked.asked.until.value_or(asked.now + millis{1})};
}

// Merges what the session knows into what the store has, in one order.
class stay_page {
public:
  stay_page(const history_question& asked, std::string prefix,
            std::string_view start)
    : asked_(asked),
      prefix_(std::move(prefix)),
      window_(window_of(asked)),
      most_(page_size(asked.asked.limit)) {
    for (const auto& one : asked.known) {
      auto key = keys::of_interval(asked.partition, asked.session, one.joined,
                                   one.user);
      bool beyond = start.empty()
                    || (asked.asked.newest_first ? key < start : key > start);
      if (beyond)
        known_.push_back({std::move(key), one});
    }
    if (asked.asked.newest_first)
      std::reverse(known_.begin(), known_.end());
  }

  // Returns false when the page is full, or enough was looked at.
  bool take(std::string_view key, const stay* one) {
    while (!known_.empty() && is_before(known_.front().first, key))
      if (!add_known())
        return false;
    if (one != nullptr && !add(key, *one))
      return false;
    last_ = key;
    if (++looked_at_ < limits::history_scan)
      return true;
    out_.next = cursor_of(last_, prefix_);
    return false;
  }

  history_reply finish() {
    while (out_.next.empty() && !known_.empty())
      if (!add_known())
        break;
    return std::move(out_);
  }

private:
  [[nodiscard]] bool is_before(std::string_view a, std::string_view b) const {
    return asked_.asked.newest_first ? a > b : a < b;
  }

  bool add_known() {
    auto [key, one] = std::move(known_.front());
    known_.pop_front();
    return add(key, one);
  }

  bool add(std::string_view key, const stay& one) {
    if (!touches(one, window_))
      return true;
    if (out_.stays.size() == most_) {
      out_.next = cursor_of(last_taken_, prefix_);
      return false;
    }
    out_.stays.push_back(one);
    last_taken_ = key;
    return true;
  }

  const history_question& asked_;
  std::string prefix_;
  time_window window_;
  std::size_t most_;
  std::deque<std::pair<std::string, stay>> known_;
  std::size_t looked_at_ = 0;
  std::string last_;
  std::string last_taken_;
  history_reply out_;
};

result<history_reply> page_of_stays(store& from,
                                    const history_question& asked) {
  auto prefix = keys::prefix(asked.partition, table::interval, asked.session);
  auto start = key_behind(prefix, asked.asked.after);
  if (!start)
    return start.error();
  stay_page page{asked, prefix, *start};
  auto walked = walk_stays(
    from, asked, *start,
    asked.asked.newest_first ? walk_way::down : walk_way::up,
    [&](auto key, const stay* one) { return page.take(key, one); });
  if (!walked)
    return walked.error();
  return page.finish();
}

// All that a question looks at, oldest first; the newest if it is too much.
result<std::vector<stay>> all_stays(store& from, const history_question& asked,
                                    history_reply& out) {
  std::vector<stay> all;
  std::size_t looked_at = 0;
  std::optional<millis> oldest;
  auto walked
    = walk_stays(from, asked, {}, walk_way::down, [&](auto, const stay* one) {
        if (looked_at == limits::history_scan) {
          out.covers_from = oldest.value_or(millis{0});
          return false;
        }
        ++looked_at;
        if (one != nullptr) {
          oldest = one->from;
          all.push_back(*one);
        }
        return true;
      });
  if (!walked)
    return walked.error();
  std::reverse(all.begin(), all.end());
  all.insert(all.end(), asked.known.begin(), asked.known.end());
  std::stable_sort(all.begin(), all.end(), [](const stay& a, const stay& b) {
    return place(a) < place(b);
  });
  return all;
}

result<history_summary> summary_of(const std::vector<stay>& all,
                                   const history_question& asked) {
  auto window = window_of(asked);
  auto width = asked.asked.bucket;
  // From the beginning: from the first who was here.
  if (window.from == millis{0} && !all.empty()) {
    window.from = window.until;
    for (const auto& one : all)
      window.from = std::min(window.from, one.from);
    if (width > millis{0})
      window.from -= window.from % width;
  }
  auto out = summarize(all, window, asked.now);
  if (width == millis{0} || (all.empty() && window.from == millis{0}))
    return out;
  auto buckets = timeline(all, window, width);
  if (!buckets)
    return buckets.error();
  out.timeline = std::move(*buckets);
  return out;
}

void page_of_people(const std::vector<stay>& all, const history_question& asked,
                    const user_id& after, history_reply& out) {
  auto people = people_of(all, window_of(asked), asked.now);
  auto most = page_size(asked.asked.limit);
  for (auto& who : people) {
    if (!after.empty() && who.user <= after)
      continue;
    if (out.people.size() == most) {
      out.next = base64url_encode(out.people.back().user.str());
      return;
    }
    out.people.push_back(std::move(who));
  }
}

void page_of_here(const std::vector<stay>& all, const history_question& asked,
                  const user_id& after, history_reply& out) {
  auto here = here_at(all, asked.asked.from);
  std::sort(here.begin(), here.end(),
            [](const stay& a, const stay& b) { return a.user < b.user; });
  auto most = page_size(asked.asked.limit);
  for (auto& one : here) {
    if (!after.empty() && one.user <= after)
      continue;
    if (out.stays.size() == most) {
      out.next = base64url_encode(out.stays.back().user.str());
      return;
    }
    out.stays.push_back(std::move(one));
  }
}

result<history_reply> answer(store& from, const history_question& asked) {
  if (asked.asked.what == history_view::stays) {
    auto page = page_of_stays(from, asked);
    if (!page)
      return page.error();
    page->as_of = asked.now;
    return page;
  }
  history_reply out;
  out.what = asked.asked.what;
  out.as_of = asked.now;
  user_id after;
  if (!asked.asked.after.empty()) {
    auto text = base64url_decode(asked.asked.after);
    if (!text || text->size() > limits::id_bytes)
      return fail(errc::bad_request, "is no cursor", "after");
    after = user_id{*text};
  }
  auto all = all_stays(from, asked, out);
  if (!all)
    return all.error();
  if (out.what == history_view::people) {
    page_of_people(*all, asked, after, out);
  } else if (out.what == history_view::here) {
    page_of_here(*all, asked, after, out);
  } else {
    auto figures = summary_of(*all, asked);
    if (!figures)
      return figures.error();
    out.summary = std::move(*figures);
  }
  return out;
}

// -- audit -------------------------------------------------------------------

bool wanted(const audit_record& entry, const audit_question& asked) {
  const auto& wish = asked.asked;
  return entry.when >= wish.from
         && entry.when < wish.until.value_or(asked.now + millis{1})
         && (wish.action.empty() || entry.action == wish.action)
         && (wish.user.empty() || entry.actor == wish.user
             || entry.target == wish.user);
}

result<audit_reply> answer(store& from, const audit_question& asked) {
  auto prefix = keys::prefix(asked.partition, table::audit, asked.session);
  auto start = key_behind(prefix, asked.asked.after);
  if (!start)
    return start.error();
  audit_reply out;
  out.as_of = asked.now;
  std::optional<failure> bad;
  std::size_t looked_at = 0;
  std::string last;
  auto most = page_size(asked.asked.limit);
  auto way = asked.asked.newest_first ? walk_way::down : walk_way::up;
  auto walked = from.walk(prefix, *start, way, [&](auto key, auto value) {
    if (looked_at++ == limits::history_scan) {
      out.next = cursor_of(last, prefix);
      return false;
    }
    auto rec = decode(key, value);
    if (!rec) {
      bad = rec.error();
      return false;
    }
    auto& entry = std::get<audit_record>(*rec);
    if (wanted(entry, asked)) {
      if (out.entries.size() == most) {
        out.next = cursor_of(last, prefix);
        return false;
      }
      out.entries.push_back(std::move(entry));
    }
    last = key;
    return true;
  });
  if (!walked)
    return walked.error();
  if (bad)
    return *bad;
  return out;
}

} // namespace

result<store_findings> answer_question(store& from,
                                       std::span<const kind_settings> kinds,
                                       const store_question& asked) {
  auto give = [](auto found) -> result<store_findings> {
    if (!found)
      return found.error();
    return store_findings{std::move(*found)};
  };
  if (const auto* x = std::get_if<history_question>(&asked))
    return give(answer(from, *x));
  if (const auto* x = std::get_if<audit_question>(&asked))
    return give(answer(from, *x));
  if (const auto* x = std::get_if<list_question>(&asked))
    return give(list_sessions(from, kinds, *x));
  if (const auto* x = std::get_if<user_question>(&asked))
    return give(find_user(from, *x));
  if (const auto* x = std::get_if<group_question>(&asked))
    return give(find_sessions_of(from, kinds, *x));
  return give(find_aged(from, std::get<aged_question>(asked)));
}

} // namespace rollcall
