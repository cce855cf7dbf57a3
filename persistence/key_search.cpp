#include "persistence/key_search.hpp"

#include "actors/audit_words.hpp"
#include "actors/base/base64url.hpp"
#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace rollcall {

namespace {

result<std::string> key_of(const std::string& cursor, partition_id partition) {
  if (cursor.empty())
    return std::string{};
  auto key = cursor.size() > limits::cursor_bytes
               ? result<std::string>{fail(errc::bad_request, "")}
               : base64url_decode(cursor);
  if (!key || !key->starts_with(keys::prefix(partition)))
    return fail(errc::bad_request, "is no cursor", "after");
  return key;
}

// Behind every key of a session in a table: what follows a session in keys
// begins with a version or a length, never with these.
std::string end_of(partition_id partition, table where,
                   const session_key& session) {
  return keys::prefix(partition, where, session) + std::string(24, '\xFF');
}

bool speaks_of(const session_record& kept, const user_id& user) {
  return kept.created_by == user || kept.appointed_host == user;
}

bool speaks_of(const audit_record& entry, const user_id& user) {
  return entry.actor == user || entry.target == user
         || names_user(entry.before, user) || names_user(entry.after, user);
}

bool speaks_of(const event_record& entry, const user_id& user) {
  return entry.user == user;
}

bool speaks_of(const ban_record& ban, const user_id& user) {
  return ban.user == user || ban.by == user;
}

bool speaks_of(const roster_page& page, const user_id& user) {
  return std::any_of(page.entries.begin(), page.entries.end(),
                     [&](const auto& entry) { return entry.user == user; });
}

// Whether text that is an id stands in this key: behind its length.
bool has_id(std::string_view key, const user_id& user) {
  std::string wanted(1, static_cast<char>(user.str().size()));
  return key.find(wanted + user.str()) != std::string_view::npos;
}

// The same of a value: behind its msgpack header. The bytes of others are not
// known, so that text of another meaning may be taken for it.
bool has_text(std::string_view value, const user_id& user) {
  const auto size = user.str().size();
  std::string wanted;
  if (size < 32)
    wanted += static_cast<char>(0xA0 | size);
  else
    wanted.append(1, '\xD9').append(1, static_cast<char>(size));
  return value.find(wanted + user.str()) != std::string_view::npos;
}

// What `repair` put away speaks of a user as far as it can be read, and where
// it cannot, wherever the id of the user stands.
bool speaks_of_aside(std::string_view old_key, std::string_view value,
                     const user_id& user) {
  auto key = keys::parse(old_key);
  if (key ? key->user == user : has_id(old_key, user))
    return true;
  if (key)
    if (auto rec = decode(old_key, value))
      return std::visit(
        [&](const auto& one) {
          if constexpr (requires { speaks_of(one, user); })
            return speaks_of(one, user);
          else
            return false;
        },
        *rec);
  return has_text(value, user);
}

// Sorts one key of a session under what is to be done about it.
class user_finder {
public:
  explicit user_finder(const user_question& asked) : asked_(asked) {
    // nop
  }

  void look(std::string_view raw, std::string_view value) {
    auto key = keys::parse(raw);
    if (!key)
      return;
    // Of a key that was none it is not known whose it is.
    bool nobodys
      = key->where == table::set_aside && key->session == session_key{};
    if (key->session.ns != asked_.ns && !nobodys)
      return;
    switch (key->where) {
    case table::session:
      if (says<session_record>(raw, value))
        out_.sessions.insert(key->session);
      return;
    case table::page:
      if (says<roster_page>(raw, value))
        out_.sessions.insert(key->session);
      return;
    case table::member:
      if (key->user == asked_.user)
        out_.sessions.insert(key->session);
      return;
    case table::ban:
      if (key->user == asked_.user || says<ban_record>(raw, value))
        out_.sessions.insert(key->session);
      return;
    case table::audit:
      if (key->user == asked_.user || says<audit_record>(raw, value))
        remove(*key, raw);
      return;
    case table::submission:
      if (key->user != asked_.user) {
        if (answers_about(raw, value))
          out_.sessions.insert(key->session);
        return;
      }
      // The session has it in memory, too.
      out_.sessions.insert(key->session);
      remove(*key, raw);
      return;
    case table::event:
      if (says<event_record>(raw, value))
        remove(*key, raw);
      return;
    case table::set_aside:
      if (speaks_of_aside(key->rest, value, asked_.user))
        remove(*key, raw);
      return;
    default:
      if (key->user == asked_.user)
        remove(*key, raw);
      return;
    }
  }

  [[nodiscard]] bool full() const noexcept {
    return found_ >= limits::sweep_step;
  }

  found_keys take() {
    return std::move(out_);
  }

private:
  template <class Record>
  [[nodiscard]] bool says(std::string_view key, std::string_view value) const {
    auto rec = decode(key, value);
    return rec && speaks_of(std::get<Record>(*rec), asked_.user);
  }

  [[nodiscard]] bool answers_about(std::string_view key,
                                   std::string_view value) const {
    if (asked_.participant.empty())
      return false;
    auto rec = decode(key, value);
    return rec
           && mentions(std::get<submission_record>(*rec).answer,
                       asked_.participant.str());
  }

  void remove(const keys::parsed& key, std::string_view raw) {
    out_.keys[key.session].emplace_back(raw);
    ++found_;
  }

  const user_question& asked_;
  found_keys out_;
  std::size_t found_ = 0;
};

// -- what is too old ---------------------------------------------------------

// In the order of their keys.
constexpr std::array aging = {table::due, table::interval, table::audit};

class aged_finder {
public:
  aged_finder(store& from, const aged_question& asked)
    : from_(from), asked_(asked) {
    // nop
  }

  result<found_keys> run() {
    auto start = key_of(asked_.after, asked_.partition);
    if (!start)
      return start.error();
    auto position = *start;
    for (auto where : aging) {
      auto prefix = keys::prefix(asked_.partition, where);
      if (!position.empty() && !position.starts_with(prefix)) {
        // In a table behind this one.
        if (position > prefix)
          continue;
        position.clear();
      }
      if (auto gone = go_through(where, prefix, position); !gone)
        return gone.error();
      if (!out_.next.empty())
        break;
      position.clear();
    }
    return std::move(out_);
  }

private:
  result<done> go_through(table where, const std::string& prefix,
                          std::string& position) {
    for (;;) {
      std::optional<std::string> skip_to;
      auto walked
        = from_.walk(prefix, position, walk_way::up, [&](auto key, auto value) {
            if (++looked_at_ > limits::sweep_scan
                || found_ >= limits::sweep_step) {
              // Before the first key of a table, its beginning.
              out_.next
                = base64url_encode(position.empty() ? prefix : position);
              return false;
            }
            position = key;
            auto parsed = keys::parse(key);
            if (!parsed)
              return true;
            if (where == table::due) {
              take_due(key, value);
              return true;
            }
            auto [is_old, rest_is_young] = judge(*parsed, key, value);
            if (is_old) {
              out_.keys[parsed->session].emplace_back(key);
              ++found_;
            }
            if (rest_is_young)
              skip_to = end_of(asked_.partition, where, parsed->session);
            return !rest_is_young;
          });
      if (!walked)
        return walked;
      if (!skip_to)
        return done{};
      position = std::move(*skip_to);
    }
  }

  void take_due(std::string_view raw, std::string_view value) {
    auto rec = decode(raw, value);
    if (!rec)
      return;
    const auto& mark = std::get<due_mark>(*rec);
    if (*mark.at > asked_.now)
      return;
    out_.sessions.insert(mark.session);
    ++found_;
  }

  struct verdict {
    bool is_old = false;
    /// Nothing behind it in its session can be old.
    bool rest_is_young = false;
  };

  verdict judge(const keys::parsed& key, std::string_view raw,
                std::string_view value) {
    auto rec = decode(raw, value);
    if (!rec)
      return {};
    auto old
      = [&](millis when) { return when + keeps(key.session) <= asked_.now; };
    if (const auto* entry = std::get_if<audit_record>(&*rec)) {
      bool gone = old(entry->when);
      return {gone, !gone};
    }
    // Stays are in the order of joining, and age from their ends on.
    const auto& closed = std::get<interval_record>(*rec);
    return {old(closed.until), !old(closed.from)};
  }

  millis keeps(const session_key& session) {
    if (session_ != session) {
      session_ = session;
      kept_ = asked_.kept.standard;
      auto key = keys::of_session(asked_.partition, session);
      if (auto value = from_.get(key); value && *value)
        if (auto rec = decode(key, **value))
          kept_ = asked_.kept.of(std::get<session_record>(*rec).kind);
    }
    return kept_;
  }

  store& from_;
  const aged_question& asked_;
  found_keys out_;
  std::size_t looked_at_ = 0;
  std::size_t found_ = 0;
  /// The session that was looked at last, and what its kind keeps.
  session_key session_;
  millis kept_{0};
};

} // namespace

result<found_keys> find_user(store& from, const user_question& asked) {
  auto start = key_of(asked.after, asked.partition);
  if (!start)
    return start.error();
  user_finder finder{asked};
  std::string last;
  std::string next;
  std::size_t looked_at = 0;
  auto walked
    = from.walk(keys::prefix(asked.partition), *start, walk_way::up,
                [&](auto key, auto value) {
                  if (looked_at++ == limits::sweep_scan || finder.full()) {
                    next = base64url_encode(last);
                    return false;
                  }
                  finder.look(key, value);
                  last = key;
                  return true;
                });
  if (!walked)
    return walked.error();
  auto out = finder.take();
  out.next = std::move(next);
  return out;
}

result<found_keys> find_aged(store& from, const aged_question& asked) {
  return aged_finder{from, asked}.run();
}

} // namespace rollcall
