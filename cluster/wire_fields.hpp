#pragma once

// What the parts of node messages look like on the wire. Each structure is
// described once: `fields(io, value)` writes it with a `writer` and reads
// it with a `reader`. The structured binding at the head of each stops
// the build when a member was added that is not on the wire yet.

#include "actors/base/limits.hpp"
#include "actors/changes.hpp"
#include "cluster/wire_reader.hpp"
#include "cluster/wire_writer.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <variant>

namespace rollcall::cluster::wire {

/// What `fields` takes: something to fill when reading.
template <class Io, class T>
using part = std::conditional_t<Io::reading, T, const T>;

/// One array of positional fields, from construction to destruction.
template <class Io>
class tuple {
public:
  tuple(Io& io, std::size_t fields, const char* field)
    : io_(io), unknown_(io.open(fields, field)) {
    // nop
  }

  /// The last `later` fields came with a later version: each is asked for with
  /// `has_next` before it is read.
  tuple(Io& io, std::size_t fields, std::size_t later, const char* field)
    : io_(io), unknown_(io.open(Io::reading ? fields - later : fields, field)) {
    // nop
  }

  /// Whether the sender knows the next of the later fields.
  [[nodiscard]] bool has_next() {
    if constexpr (Io::reading) {
      if (unknown_ == 0 || !io_.ok())
        return false;
      --unknown_;
    }
    return true;
  }

  tuple(const tuple&) = delete;
  tuple& operator=(const tuple&) = delete;

  ~tuple() {
    io_.close(unknown_);
  }

private:
  Io& io_;
  std::size_t unknown_;
};

/// The number of an alternative on the wire. Never changed or reused, wherever
/// the alternative moves in its variant.
template <class T>
struct tag;

// -- single values -----------------------------------------------------------

template <class Io, class Number>
void number(Io& io, Number& value, const char* field,
            std::uint64_t most = std::numeric_limits<Number>::max()) {
  if constexpr (Io::reading)
    value = static_cast<Number>(io.natural(most, field));
  else if (value > most)
    io.refuse(errc::too_large, "a number is over its bound", field);
  else
    io.natural(value);
}

/// An enumeration whose last value is `last`.
template <class Io, class Enum>
void name(Io& io, Enum& value, std::remove_const_t<Enum> last,
          const char* field) {
  auto most = static_cast<std::uint64_t>(last);
  if constexpr (Io::reading) {
    value = static_cast<Enum>(io.natural(most, field));
  } else {
    auto code = static_cast<std::uint64_t>(value);
    number(io, code, field, most);
  }
}

template <class Io, class Id>
void id(Io& io, Id& value, const char* field,
        std::size_t most = limits::id_bytes) {
  if constexpr (Io::reading) {
    std::string text;
    io.text(text, most, field);
    value = Id{std::move(text)};
  } else {
    io.text(value.str(), most, field);
  }
}

/// `write` serves the value when there is one; otherwise it is nil.
template <class Io, class Optional, class Each>
void maybe(Io& io, Optional& value, Each each) {
  if constexpr (Io::reading) {
    value.reset();
    if (io.next_is(shape::nil))
      io.nil();
    else
      each(value.emplace());
  } else {
    value ? each(*value) : io.nil();
  }
}

template <class Io, class List, class Each>
void list(Io& io, List& items, std::size_t most, const char* field, Each each) {
  if constexpr (Io::reading) {
    items.clear();
    // Grows as items come in, not as they are announced.
    for (auto left = io.list(most, field); left > 0 && io.ok(); --left)
      each(items.emplace_back());
  } else {
    io.list(items.size(), most, field);
    for (const auto& item : items)
      each(item);
  }
}

/// A map whose keys are names.
template <class Io, class Map, class Each>
void keyed(Io& io, Map& items, std::size_t most, const char* field, Each each) {
  if constexpr (Io::reading) {
    items.clear();
    std::string key;
    for (auto left = io.table(most, field); left > 0 && io.ok(); --left) {
      io.text(key, limits::name_bytes, field);
      auto [at, fresh] = items.try_emplace(key);
      if (!fresh)
        return io.refuse(errc::bad_request, "names a key twice", field);
      each(at->second);
    }
  } else {
    io.table(items.size(), most, field);
    for (const auto& [key, value] : items) {
      io.text(key, limits::name_bytes, field);
      each(value);
    }
  }
}

// -- variants ----------------------------------------------------------------

template <class Io, class Variant, std::size_t I = 0>
void read_alternative(Io& io, Variant& value, std::uint64_t wanted,
                      const char* field) {
  if constexpr (I == std::variant_size_v<Variant>) {
    io.refuse(errc::bad_request, "is of an unknown kind", field);
  } else if (tag<std::variant_alternative_t<I, Variant>>::value == wanted) {
    fields(io, value.template emplace<I>());
  } else {
    read_alternative<Io, Variant, I + 1>(io, value, wanted, field);
  }
}

/// `[tag, fields]`.
template <class Io, class Variant>
void choice(Io& io, Variant& value, const char* field) {
  tuple<Io> in{io, 2, field};
  if constexpr (Io::reading) {
    auto wanted = io.natural(std::numeric_limits<std::uint64_t>::max(), field);
    if (io.ok())
      read_alternative(io, value, wanted, field);
  } else {
    std::visit(
      [&](const auto& x) {
        io.natural(tag<std::remove_cvref_t<decltype(x)>>::value);
        fields(io, x);
      },
      value);
  }
}

// -- ids ---------------------------------------------------------------------

template <class Io>
void fields(Io& io, part<Io, done>&) {
  tuple<Io> in{io, 0, "done"};
}

template <class Io>
void fields(Io& io, part<Io, version>& value) {
  auto& [epoch, rev] = value;
  tuple<Io> in{io, 2, "version"};
  number(io, epoch, "version");
  number(io, rev, "version");
}

template <class Io>
void fields(Io& io, part<Io, session_key>& value) {
  auto& [ns, session] = value;
  tuple<Io> in{io, 2, "session"};
  id(io, ns, "namespace");
  id(io, session, "session");
}

template <class Io>
void fields(Io& io, part<Io, node_id>& value) {
  auto& [node, incarnation] = value;
  tuple<Io> in{io, 2, "node"};
  io.text(node, limits::id_bytes, "node");
  number(io, incarnation, "node");
}

template <class Io>
void fields(Io& io, part<Io, connection_id>& value) {
  auto& [high, low] = value;
  tuple<Io> in{io, 2, "connection"};
  number(io, high, "connection");
  number(io, low, "connection");
}

// -- identity ----------------------------------------------------------------

template <class Io>
void fields(Io& io, part<Io, profile>& value) {
  auto& [shown, email, more] = value;
  tuple<Io> in{io, 3, 1, "profile"};
  io.text(shown, limits::profile_field_bytes, "name");
  io.text(email, limits::profile_field_bytes, "email");
  if (in.has_next())
    keyed(io, more, limits::profile_fields, "profile", [&io](auto& x) {
      io.text(x, limits::profile_more_bytes, "profile");
    });
}

template <class Io, class Names>
void texts(Io& io, Names& names, std::size_t most, std::size_t bytes,
           const char* field) {
  list(io, names, most, field, [&](auto& x) { io.text(x, bytes, field); });
}

template <class Io>
void fields(Io& io, part<Io, capability_set>& value) {
  std::uint16_t bits = value.bits();
  number(io, bits, "rights");
  if constexpr (Io::reading)
    value = capability_set::from_bits(bits);
}

template <class Io>
void fields(Io& io, part<Io, identity>& value) {
  // `vouched` is what an owner finds out for itself.
  auto& [user, participant, who, grants, groups, role, code, vouched] = value;
  static_cast<void>(vouched);
  tuple<Io> in{io, 7, 3, "caller"};
  id(io, user, "user");
  id(io, participant, "participant");
  fields(io, who);
  fields(io, grants);
  if (in.has_next())
    texts(io, groups, limits::groups_per_caller, limits::id_bytes, "groups");
  if (in.has_next())
    io.text(role, limits::id_bytes, "role");
  if (in.has_next())
    io.text(code, limits::code_bytes, "code");
}

// -- settings ----------------------------------------------------------------

template <class Io>
void fields(Io& io, part<Io, kind_settings>& value) {
  auto& [kind, membership, access, host, shown, duplicates, capacity, locked,
         views, beat, suspect_after, timeout, drop_grace, host_reclaim, group,
         roles, default_role, gated_media, live_rate, live_burst, own_names]
    = value;
  tuple<Io> in{io, 21, 7, "settings"};
  io.text(kind, limits::id_bytes, "kind");
  name(io, membership, membership_mode::durable, "membership");
  name(io, access, access_mode::code, "access");
  name(io, host, host_policy::oldest_member_any, "host");
  name(io, shown, identity_mode::named, "identity");
  name(io, duplicates, duplicate_policy::reject_new, "duplicates");
  number(io, capacity, "capacity");
  io.flag(locked, "locked");
  io.flag(views, "anonymous_views");
  io.time(beat, "beat");
  io.time(suspect_after, "suspect_after");
  io.time(timeout, "timeout");
  io.time(drop_grace, "drop_grace");
  io.time(host_reclaim, "host_reclaim");
  if (in.has_next())
    io.text(group, limits::id_bytes, "group");
  if (in.has_next())
    texts(io, roles, limits::admitted_roles, limits::id_bytes, "roles");
  if (in.has_next())
    io.text(default_role, limits::name_bytes, "default_role");
  if (in.has_next())
    io.flag(gated_media, "gated_media");
  if (in.has_next())
    number(io, live_rate, "live_rate");
  if (in.has_next())
    number(io, live_burst, "live_burst");
  if (in.has_next())
    io.flag(own_names, "own_names");
}

template <class Io>
void fields(Io& io, part<Io, settings_patch>& value) {
  auto& [membership, access, host, shown, duplicates, capacity, locked, views,
         beat, suspect_after, timeout, drop_grace, host_reclaim, group, roles,
         default_role, gated_media, live_rate, live_burst, own_names, code]
    = value;
  auto one_of = [&io](auto& field, auto last, const char* called) {
    maybe(io, field, [&](auto& x) { name(io, x, last, called); });
  };
  auto flag = [&io](auto& field, const char* called) {
    maybe(io, field, [&](auto& x) { io.flag(x, called); });
  };
  auto time = [&io](auto& field, const char* called) {
    maybe(io, field, [&](auto& x) { io.time(x, called); });
  };
  auto count = [&io](auto& field, const char* called) {
    maybe(io, field, [&](auto& x) { number(io, x, called); });
  };
  tuple<Io> in{io, 21, 8, "settings"};
  one_of(membership, membership_mode::durable, "membership");
  one_of(access, access_mode::code, "access");
  one_of(host, host_policy::oldest_member_any, "host");
  one_of(shown, identity_mode::named, "identity");
  one_of(duplicates, duplicate_policy::reject_new, "duplicates");
  count(capacity, "capacity");
  flag(locked, "locked");
  flag(views, "anonymous_views");
  time(beat, "beat");
  time(suspect_after, "suspect_after");
  time(timeout, "timeout");
  time(drop_grace, "drop_grace");
  time(host_reclaim, "host_reclaim");
  auto text = [&io](auto& field, std::size_t most, const char* called) {
    maybe(io, field, [&](auto& x) { io.text(x, most, called); });
  };
  if (in.has_next())
    text(group, limits::id_bytes, "group");
  if (in.has_next())
    maybe(io, roles, [&io](auto& x) {
      texts(io, x, limits::admitted_roles, limits::id_bytes, "roles");
    });
  if (in.has_next())
    text(default_role, limits::name_bytes, "default_role");
  if (in.has_next())
    flag(gated_media, "gated_media");
  if (in.has_next())
    text(code, limits::code_bytes, "code");
  if (in.has_next())
    count(live_rate, "live_rate");
  if (in.has_next())
    count(live_burst, "live_burst");
  if (in.has_next())
    flag(own_names, "own_names");
}

// -- participants ------------------------------------------------------------

/// A live value is one msgpack value: flag, integer, real or text.
template <class Io>
void fields(Io& io, part<Io, live_value>& value) {
  constexpr auto text_most = limits::live_value_bytes;
  if constexpr (!Io::reading) {
    if (const auto* flag = std::get_if<bool>(&value))
      io.flag(*flag, "live");
    else if (const auto* whole = std::get_if<std::int64_t>(&value))
      io.integer(*whole);
    else if (const auto* real = std::get_if<double>(&value))
      io.real(*real, "live");
    else
      io.text(std::get<std::string>(value), text_most, "live");
  } else if (io.next_is(shape::flag)) {
    io.flag(value.template emplace<bool>(), "live");
  } else if (io.next_is(shape::real)) {
    io.real(value.template emplace<double>(), "live");
  } else if (io.next_is(shape::text)) {
    io.text(value.template emplace<std::string>(), text_most, "live");
  } else {
    value = io.integer("live");
  }
}

template <class Io>
void fields(Io& io, part<Io, live_map>& value) {
  keyed(io, value, limits::live_keys, "live",
        [&io](auto& x) { fields(io, x); });
}

template <class Io>
void fields(Io& io, part<Io, live_update>& value) {
  keyed(io, value, limits::live_update_keys, "live", [&io](auto& key) {
    maybe(io, key, [&io](auto& x) { fields(io, x); });
  });
}

template <class Io, class Names>
void permissions(Io& io, Names& names) {
  list(io, names, limits::permissions_per_member, "permissions",
       [&io](auto& x) { io.text(x, limits::name_bytes, "permissions"); });
}

template <class Io>
void fields(Io& io, part<Io, connection_facts>& value) {
  auto& [device, place] = value;
  tuple<Io> in{io, 2, "facts"};
  name(io, device, device_class::server, "device");
  io.text(place, limits::place_bytes, "place");
}

template <class Io>
void connection_list(Io& io, part<Io, std::vector<connection_facts>>& value) {
  list(io, value, limits::connections_per_participant, "facts",
       [&io](auto& x) { fields(io, x); });
}

template <class Io>
void fields(Io& io, part<Io, participant_view>& value) {
  auto& [participant, user, who, role, allowed, state, expires, since, joined,
         connections, reconnections, live, last_active, facts]
    = value;
  tuple<Io> in{io, 14, 2, "participants"};
  id(io, participant, "participant");
  id(io, user, "user");
  fields(io, who);
  io.text(role, limits::name_bytes, "role");
  permissions(io, allowed);
  name(io, state, presence_state::suspected, "state");
  maybe(io, expires, [&io](auto& x) { io.deadline(x, "expires"); });
  io.time(since, "since");
  fields(io, joined);
  number(io, connections, "connections");
  number(io, reconnections, "reconnections");
  fields(io, live);
  if (in.has_next())
    io.time(last_active, "last_active");
  if (in.has_next())
    connection_list(io, facts);
}

} // namespace rollcall::cluster::wire
