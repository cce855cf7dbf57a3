#include "cluster/arrivals.hpp"

#include "actors/base/limits.hpp"

#include <utility>

namespace rollcall::cluster {

void arrivals::take(partition_id partition, const session_transfer_ptr& given,
                    millis now) {
  auto& to = parcels_[partition];
  if (given->epoch < to.epoch || size_ >= limits::arrivals)
    return;
  if (given->epoch > to.epoch) {
    size_ -= to.given.size();
    to.given.clear();
    to.epoch = given->epoch;
  }
  to.until = now + limits::arrivals_patience;
  if (to.given.insert_or_assign(given->session, given).second)
    ++size_;
}

arrivals::sessions arrivals::release(partition_id partition, epoch_t epoch) {
  auto at = parcels_.find(partition);
  if (at == parcels_.end())
    return {};
  auto found = std::move(at->second);
  parcels_.erase(at);
  size_ -= found.given.size();
  return found.epoch == epoch ? std::move(found.given) : sessions{};
}

void arrivals::expire(millis now) {
  for (auto at = parcels_.begin(); at != parcels_.end();) {
    bool over = at->second.until <= now;
    size_ -= over ? at->second.given.size() : 0;
    at = over ? parcels_.erase(at) : std::next(at);
  }
}

} // namespace rollcall::cluster
