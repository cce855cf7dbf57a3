#include "actors/access.hpp"

#include <algorithm>
#include <cstddef>

namespace rollcall {

namespace {

// Takes as long for a near miss as for a wild guess.
bool is_code(std::string_view wanted, std::string_view given) {
  if (wanted.empty() || wanted.size() != given.size())
    return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    difference |= static_cast<unsigned char>(wanted[i] ^ given[i]);
  return difference == 0;
}

bool passes(const kind_settings& settings, std::string_view code,
            const identity& caller, standing known) {
  switch (settings.access) {
  case access_mode::open:
    return true;
  case access_mode::members:
    return known.is_member;
  case access_mode::group:
    return known.in_group || claims_group(settings, caller);
  case access_mode::roles:
    return !caller.role.empty() && has_name(settings.roles, caller.role);
  case access_mode::code:
    return known.is_member || known.is_present || known.is_creator
           || is_code(code, caller.code);
  }
  return false;
}

} // namespace

admittance admit(const kind_settings& settings, std::string_view code,
                 const identity& caller, standing known) {
  bool enters = passes(settings, code, caller, known);
  return {enters || known.is_creator, enters};
}

bool claims_group(const kind_settings& settings, const identity& caller) {
  return !settings.group.empty() && has_name(caller.groups, settings.group);
}

bool has_name(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view gate_of(std::string_view live_key) noexcept {
  if (live_key == "audio" || live_key == "speaking")
    return can_speak;
  if (live_key == "video")
    return can_video;
  return {};
}

bool turns_on(const live_value& value) noexcept {
  const auto* flag = std::get_if<bool>(&value);
  return flag == nullptr || *flag;
}

} // namespace rollcall
