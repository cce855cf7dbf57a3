#include "actors/base/instant.hpp"

namespace rollcall {

instant system_now() noexcept {
  using std::chrono::duration_cast;
  return {
    duration_cast<millis>(std::chrono::steady_clock::now().time_since_epoch()),
    duration_cast<millis>(std::chrono::system_clock::now().time_since_epoch())};
}

} // namespace rollcall
