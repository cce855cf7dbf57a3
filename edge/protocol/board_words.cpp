#include "edge/protocol/board_words.hpp"

#include "actors/base/limits.hpp"
#include "edge/protocol/field_reader.hpp"
#include "edge/protocol/json_codec.hpp"
#include "edge/protocol/message_parts.hpp"
#include "edge/protocol/request_fields.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace rollcall::edge {

namespace {

constexpr std::size_t message_bytes = 256;

// Facts that Rollcall knows by itself; a client's word on them counts nothing.
constexpr std::array<std::string_view, 6> own_facts
  = {"id", "userId", "name", "joinedAt", "lastActive", "status"};

bool is_own_fact(std::string_view key) {
  return std::find(own_facts.begin(), own_facts.end(), key) != own_facts.end();
}

// -- in ----------------------------------------------------------------------

template <class Update>
Update read_updates(field_reader& in, std::string_view field, bool removal) {
  Update out;
  const auto* members = in.map(field, need::required);
  if (members == nullptr)
    return out;
  for (const auto& [key, content] : *members) {
    if (is_own_fact(key))
      continue;
    auto path = std::string{field} + '.' + key;
    auto name = to_snake(key);
    auto found = as_live_value(content);
    if (to_camel(name) != key || !check_name(name, path)
        || (!found && !(removal && content.is_null()))) {
      in.refuse(path,
                "must be a name in camelCase, with a boolean, a number or "
                "a text of up to 128 bytes");
      return out;
    }
    if constexpr (std::is_same_v<Update, live_map>)
      out.emplace(std::move(name), std::move(*found));
    else
      out.emplace(std::move(name), std::move(found));
  }
  if (out.size() > limits::live_keys)
    in.refuse(field, "has more than 16 keys");
  return out;
}

millis timestamp_of(field_reader& in) {
  const auto* said = in.integer("timestamp", 0, max_integer, need::required);
  return millis{said != nullptr ? *said : 0};
}

std::string id_in(field_reader& in, std::string_view key) {
  return in.checked(key, check_id, need::required).value_or("");
}

client_request of_session(const session_id& session, command_body body) {
  session_request out;
  out.session = session;
  out.body = std::move(body);
  return {{}, std::move(out)};
}

client_request read_joined(field_reader& in, const session_id& session) {
  join_command body;
  body.lease = millis{0};
  body.live = read_updates<live_map>(in, "participant", false);
  auto out = of_session(session, std::move(body));
  if (const auto* who = in.map("participant", need::required)) {
    field_reader one{*who, "participant"};
    out.claims = id_in(one, "id");
    if (!one.ok())
      in.refuse("participant.id", "must be your id");
  }
  return out;
}

client_request read_left(field_reader& in, const session_id& session) {
  auto out = of_session(session, leave_command{});
  out.claims = id_in(in, "participantId");
  (void)in.text("reason", limits::name_bytes);
  return out;
}

client_request read_status(field_reader& in, const session_id& session) {
  set_live_command body;
  auto who = id_in(in, "participantId");
  body.live = read_updates<live_update>(in, "updates", true);
  auto out = of_session(session, std::move(body));
  out.claims = std::move(who);
  return out;
}

client_request read_sync(field_reader& in, const session_id& session) {
  attach_request body;
  body.session = session;
  client_request out{{}, std::move(body)};
  out.claims = id_in(in, "requesterId");
  return out;
}

client_request read_heartbeat(field_reader& in, const session_id& session) {
  auto out = of_session(session, renew_command{});
  out.claims = id_in(in, "participantId");
  return out;
}

using reader = client_request (*)(field_reader&, const session_id&);

struct message {
  std::string_view name;
  reader read;
};

constexpr std::array<message, 5> messages = {{
  {"participant-joined", read_joined},
  {"participant-left", read_left},
  {"status-update", read_status},
  {"request-sync", read_sync},
  {"heartbeat", read_heartbeat},
}};

// -- out ---------------------------------------------------------------------

template <class Write>
std::string written(std::string_view name, std::size_t expected, Write write) {
  std::string out;
  out.reserve(expected);
  json_writer to{out};
  to.open_map();
  to.key<"name">();
  to.text(name);
  to.key<"data">();
  to.open_map();
  write(to);
  to.close_map();
  to.close_map();
  to.finish();
  return out;
}

void write_timestamp(json_writer& to, millis wall) {
  to.key<"timestamp">();
  to.integer(wall.count());
}

void write_who(json_writer& to, const participant_id& who) {
  to.key<"participantId">();
  to.text(who.str());
}

void write_one(json_writer& to, const viewer& who,
               const participant_view& one) {
  to.open_map();
  to.key<"id">();
  to.text(one.participant.str());
  if (shows_identity(who)) {
    to.key<"userId">();
    to.text(one.user.str());
    if (!one.who.name.empty()) {
      to.key<"name">();
      to.text(one.who.name);
    }
  }
  to.key<"joinedAt">();
  to.integer(one.since.count());
  to.key<"lastActive">();
  to.integer(one.last_active.count());
  to.key<"status">();
  if (one.state == presence_state::suspected)
    to.word<"away">();
  else
    to.word<"online">();
  for (const auto& [key, content] : one.live) {
    auto name = to_camel(key);
    if (is_own_fact(name))
      continue;
    to.key(name);
    write_live_value(to, content);
  }
  to.close_map();
}

/// What the others of that system are told, or nothing.
struct told {
  const viewer& who;
  millis wall;

  std::string operator()(const joined_change& what) const {
    return written("participant-joined", 2 * message_bytes,
                   [&](json_writer& to) {
                     to.key<"participant">();
                     write_one(to, who, what.participant);
                     write_timestamp(to, wall);
                   });
  }

  std::string operator()(const left_change& what) const {
    return encode_board_left(what.participant, what.reason, wall);
  }

  std::string operator()(const live_change& what) const {
    return updates(what.participant, [&](json_writer& to) {
      for (const auto& [key, content] : what.live) {
        to.key(to_camel(key));
        if (content)
          write_live_value(to, *content);
        else
          to.null();
      }
    });
  }

  std::string operator()(const activity_change& what) const {
    return updates(what.participant, [&](json_writer& to) {
      to.key<"lastActive">();
      to.integer(what.last_active.count());
    });
  }

  std::string operator()(const suspected_change& what) const {
    return status(what.participant, "away");
  }

  std::string operator()(const resumed_change& what) const {
    return status(what.participant, "online");
  }

  std::string operator()(const member_change& what) const {
    if (!what.has(member_key::name) || !shows_identity(who))
      return {};
    return updates(what.participant, [&](json_writer& to) {
      to.key<"name">();
      if (what.name.empty())
        to.null();
      else
        to.text(what.name);
    });
  }

  template <class Other>
  std::string operator()(const Other&) const {
    return {};
  }

private:
  template <class Write>
  [[nodiscard]] std::string updates(const participant_id& about,
                                    Write write) const {
    return written("status-update", message_bytes, [&](json_writer& to) {
      write_who(to, about);
      to.key<"updates">();
      to.open_map();
      write(to);
      to.close_map();
      write_timestamp(to, wall);
    });
  }

  [[nodiscard]] std::string status(const participant_id& about,
                                   std::string_view word) const {
    return updates(about, [&](json_writer& to) {
      to.key<"status">();
      to.text(word);
    });
  }
};

/// The words of that system; it has none for those who were removed.
std::string_view reason_word(leave_reason reason) noexcept {
  switch (reason) {
  case leave_reason::left:
    return "intentional";
  case leave_reason::timeout:
    return "timeout";
  case leave_reason::network:
  case leave_reason::edge_lost:
    return "network";
  default:
    return {};
  }
}

} // namespace

result<client_request> decode_board(std::string_view payload,
                                    const session_id& session) {
  auto read = decode_json(payload);
  if (!read)
    return read.error();
  const auto* fields = read->get_if<value::map>();
  if (fields == nullptr)
    return fail(errc::bad_request, "must be a map");
  field_reader in{*fields};
  const auto* name = in.text("name", limits::name_bytes, need::required);
  const auto* data = in.map("data", need::required);
  if (auto why = in.finish())
    return *why;
  if (*name == "participants-sync")
    return fail(errc::forbidden, "only the server says who is here", "name");
  const auto* found
    = std::find_if(messages.begin(), messages.end(),
                   [&](const auto& each) { return each.name == *name; });
  if (found == messages.end())
    return fail(errc::bad_request, "is not known", "name");
  field_reader body{*data, "data"};
  auto out = found->read(body, session);
  out.said = timestamp_of(body);
  if (auto why = body.finish())
    return *why;
  return out;
}

std::string encode_board_sync(const viewer& who, const snapshot& what,
                              millis wall) {
  return written("participants-sync",
                 message_bytes * (1 + what.participants.size()),
                 [&](json_writer& to) {
                   to.key<"participants">();
                   to.open_array(what.participants.size());
                   for (const auto& one : what.participants)
                     write_one(to, who, one);
                   to.close_array();
                   write_timestamp(to, wall);
                 });
}

void for_each_board_message(
  const viewer& who, const batch& what, millis wall,
  const std::function<void(const std::string&)>& each) {
  for (const auto& one : what.changes)
    if (shows_change(who, one))
      if (auto payload = std::visit(told{who, wall}, one.body);
          !payload.empty())
        each(payload);
}

std::string encode_board_error(const failure& why) {
  return written("error", message_bytes, [&](json_writer& to) {
    to.key<"code">();
    to.text(to_string(why.code));
    to.key<"message">();
    to.text(why.message);
    if (!why.field.empty()) {
      to.key<"field">();
      to.text(why.field);
    }
    if (why.retry_after) {
      to.key<"retry_after_ms">();
      to.integer(why.retry_after->count());
    }
  });
}

std::string encode_board_left(const participant_id& who, leave_reason reason,
                              millis wall) {
  return written("participant-left", message_bytes, [&](json_writer& to) {
    write_who(to, who);
    if (auto word = reason_word(reason); !word.empty()) {
      to.key<"reason">();
      to.text(word);
    } else {
      to.key<"detail">();
      to.text(to_string(reason));
    }
    write_timestamp(to, wall);
  });
}

std::string to_camel(std::string_view key) {
  std::string out;
  bool upper = false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    // A letter alone can be lifted; anything else stays as it is.
    bool lifts = key[i] == '_' && i > 0 && i + 1 < key.size()
                 && key[i + 1] >= 'a' && key[i + 1] <= 'z';
    if (lifts) {
      upper = true;
      continue;
    }
    out += std::exchange(upper, false) ? static_cast<char>(key[i] - 'a' + 'A')
                                       : key[i];
  }
  return out;
}

std::string to_snake(std::string_view key) {
  std::string out;
  for (char c : key) {
    if (c >= 'A' && c <= 'Z') {
      out += '_';
      out += static_cast<char>(c - 'A' + 'a');
    } else {
      out += c;
    }
  }
  return out;
}

} // namespace rollcall::edge
