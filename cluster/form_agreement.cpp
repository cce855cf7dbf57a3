#include "cluster/form_agreement.hpp"

#include "actors/base/limits.hpp"

#include <algorithm>

namespace rollcall::cluster {

form_agreement::form_agreement(std::uint32_t ours, millis now)
  : ours_(ours), earliest_(record_form_first), since_(now) {
  // nop
}

void form_agreement::heard(const heartbeat& word, millis now) {
  if (!word.core || word.reads >= ours_)
    return;
  auto reads = std::max(word.reads, record_form_first);
  earliest_ = std::min(in_force(now), reads);
  since_ = now;
}

std::uint32_t form_agreement::in_force(millis now) const noexcept {
  return now - since_ < limits::form_settles ? earliest_ : ours_;
}

} // namespace rollcall::cluster
