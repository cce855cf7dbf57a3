#include "actors/records.hpp"

#include "actors/base/limits.hpp"

#include <algorithm>
#include <array>

namespace rollcall {

std::string_view to_string(leave_reason reason) noexcept {
  static constexpr std::array<std::string_view, 7> names = {
    "left",     "timeout",       "network",   "kicked",
    "replaced", "session_ended", "edge_lost",
  };
  auto index = static_cast<std::size_t>(reason);
  return index < names.size() ? names[index] : "left";
}

void remember(op_memory& ops, const op_id& op, version at) {
  if (op.empty())
    return;
  if (ops.size() >= limits::op_ids_per_record)
    ops.erase(ops.begin());
  ops.push_back({op, at});
}

void take_over(op_memory& ops, const op_memory& from) {
  ops.insert(ops.end(), from.begin(), from.end());
  std::stable_sort(ops.begin(), ops.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  if (ops.size() > limits::op_ids_per_record)
    ops.erase(ops.begin(), ops.end() - limits::op_ids_per_record);
}

void set_version(op_memory& ops, const op_id& op, version at) {
  for (auto& done : ops)
    if (done.op == op)
      done.at = at;
}

std::string_view to_string(results_policy policy) noexcept {
  switch (policy) {
  case results_policy::live:
    return "live";
  case results_policy::after_close:
    return "after_close";
  case results_policy::moderators:
    break;
  }
  return "moderators";
}

std::optional<results_policy> parse_results(std::string_view name) noexcept {
  for (auto policy : {results_policy::live, results_policy::after_close,
                      results_policy::moderators})
    if (to_string(policy) == name)
      return policy;
  return std::nullopt;
}

std::optional<progress_policy> parse_progress(std::string_view name) noexcept {
  for (auto policy : {progress_policy::named, progress_policy::counts})
    if (to_string(policy) == name)
      return policy;
  return std::nullopt;
}

std::string_view to_string(progress_policy policy) noexcept {
  return policy == progress_policy::named ? "named" : "counts";
}

namespace {

constexpr std::array<std::string_view, 6> devices
  = {"unknown", "desktop", "mobile", "tablet", "tv", "server"};

} // namespace

std::string_view to_string(device_class device) noexcept {
  auto index = static_cast<std::size_t>(device);
  return index < devices.size() ? devices[index] : devices[0];
}

std::optional<device_class> parse_device(std::string_view name) noexcept {
  for (std::size_t i = 0; i < devices.size(); ++i)
    if (devices[i] == name)
      return static_cast<device_class>(i);
  return std::nullopt;
}

// The alphabet of geohashes: no a, i, l, o.
result<std::string> coarse_place(std::string_view geohash,
                                 std::string_view field) {
  constexpr std::string_view letters = "0123456789bcdefghjkmnpqrstuvwxyz";
  if (geohash.empty() || geohash.size() > limits::geohash_bytes
      || geohash.find_first_not_of(letters) != std::string_view::npos)
    return fail(errc::bad_request, "must be a geohash of 1 to 12 characters",
                std::string{field});
  return std::string{geohash.substr(0, limits::place_bytes)};
}

} // namespace rollcall
