#include "actors/bans.hpp"

#include <utility>

namespace rollcall {

namespace {

bool is_over(const ban_record& kept, millis wall) {
  return kept.until && *kept.until <= wall;
}

} // namespace

void ban_list::put(ban_record kept) {
  auto user = kept.user;
  by_user_.insert_or_assign(std::move(user), std::move(kept));
}

void ban_list::erase(const user_id& user) {
  by_user_.erase(user);
}

const ban_record* ban_list::find(const user_id& user, millis wall) const {
  const auto* found = kept(user);
  return found == nullptr || is_over(*found, wall) ? nullptr : found;
}

const ban_record* ban_list::kept(const user_id& user) const {
  auto at = by_user_.find(user);
  return at == by_user_.end() ? nullptr : &at->second;
}

std::vector<user_id> ban_list::over(millis wall, std::size_t most) const {
  std::vector<user_id> out;
  for (const auto& [user, kept] : by_user_) {
    if (out.size() == most)
      break;
    if (is_over(kept, wall))
      out.push_back(user);
  }
  return out;
}

std::vector<const ban_record*> ban_list::page(const user_id& after, millis wall,
                                              std::size_t most) const {
  std::vector<const ban_record*> out;
  for (auto at = by_user_.upper_bound(after);
       at != by_user_.end() && out.size() < most; ++at)
    if (!is_over(at->second, wall))
      out.push_back(&at->second);
  return out;
}

} // namespace rollcall
