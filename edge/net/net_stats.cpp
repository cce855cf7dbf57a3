#include "edge/net/net_stats.hpp"

#include <algorithm>

namespace rollcall::edge {

namespace {

constexpr std::size_t other_slot = loop_stats::close_slots - 1;

std::size_t slot_of(std::uint16_t code) noexcept {
  if (code >= 1000 && code <= 1015)
    return code - 1000U;
  if (code >= 3000 && code <= 3007)
    return 16U + (code - 3000U);
  if (code >= 3500 && code <= 3507)
    return 24U + (code - 3500U);
  return other_slot;
}

std::uint16_t code_of(std::size_t slot) noexcept {
  if (slot < 16)
    return static_cast<std::uint16_t>(1000 + slot);
  if (slot < 24)
    return static_cast<std::uint16_t>(3000 + slot - 16);
  return slot < other_slot ? static_cast<std::uint16_t>(3500 + slot - 24) : 0;
}

} // namespace

void loop_stats::count_close(std::uint16_t code) noexcept {
  closed[slot_of(code)].add();
}

void loop_stats::add_to(server_stats& sum) const {
  sum.accepted += accepted.get();
  sum.upgraded += upgraded.get();
  sum.sockets += sockets.get();
  sum.clients += clients.get();
  sum.http_requests += http_requests.get();
  for (std::size_t i = 0; i < refusal_reasons; ++i)
    sum.refused[i] += refused[i].get();
  sum.frames_in += frames_in.get();
  sum.frames_out += frames_out.get();
  sum.bytes_in += bytes_in.get();
  sum.bytes_out += bytes_out.get();
  sum.sends += sends.get();
  sum.publishes += publishes.get();
  sum.deliveries += deliveries.get();
  sum.queued_bytes += queued_bytes.get();
  sum.lagging += lagging.get();
  sum.lost_places += lost_places.get();
  sum.resyncs += resyncs.get();
  sum.rate_limited += rate_limited.get();
  sum.throttled += throttled.get();
  sum.accept_backoffs += accept_backoffs.get();
  for (std::size_t slot = 0; slot < close_slots; ++slot) {
    const auto count = closed[slot].get();
    if (count == 0)
      continue;
    const auto code = code_of(slot);
    auto found = std::find_if(sum.closed.begin(), sum.closed.end(),
                              [&](const auto& e) { return e.first == code; });
    if (found == sum.closed.end())
      sum.closed.emplace_back(code, count);
    else
      found->second += count;
  }
}

} // namespace rollcall::edge
