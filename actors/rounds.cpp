#include "actors/rounds.hpp"

#include "actors/base/limits.hpp"

#include <algorithm>

namespace rollcall {

const rounds::round* rounds::find(std::string_view name) const {
  auto at = all_.find(name);
  return at == all_.end() ? nullptr : &at->second;
}

const submission_record* rounds::answer_of(std::string_view name,
                                           const participant_id& who) const {
  const auto* one = find(name);
  if (one == nullptr)
    return nullptr;
  auto at = one->answers.find(who);
  return at == one->answers.end() ? nullptr : &at->second;
}

rounds::growth rounds::growth_of(std::size_t bytes,
                                 const submission_record* old) noexcept {
  if (old == nullptr)
    return {1, bytes};
  return {0, bytes - std::min(bytes, size_of(old->answer))};
}

result<done> rounds::room_for(const growth& more) const {
  if (answers_ + more.answers > limits::answers_per_session
      || bytes_ + more.bytes > limits::answers_bytes)
    return fail(errc::too_large, "the session has too many answers", "answer");
  return done{};
}

void rounds::take(const round_record& kept) {
  auto& one = all_[kept.name];
  one.record = kept;
  touch(one);
}

void rounds::take(const submission_record& kept, const participant_id& who,
                  bool present, std::string_view role) {
  auto at = all_.find(kept.round);
  if (at == all_.end())
    return;
  auto& one = at->second;
  auto [place, fresh] = one.answers.try_emplace(who);
  if (fresh) {
    ++answers_;
    if (present && eligible(one.record, role))
      ++one.submitted;
    touched_[kept.round].insert(who);
  } else {
    bytes_ -= size_of(place->second.answer);
  }
  bytes_ += size_of(kept.answer);
  place->second = kept;
}

void rounds::set_version(std::string_view name, const participant_id& who,
                         const op_id& op, version at) {
  auto one = all_.find(name);
  if (one == all_.end())
    return;
  if (auto kept = one->second.answers.find(who);
      kept != one->second.answers.end())
    rollcall::set_version(kept->second.ops, op, at);
}

std::vector<std::string> rounds::forget(const participant_id& who, bool present,
                                        std::string_view role) {
  std::vector<std::string> out;
  for (auto& [name, one] : all_) {
    auto at = one.answers.find(who);
    if (at == one.answers.end())
      continue;
    --answers_;
    bytes_ -= size_of(at->second.answer);
    one.answers.erase(at);
    if (present && eligible(one.record, role))
      --one.submitted;
    touched_.erase(name);
    out.push_back(name);
  }
  return out;
}

std::vector<submission_record>
rounds::answers_without(const participant_id& who, std::size_t bytes) const {
  std::vector<submission_record> out;
  std::size_t taken = 0;
  for (const auto& [name, one] : all_)
    for (const auto& [by, kept] : one.answers) {
      if (by == who || !mentions(kept.answer, who.str()))
        continue;
      if (taken > bytes)
        return out;
      auto& rest = out.emplace_back(kept);
      take_out(rest.answer, who.str());
      taken += size_of(kept.answer);
    }
  return out;
}

// -- who is here -------------------------------------------------------------

void rounds::recount() noexcept {
  for (auto& [name, one] : all_)
    one.eligible = one.submitted = 0;
}

void rounds::enter(const participant_id& who, std::string_view role) {
  for (auto& [name, one] : all_)
    enter(one, who, role);
}

void rounds::enter(std::string_view name, const participant_id& who,
                   std::string_view role) {
  if (auto at = all_.find(name); at != all_.end())
    enter(at->second, who, role);
}

void rounds::enter(round& one, const participant_id& who,
                   std::string_view role) {
  if (!eligible(one.record, role))
    return;
  ++one.eligible;
  one.submitted += one.answers.contains(who) ? 1 : 0;
  if (!one.record.closed_at)
    touch(one);
}

void rounds::leave(const participant_id& who, std::string_view role) {
  for (auto& [name, one] : all_)
    if (eligible(one.record, role)) {
      --one.eligible;
      one.submitted -= one.answers.contains(who) ? 1 : 0;
      if (!one.record.closed_at)
        touch(one);
    }
}

bool rounds::eligible(const round_record& of, std::string_view role) {
  const auto& roles = of.rules.roles;
  return roles.empty()
         || std::find(roles.begin(), roles.end(), role) != roles.end();
}

// -- out ---------------------------------------------------------------------

namespace {

round_view outline(const rounds::round& one) {
  const auto& rules = one.record.rules;
  round_view out;
  out.name = one.record.name;
  out.open = !one.record.closed_at;
  out.revise = rules.revise;
  out.results = rules.results;
  out.answers = static_cast<std::uint32_t>(one.answers.size());
  out.progress = one.answers.size() <= limits::named_progress
                   ? rules.progress
                   : progress_policy::counts;
  if (out.open) {
    out.eligible = one.eligible;
    out.submitted = one.submitted;
  }
  return out;
}

} // namespace

round_view rounds::view_of(const round& one) {
  auto out = outline(one);
  if (out.progress == progress_policy::named)
    for (const auto& [who, kept] : one.answers)
      out.participants.push_back(who);
  return out;
}

std::vector<round_view> rounds::views() const {
  std::vector<round_view> out;
  out.reserve(all_.size());
  for (const auto& [name, one] : all_)
    out.push_back(view_of(one));
  return out;
}

std::vector<round_view> rounds::take_news() {
  std::vector<round_view> out;
  for (const auto& [name, fresh] : touched_) {
    auto& view = out.emplace_back(outline(all_.find(name)->second));
    if (view.progress == progress_policy::named)
      view.participants.assign(fresh.begin(), fresh.end());
  }
  touched_.clear();
  return out;
}

void rounds::touch(const round& one) {
  touched_.try_emplace(one.record.name);
}

void merge_news(round_view& seen, const round_view& news) {
  auto known = std::move(seen.participants);
  seen = news;
  if (news.progress != progress_policy::named) {
    seen.participants.clear();
    return;
  }
  seen.participants.clear();
  std::set_union(known.begin(), known.end(), news.participants.begin(),
                 news.participants.end(),
                 std::back_inserter(seen.participants));
}

} // namespace rollcall
