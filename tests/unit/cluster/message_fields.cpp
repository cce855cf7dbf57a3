#include "unit/cluster/message_fields.hpp"

#include "actors/base/limits.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

namespace rollcall::test {

namespace {

/// How many members a structure has. A wrong number does not compile.
template <class T>
inline constexpr std::size_t members = 0;

// clang-format off
template <> inline constexpr std::size_t members<done> = 99;
template <> inline constexpr std::size_t members<leave_command> = 2;
template <> inline constexpr std::size_t members<renew_command> = 1;
template <> inline constexpr std::size_t members<withdraw_command> = 99;
template <> inline constexpr std::size_t members<recheck_direct> = 99;
template <> inline constexpr std::size_t members<invite_command> = 2;
template <> inline constexpr std::size_t members<uninvite_command> = 2;
template <> inline constexpr std::size_t members<ban_command> = 4;
template <> inline constexpr std::size_t members<unban_command> = 2;
template <> inline constexpr std::size_t members<get_members_command> = 3;
template <> inline constexpr std::size_t members<get_bans_command> = 2;
template <> inline constexpr std::size_t members<get_course_command> = 1;
template <> inline constexpr std::size_t members<course_reply> = 5;
template <> inline constexpr std::size_t members<member_view> = 9;
template <> inline constexpr std::size_t members<reminder_view> = 2;
template <> inline constexpr std::size_t members<members_reply> = 2;
template <> inline constexpr std::size_t members<ban_view> = 6;
template <> inline constexpr std::size_t members<bans_reply> = 2;
template <> inline constexpr std::size_t members<renew_reply> = 1;
template <> inline constexpr std::size_t members<leave_reply> = 2;
template <> inline constexpr std::size_t members<observe_command> = 1;
template <> inline constexpr std::size_t members<end_command> = 99;
template <> inline constexpr std::size_t members<unobserve_note> = 99;
template <> inline constexpr std::size_t members<edge_lost_note> = 99;
template <> inline constexpr std::size_t members<unknown_direct> = 99;
template <> inline constexpr std::size_t members<delete_command> = 99;
template <> inline constexpr std::size_t members<forget_user_command> = 1;
template <> inline constexpr std::size_t members<put_group_command> = 1;
template <> inline constexpr std::size_t members<get_group_command> = 99;
template <> inline constexpr std::size_t members<settle_group_command> = 5;
template <> inline constexpr std::size_t members<group_reply> = 6;
template <> inline constexpr std::size_t members<settled_reply> = 2;
template <> inline constexpr std::size_t members<erase_user_command> = 3;
template <> inline constexpr std::size_t members<erase_reply> = 3;
template <> inline constexpr std::size_t members<audit_reply> = 3;
template <> inline constexpr std::size_t members<list_reply> = 3;
template <> inline constexpr std::size_t members<history_bucket> = 6;
template <> inline constexpr std::size_t members<get_audit_command> = 7;
template <> inline constexpr std::size_t members<list_sessions_command> = 10;
template <> inline constexpr std::size_t members<history_reply> = 7;
template <> inline constexpr std::size_t members<stay> = 7;
template <> inline constexpr std::size_t members<person_history> = 8;
template <> inline constexpr std::size_t members<get_history_command> = 9;
template <> inline constexpr std::size_t members<audit_record> = 9;
template <> inline constexpr std::size_t members<session_summary> = 12;
template <> inline constexpr std::size_t members<history_summary> = 14;
template <> inline constexpr std::size_t members<resumed_change> = 1;
template <> inline constexpr std::size_t members<host_change> = 1;
template <> inline constexpr std::size_t members<configure_command> = 2;
template <> inline constexpr std::size_t members<evidence> = 1;
template <> inline constexpr std::size_t members<observe_note> = 1;
template <> inline constexpr std::size_t members<announce_note> = 3;
template <> inline constexpr std::size_t members<removed_direct> = 3;
template <> inline constexpr std::size_t members<version> = 2;
template <> inline constexpr std::size_t members<session_key> = 2;
template <> inline constexpr std::size_t members<node_id> = 2;
template <> inline constexpr std::size_t members<connection_id> = 2;
template <> inline constexpr std::size_t members<profile> = 3;
template <> inline constexpr std::size_t members<joined_change> = 2;
template <> inline constexpr std::size_t members<suspected_change> = 2;
template <> inline constexpr std::size_t members<left_change> = 2;
template <> inline constexpr std::size_t members<live_change> = 2;
template <> inline constexpr std::size_t members<connection_change> = 3;
template <> inline constexpr std::size_t members<connection_facts> = 2;
template <> inline constexpr std::size_t members<session_change> = 3;
template <> inline constexpr std::size_t members<set_live_command> = 2;
template <> inline constexpr std::size_t members<get_roster_command> = 3;
template <> inline constexpr std::size_t members<create_command> = 3;
template <> inline constexpr std::size_t members<kick_command> = 2;
template <> inline constexpr std::size_t members<transfer_host_command> = 2;
template <> inline constexpr std::size_t members<roster_reply> = 2;
template <> inline constexpr std::size_t members<observe_reply> = 9;
template <> inline constexpr std::size_t members<routed_command> = 2;
template <> inline constexpr std::size_t members<routed_reply> = 2;
template <> inline constexpr std::size_t members<join_command> = 6;
template <> inline constexpr std::size_t members<admission> = 3;
template <> inline constexpr std::size_t members<partition_transfer> = 4;
template <> inline constexpr std::size_t members<session_transfer> = 7;
template <> inline constexpr std::size_t members<connection> = 14;
template <> inline constexpr std::size_t members<live_entry> = 2;
template <> inline constexpr std::size_t members<transferred_participant> = 9;
template <> inline constexpr std::size_t members<evidence_item> = 3;
template <> inline constexpr std::size_t members<note> = 3;
template <> inline constexpr std::size_t members<identity> = 8;
template <> inline constexpr std::size_t members<member_change> = 8;
template <> inline constexpr std::size_t members<set_member_command> = 6;
template <> inline constexpr std::size_t members<join_reply> = 5;
template <> inline constexpr std::size_t members<failure> = 4;
template <> inline constexpr std::size_t members<direct> = 4;
template <> inline constexpr std::size_t members<held_partition> = 5;
template <> inline constexpr std::size_t members<change> = 5;
template <> inline constexpr std::size_t members<reply> = 5;
template <> inline constexpr std::size_t members<batch> = 6;
template <> inline constexpr std::size_t members<command> = 11;
template <> inline constexpr std::size_t members<snapshot> = 12;
template <> inline constexpr std::size_t members<phase_change> = 1;
template <> inline constexpr std::size_t members<submission_change> = 1;
template <> inline constexpr std::size_t members<close_round_command> = 1;
template <> inline constexpr std::size_t members<set_ready_command> = 1;
template <> inline constexpr std::size_t members<barrier_view> = 2;
template <> inline constexpr std::size_t members<open_round_command> = 2;
template <> inline constexpr std::size_t members<submit_command> = 2;
template <> inline constexpr std::size_t members<start_barrier_command> = 2;
template <> inline constexpr std::size_t members<set_reminder_command> = 2;
template <> inline constexpr std::size_t members<reminder_direct> = 2;
template <> inline constexpr std::size_t members<activity_change> = 2;
template <> inline constexpr std::size_t members<barrier_change> = 3;
template <> inline constexpr std::size_t members<get_round_command> = 3;
template <> inline constexpr std::size_t members<phase_state> = 4;
template <> inline constexpr std::size_t members<barrier_state> = 4;
template <> inline constexpr std::size_t members<set_phase_command> = 4;
template <> inline constexpr std::size_t members<round_rules> = 5;
template <> inline constexpr std::size_t members<answer_view> = 5;
template <> inline constexpr std::size_t members<round_reply> = 5;
template <> inline constexpr std::size_t members<round_view> = 9;
template <> inline constexpr std::size_t members<answer_rule> = 10;
template <> inline constexpr std::size_t members<heartbeat> = 12;
template <> inline constexpr std::size_t members<participant_view> = 14;
template <> inline constexpr std::size_t members<settings_patch> = 21;
template <> inline constexpr std::size_t members<precondition> = 2;
template <> inline constexpr std::size_t members<set_name_command> = 1;
template <> inline constexpr std::size_t members<kind_settings> = 21;
// clang-format on

template <class T>
auto tied(T& x) {
  constexpr auto count = members<std::remove_const_t<T>>;
  if constexpr (count == 99) {
    static_assert(std::is_empty_v<T>);
    return std::tie();
  } else if constexpr (count == 1) {
    auto& [a] = x;
    return std::tie(a);
  } else if constexpr (count == 2) {
    auto& [a, b] = x;
    return std::tie(a, b);
  } else if constexpr (count == 3) {
    auto& [a, b, c] = x;
    return std::tie(a, b, c);
  } else if constexpr (count == 4) {
    auto& [a, b, c, d] = x;
    return std::tie(a, b, c, d);
  } else if constexpr (count == 5) {
    auto& [a, b, c, d, e] = x;
    return std::tie(a, b, c, d, e);
  } else if constexpr (count == 6) {
    auto& [a, b, c, d, e, f] = x;
    return std::tie(a, b, c, d, e, f);
  } else if constexpr (count == 7) {
    auto& [a, b, c, d, e, f, g] = x;
    return std::tie(a, b, c, d, e, f, g);
  } else if constexpr (count == 8) {
    auto& [a, b, c, d, e, f, g, h] = x;
    return std::tie(a, b, c, d, e, f, g, h);
  } else if constexpr (count == 9) {
    auto& [a, b, c, d, e, f, g, h, i] = x;
    return std::tie(a, b, c, d, e, f, g, h, i);
  } else if constexpr (count == 10) {
    auto& [a, b, c, d, e, f, g, h, i, j] = x;
    return std::tie(a, b, c, d, e, f, g, h, i, j);
  } else if constexpr (count == 11) {
    auto& [a, b, c, d, e, f, g, h, i, j, k] = x;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k);
  } else if constexpr (count == 12) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l] = x;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l);
  } else if constexpr (count == 13) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = x;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m);
  } else if constexpr (count == 14) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = x;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n);
  } else {
    static_assert(count == 21);
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u] = x;
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t,
                    u);
  }
}

template <class T>
concept structure = members<T>
!= 0;

// -- the same? ---------------------------------------------------------------

template <class T>
bool same(const T& a, const T& b);
template <class T>
bool same(const std::shared_ptr<T>& a, const std::shared_ptr<T>& b);
template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b);
template <class T>
bool same(const std::optional<T>& a, const std::optional<T>& b);
template <class T>
bool same(const result<T>& a, const result<T>& b);
template <class... Ts>
bool same(const std::variant<Ts...>& a, const std::variant<Ts...>& b);
template <class T>
bool same(const std::map<std::string, T>& a, const std::map<std::string, T>& b);

template <class T>
bool same(const std::map<std::string, T>& a,
          const std::map<std::string, T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) {
                      return x.first == y.first && same(x.second, y.second);
                    });
}

template <class T>
bool same(const std::shared_ptr<T>& a, const std::shared_ptr<T>& b) {
  return a && b ? same(*a, *b) : a == b;
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& x, const T& y) { return same(x, y); });
}

template <class T>
bool same(const std::optional<T>& a, const std::optional<T>& b) {
  return a && b ? same(*a, *b) : a.has_value() == b.has_value();
}

template <class T>
bool same(const result<T>& a, const result<T>& b) {
  if (a.ok() != b.ok())
    return false;
  return a.ok() ? same(*a, *b) : a.error() == b.error();
}

template <class... Ts>
bool same(const std::variant<Ts...>& a, const std::variant<Ts...>& b) {
  return a.index() == b.index()
         && std::visit(
           [&](const auto& x) {
             using alternative = std::remove_cvref_t<decltype(x)>;
             return same(x, std::get<alternative>(b));
           },
           a);
}

template <class T>
bool same(const T& a, const T& b) {
  if constexpr (structure<T>) {
    auto left = tied(a);
    auto right = tied(b);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return (same(std::get<I>(left), std::get<I>(right)) && ...);
    }
    (std::make_index_sequence<std::tuple_size_v<decltype(left)>>{});
  } else {
    return a == b;
  }
}

// -- at random ---------------------------------------------------------------

/// Fills anything with values within their bounds.
class field_filler {
public:
  explicit field_filler(std::mt19937_64& random) : random_(random) {
    // nop
  }

  node_message message() {
    node_message out;
    fill(out);
    return out;
  }

  std::uint64_t below(std::uint64_t end) {
    return random_() % end;
  }

private:
  /// Of every length that a number can have.
  std::uint64_t natural() {
    return random_() >> below(64);
  }

  void fill(bool& x) {
    x = below(2) == 1;
  }

  template <std::unsigned_integral T>
  void fill(T& x) {
    x = static_cast<T>(natural());
  }

  void fill(std::int64_t& x) {
    x = static_cast<std::int64_t>(natural());
  }

  void fill(double& x) {
    x = static_cast<double>(static_cast<std::int64_t>(natural())) / 1'024;
  }

  void fill(millis& x) {
    auto past = millis{static_cast<std::int64_t>(natural() >> 20U)};
    x = below(2) == 1 ? past : -past;
  }

  void fill(std::string& x) {
    // No more than the shortest bound of a text.
    static const std::string letters[]
      = {"a", "Z", "7", "_", " ", "\xC3\xA9", "\xF0\x9F\x98\x80"};
    x.clear();
    for (auto left = below(9); left > 0; --left)
      x += letters[below(std::size(letters))];
  }

  template <class Tag>
  void fill(text_id<Tag>& x) {
    std::string text;
    fill(text);
    x = text_id<Tag>{text};
  }

  void fill(capability_set& x) {
    x = capability_set::from_bits(static_cast<std::uint16_t>(random_()));
  }

  template <class Enum>
    requires std::is_enum_v<Enum>
  void fill(Enum& x) {
    constexpr auto first = std::same_as<Enum, errc> ? 1U : 0U;
    x = static_cast<Enum>(first + below(count_of(Enum{})));
  }

  static constexpr std::uint64_t count_of(membership_mode) {
    return 2;
  }

  static constexpr std::uint64_t count_of(history_view) {
    return 4;
  }

  static constexpr std::uint64_t count_of(access_mode) {
    return 5;
  }

  static constexpr std::uint64_t count_of(host_policy) {
    return 5;
  }

  static constexpr std::uint64_t count_of(identity_mode) {
    return 3;
  }

  static constexpr std::uint64_t count_of(duplicate_policy) {
    return 3;
  }

  static constexpr std::uint64_t count_of(audience) {
    return 3;
  }

  static constexpr std::uint64_t count_of(presence_state) {
    return 2;
  }

  static constexpr std::uint64_t count_of(leave_reason) {
    return 7;
  }

  static constexpr std::uint64_t count_of(connection_source) {
    return 3;
  }

  static constexpr std::uint64_t count_of(member_status) {
    return 4;
  }

  static constexpr std::uint64_t count_of(ack_level) {
    return 2;
  }

  static constexpr std::uint64_t count_of(sign) {
    return 3;
  }

  static constexpr std::uint64_t count_of(device_class) {
    return 6;
  }

  static constexpr std::uint64_t count_of(answer_type) {
    return 8;
  }

  static constexpr std::uint64_t count_of(results_policy) {
    return 3;
  }

  static constexpr std::uint64_t count_of(progress_policy) {
    return 2;
  }

  static constexpr std::uint64_t count_of(errc) {
    return 15;
  }

  template <class T>
  void fill(std::optional<T>& x) {
    x.reset();
    if (below(2) == 1)
      fill(x.emplace());
  }

  template <class T>
  void fill(std::vector<T>& x) {
    x.resize(below(5));
    for (auto& item : x)
      fill(item);
  }

  template <class T, std::size_t Size>
  void fill(std::array<T, Size>& x) {
    for (auto& item : x)
      fill(item);
  }

  template <class T>
  void fill(std::map<std::string, T>& x) {
    x.clear();
    for (auto left = below(5); left > 0; --left) {
      std::string key;
      fill(key);
      fill(x[key]);
    }
  }

  template <class... Ts>
  void fill(std::variant<Ts...>& x) {
    using maker = std::variant<Ts...> (*)(field_filler&);
    static constexpr maker makers[] = {+[](field_filler& self) {
      Ts value{};
      self.fill(value);
      return std::variant<Ts...>{std::in_place_type<Ts>, std::move(value)};
    }...};
    x = makers[below(sizeof...(Ts))](*this);
  }

  template <class T>
  void fill(std::shared_ptr<const T>& x) {
    auto fresh = std::make_shared<T>(start<T>());
    fill(*fresh);
    x = std::move(fresh);
  }

  template <class T>
  static T start() {
    if constexpr (std::same_as<T, result<reply>>)
      return reply{};
    else
      return T{};
  }

  void fill(result<reply>& x) {
    failure why;
    fill(why);
    if (below(2) == 1)
      fill(*x);
    else
      x = why;
  }

  void fill(datum& x) {
    fill(x, 0);
  }

  void fill(datum& x, std::size_t depth) {
    switch (below(depth == limits::answer_depth ? 4 : 6)) {
    case 0:
      return fill(x.what.emplace<bool>());
    case 1:
      return fill(x.what.emplace<std::int64_t>());
    case 2:
      return fill(x.what.emplace<double>());
    case 3:
      return fill(x.what.emplace<std::string>());
    case 4:
      x.what.emplace<datum::list>().resize(below(4));
      for (auto& item : std::get<datum::list>(x.what))
        fill(item, depth + 1);
      return;
    default:
      x.what.emplace<datum::fields>().resize(below(4));
      for (auto& [name, item] : std::get<datum::fields>(x.what)) {
        fill(name);
        fill(item, depth + 1);
      }
    }
  }

  void fill(connection_facts& x) {
    fill(x.device);
    x.place = std::string(below(limits::place_bytes + 1), 'u');
  }

  void fill(connection& x) {
    fill_members(x);
    // Of one node's clock: it does not travel.
    x.entered = millis{0};
    x.proven = false;
  }

  void fill(identity& x) {
    fill_members(x);
    // What an owner finds out for itself.
    x.vouched.clear();
  }

  void fill(command& x) {
    fill_members(x);
    // For one node alone: it does not travel.
    x.seen.reset();
  }

  void fill(held_partition& x) {
    fill_members(x);
    x.partition %= limits::partitions_max;
  }

  void fill(partition_transfer& x) {
    fill_members(x);
    x.partition %= limits::partitions_max;
  }

  void fill(heartbeat& x) {
    fill_members(x);
    x.partitions %= limits::partitions_max + 1;
  }

  template <structure T>
  void fill(T& x) {
    fill_members(x);
  }

  template <class T>
  void fill_members(T& x) {
    std::apply([this](auto&... each) { (this->fill(each), ...); }, tied(x));
  }

  std::mt19937_64& random_;
};

} // namespace

node_message filler::message() {
  return field_filler{random_}.message();
}

bool same(const node_message& a, const node_message& b) {
  return same<>(a, b);
}

} // namespace rollcall::test
