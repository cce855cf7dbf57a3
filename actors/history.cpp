#include "actors/history.hpp"

#include "actors/base/limits.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace rollcall {

namespace {

/// Somebody comes or goes.
struct step {
  millis at{0};
  /// Goers first: a stay ends where its interval does.
  bool comes = false;

  friend auto operator<=>(const step&, const step&) = default;
};

std::vector<step> steps_of(std::span<const stay> all) {
  std::vector<step> out;
  out.reserve(2 * all.size());
  for (const auto& one : all) {
    // Whoever came and went at one moment was here for none.
    if (one.until && *one.until <= one.from)
      continue;
    out.push_back({one.from, true});
    if (one.until)
      out.push_back({*one.until, false});
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool inside(millis when, const time_window& window) {
  return when >= window.from && when < window.until;
}

/// Finds the most that were here at the same time.
void find_peak(std::span<const stay> all, const time_window& window,
               history_summary& out) {
  std::uint32_t here = 0;
  auto note = [&](millis when) {
    if (here > out.peak) {
      out.peak = here;
      out.peak_at = later(when, window.from);
    }
  };
  auto steps = steps_of(all);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].at >= window.until)
      break;
    here += steps[i].comes ? 1 : -1;
    // What is over before the window begins counts for nothing.
    bool lasts = i + 1 == steps.size() || steps[i + 1].at > window.from;
    if (lasts)
      note(steps[i].at);
  }
}

void count_unique(std::span<const stay> all, const time_window& window,
                  millis width, std::vector<history_bucket>& buckets) {
  using range = std::pair<std::size_t, std::size_t>;
  std::map<std::string_view, std::vector<range>> seen;
  for (const auto& one : all) {
    if (!touches(one, window))
      continue;
    auto begin = (later(one.from, window.from) - window.from) / width;
    auto end = window.until - millis{1};
    if (one.until)
      end = std::min(end, later(one.from, *one.until - millis{1}));
    auto last = (later(end, window.from) - window.from) / width;
    seen[one.user.str()].emplace_back(static_cast<std::size_t>(begin),
                                      static_cast<std::size_t>(last));
  }
  for (auto& [user, ranges] : seen) {
    std::sort(ranges.begin(), ranges.end());
    std::size_t next = 0;
    for (auto [first, last] : ranges)
      for (auto i = std::max(first, next); i <= last; next = ++i)
        ++buckets[i].unique;
  }
}

} // namespace

bool listed_before(const session_id& a, const session_id& b) noexcept {
  return std::tuple{a.str().size(), std::string_view{a.str()}}
         < std::tuple{b.str().size(), std::string_view{b.str()}};
}

bool touches(const stay& one, const time_window& window) noexcept {
  if (one.from >= window.until)
    return false;
  return !one.until || *one.until > window.from || one.from >= window.from;
}

millis dwell_in(const stay& one, const time_window& window,
                millis now) noexcept {
  auto begin = later(one.from, window.from);
  auto end = std::min(one.until.value_or(now), window.until);
  return later(end - begin, millis{0});
}

history_summary summarize(std::span<const stay> all, const time_window& window,
                          millis now) {
  history_summary out;
  out.from = window.from;
  out.until = window.until;
  std::set<std::string_view> users;
  std::map<std::string_view, std::uint32_t> before;
  for (const auto& one : all) {
    auto earlier = before[one.user.str()]++;
    // Also of a stay that ends where the window begins.
    if (one.until && inside(*one.until, window)) {
      ++out.leaves;
      ++out.reasons.at(static_cast<std::size_t>(one.reason));
    }
    if (!touches(one, window))
      continue;
    ++out.stays;
    users.insert(one.user.str());
    out.dwell += dwell_in(one, window, now);
    auto first = later(one.from, window.from);
    auto last = std::min(one.until.value_or(now), window.until);
    out.first_seen = std::min(out.first_seen.value_or(first), first);
    out.last_seen = later(out.last_seen.value_or(last), last);
    if (inside(one.from, window)) {
      ++out.joins;
      if (one.reconnections.value_or(earlier) > 0)
        ++out.reconnections;
    }
  }
  out.unique = static_cast<std::uint32_t>(users.size());
  find_peak(all, window, out);
  return out;
}

result<std::vector<history_bucket>>
timeline(std::span<const stay> all, const time_window& window, millis bucket) {
  constexpr millis most{limits::history_buckets};
  // What is left over makes a bucket of its own.
  if (bucket <= millis{0} || window.until < window.from
      || (window.until - window.from - millis{1}) / bucket >= most.count())
    return fail(errc::bad_request, "makes more than 1000 buckets", "bucket_ms");
  std::vector<history_bucket> out;
  for (auto at = window.from; at < window.until; at += bucket)
    out.push_back({at});
  if (out.empty())
    return out;
  auto steps = steps_of(all);
  auto next = steps.begin();
  std::uint32_t here = 0;
  for (auto& one : out) {
    auto end = std::min(one.at + bucket, window.until);
    for (; next != steps.end() && next->at <= one.at; ++next)
      here += next->comes ? 1 : -1;
    one.present = one.peak = here;
    for (; next != steps.end() && next->at < end; ++next) {
      here += next->comes ? 1 : -1;
      one.peak = std::max(one.peak, here);
    }
  }
  for (const auto& one : all) {
    if (inside(one.from, window))
      ++out[static_cast<std::size_t>((one.from - window.from) / bucket)].joins;
    if (one.until && inside(*one.until, window))
      ++out[static_cast<std::size_t>((*one.until - window.from) / bucket)]
          .leaves;
  }
  count_unique(all, window, bucket, out);
  return out;
}

std::vector<person_history> people_of(std::span<const stay> all,
                                      const time_window& window, millis now) {
  std::map<std::string_view, person_history> people;
  for (const auto& one : all) {
    if (!touches(one, window))
      continue;
    auto [at, fresh] = people.try_emplace(one.user.str());
    auto& who = at->second;
    auto last = one.until.value_or(now);
    if (fresh) {
      who.user = one.user;
      who.first_seen = one.from;
      who.last_seen = last;
    }
    who.first_seen = std::min(who.first_seen, one.from);
    who.last_seen = later(who.last_seen, last);
    who.dwell += dwell_in(one, window, now);
    who.reconnections
      = std::max({who.reconnections, who.stays, one.reconnections.value_or(0)});
    ++who.stays;
    who.here |= !one.until;
  }
  std::vector<person_history> out;
  out.reserve(people.size());
  for (auto& [user, who] : people)
    out.push_back(std::move(who));
  return out;
}

std::vector<stay> here_at(std::span<const stay> all, millis when) {
  std::vector<stay> out;
  for (const auto& one : all)
    if (one.from <= when && (!one.until || when < *one.until))
      out.push_back(one);
  return out;
}

std::vector<std::pair<user_id, std::uint32_t>>
visits_of(std::span<const stay> all, std::size_t most) {
  struct seen {
    const user_id* user = nullptr;
    version last;
    std::optional<std::uint32_t> known;
    std::uint32_t stays = 0;
  };
  std::map<std::string_view, seen> users;
  for (const auto& one : all) {
    auto& who = users[one.user.str()];
    who.user = &one.user;
    who.last = std::max(who.last, one.joined);
    if (one.reconnections)
      who.known = std::max(who.known.value_or(0), *one.reconnections + 1);
    ++who.stays;
  }
  std::vector<seen> order;
  order.reserve(users.size());
  for (const auto& [name, who] : users)
    order.push_back(who);
  if (order.size() > most) {
    auto by_last = [](const seen& a, const seen& b) { return b.last < a.last; };
    std::nth_element(order.begin(),
                     order.begin() + static_cast<std::ptrdiff_t>(most),
                     order.end(), by_last);
    order.resize(most);
    std::sort(order.begin(), order.end(),
              [](const seen& a, const seen& b) { return *a.user < *b.user; });
  }
  std::vector<std::pair<user_id, std::uint32_t>> out;
  out.reserve(order.size());
  for (const auto& who : order)
    out.emplace_back(*who.user, std::max(who.stays, who.known.value_or(0)));
  return out;
}

} // namespace rollcall
