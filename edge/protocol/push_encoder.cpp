#include "edge/protocol/push_encoder.hpp"

#include "edge/protocol/message_parts.hpp"
#include "edge/protocol/round_parts.hpp"

namespace rollcall::edge {

namespace {

/// Guesses of encoded sizes, so that the string grows rarely.
constexpr std::size_t head_bytes = 512;
constexpr std::size_t participant_bytes = 384;
constexpr std::size_t change_bytes = 192;

template <class Writer>
void write_head(Writer& to, const session_key& session, view granted,
                bool stale) {
  to.template key<"session">();
  to.text(session.id.str());
  to.template key<"view">();
  write_view(to, granted);
  if (stale) {
    to.template key<"stale">();
    to.boolean(true);
  }
}

template <class Writer>
void write_counts(Writer& to, std::uint32_t present, std::uint32_t total) {
  to.template key<"present">();
  to.integer(present);
  to.template key<"total">();
  to.integer(total);
}

template <class Writer>
void write_host(Writer& to, const std::optional<participant_id>& host) {
  to.template key<"host">();
  if (host)
    to.text(host->str());
  else
    to.null();
}

template <class Writer>
void write_who(Writer& to, const participant_id& participant) {
  to.template key<"participant_id">();
  to.text(participant.str());
}

/// Writes one change for those with the view `roster`.
template <class Writer>
class roster_change_writer {
public:
  roster_change_writer(Writer& to, const viewer& who, millis now)
    : to_(to), identity_(shows_identity(who)), now_(now) {
    // nop
  }

  void write(const change& what) {
    to_.open_map();
    to_.template key<"type">();
    std::visit([&](const auto& body) { put(what, body); }, what.body);
    to_.close_map();
  }

private:
  /// The type's name, then what all changes have.
  template <literal Type>
  void start(const change& what) {
    to_.template word<Type>();
    to_.template key<"rev">();
    to_.integer(what.rev);
  }

  void put(const change& what, const joined_change& body) {
    start<"joined">(what);
    to_.template key<"participant">();
    write_participant(to_, body.participant, identity_, now_);
    if (body.is_reconnection) {
      to_.template key<"is_reconnection">();
      to_.boolean(true);
    }
    write_counts(to_, what.present, what.total);
  }

  void put(const change& what, const suspected_change& body) {
    start<"suspected">(what);
    write_who(to_, body.participant);
    to_.template key<"expires_in_ms">();
    to_.integer(span_until(body.expires, now_));
  }

  void put(const change& what, const resumed_change& body) {
    start<"resumed">(what);
    write_who(to_, body.participant);
  }

  void put(const change& what, const left_change& body) {
    start<"left">(what);
    write_who(to_, body.participant);
    to_.template key<"reason">();
    to_.text(to_string(body.reason));
    write_counts(to_, what.present, what.total);
  }

  void put(const change& what, const live_change& body) {
    start<"live">(what);
    write_who(to_, body.participant);
    to_.template key<"live">();
    to_.open_map(body.live.size());
    for (const auto& [key, content] : body.live) {
      to_.key(key);
      if (content)
        write_live_value(to_, *content);
      else
        to_.null();
    }
    to_.close_map();
  }

  void put(const change& what, const connection_change& body) {
    start<"connection">(what);
    write_who(to_, body.participant);
    to_.template key<"connections">();
    to_.integer(body.connections);
    write_facts(to_, body.facts, identity_);
  }

  void put(const change& what, const member_change& body) {
    start<"member">(what);
    write_who(to_, body.participant);
    if (identity_ && !body.user.empty()) {
      to_.template key<"user">();
      to_.text(body.user.str());
    }
    if (identity_ && !body.name.empty()) {
      to_.template key<"name">();
      to_.text(body.name);
    }
    write_standing(to_, body.role, body.permissions);
    if (body.changed != 0)
      put_changed(body);
    to_.template key<"total">();
    to_.integer(what.total);
  }

  void put_changed(const member_change& body) {
    static constexpr std::array<std::pair<member_key, std::string_view>, 5>
      names = {{{member_key::role, "role"},
                {member_key::permissions, "permissions"},
                {member_key::membership, "member"},
                {member_key::ban, "banned"},
                {member_key::name, "name"}}};
    auto told = [&](member_key key) {
      return body.has(key) && (identity_ || key != member_key::name);
    };
    std::size_t count = 0;
    for (const auto& [key, name] : names)
      count += told(key) ? 1 : 0;
    to_.template key<"changed">();
    to_.open_array(count);
    for (const auto& [key, name] : names)
      if (told(key))
        to_.text(name);
    to_.close_array();
    if (body.has(member_key::membership)) {
      to_.template key<"member">();
      to_.boolean(body.is_member);
    }
    if (body.has(member_key::ban)) {
      to_.template key<"banned">();
      to_.boolean(body.is_banned);
    }
  }

  void put(const change& what, const host_change& body) {
    start<"host">(what);
    write_host(to_, body.host);
  }

  void put(const change& what, const session_change& body) {
    start<"session">(what);
    to_.template key<"kind">();
    to_.text(body.settings.kind);
    to_.template key<"settings">();
    write_settings(to_, body.settings);
    to_.template key<"ended">();
    to_.boolean(body.ended);
    if (body.starts_at) {
      to_.template key<"starts_at">();
      to_.integer(body.starts_at->count());
    }
  }

  void put(const change& what, const phase_change& body) {
    start<"phase">(what);
    write_phase(to_, body.phase);
  }

  void put(const change& what, const submission_change& body) {
    start<"submission">(what);
    write_round(to_, body.round);
  }

  void put(const change& what, const barrier_change& body) {
    start<"barrier">(what);
    write_barrier(to_, body.state);
    if (body.participant) {
      write_who(to_, *body.participant);
      to_.template key<"ready">();
      to_.boolean(body.ready);
    }
  }

  void put(const change& what, const activity_change& body) {
    start<"activity">(what);
    write_who(to_, body.participant);
    to_.template key<"last_active_at">();
    to_.integer(body.last_active.count());
  }

  Writer& to_;
  bool identity_;
  millis now_;
};

/// Writes a join or leave for those with the view `events`.
template <class Writer>
void write_event(Writer& to, const change& what) {
  to.open_map();
  to.template key<"type">();
  if (const auto* joined = std::get_if<joined_change>(&what.body)) {
    to.template word<"joined">();
    to.template key<"rev">();
    to.integer(what.rev);
    write_who(to, joined->participant.participant);
    if (joined->is_reconnection) {
      to.template key<"is_reconnection">();
      to.boolean(true);
    }
  } else {
    const auto& left = std::get<left_change>(what.body);
    to.template word<"left">();
    to.template key<"rev">();
    to.integer(what.rev);
    write_who(to, left.participant);
    to.template key<"reason">();
    to.text(to_string(left.reason));
  }
  to.template key<"present">();
  to.integer(what.present);
  to.close_map();
}

/// Writes the push for `batches`: any range of things that point to a batch.
template <class Writer, class Batches>
void write_changes(Writer& to, const viewer& who, const Batches& batches,
                   millis now, bool stale) {
  const batch& first = *batches.front();
  const batch& last = *batches.back();
  std::size_t shown = 0;
  for (const auto& each : batches)
    for (const auto& what : each->changes)
      shown += shows_change(who, what) ? 1 : 0;
  to.open_map();
  to.template key<"push">();
  to.template word<"changes">();
  write_head(to, last.session, granted_view(who), stale);
  to.template key<"from">();
  write_version(to, first.from);
  to.template key<"to">();
  write_version(to, last.to);
  write_counts(to, last.present, last.total);
  to.template key<"changes">();
  to.open_array(shown);
  roster_change_writer<Writer> roster{to, who, now};
  for (const auto& each : batches)
    for (const auto& what : each->changes)
      if (shows_change(who, what)) {
        if (shows_roster(who))
          roster.write(what);
        else
          write_event(to, what);
      }
  to.close_array();
  to.close_map();
}

std::size_t changes_bytes(const batch& what, const viewer& who) {
  return granted_view(who) == view::count ? 0
                                          : what.changes.size() * change_bytes;
}

template <class Writer>
void write_snapshot(Writer& to, const viewer& who, const snapshot& what,
                    std::string_view why, millis now, bool stale) {
  to.open_map();
  to.template key<"push">();
  to.template word<"snapshot">();
  write_head(to, what.session, granted_view(who), stale);
  to.template key<"at">();
  write_version(to, what.at);
  to.template key<"why">();
  to.text(why);
  to.template key<"kind">();
  to.text(what.settings.kind);
  to.template key<"settings">();
  write_settings(to, what.settings);
  to.template key<"ended">();
  to.boolean(what.ended);
  write_counts(to, what.present, what.total);
  if (shows_roster(who)) {
    write_host(to, what.host);
    to.template key<"participants">();
    to.open_array(what.participants.size());
    for (const auto& each : what.participants)
      write_participant(to, each, shows_identity(who), now);
    to.close_array();
    write_course(to, what);
  }
  to.close_map();
}

template <class Writer>
void write_welcome(Writer& to, const welcome_push& what) {
  to.open_map();
  to.template key<"push">();
  to.template word<"welcome">();
  if (!std::holds_alternative<std::monostate>(what.re)) {
    to.template key<"re">();
    write_request_id(to, what.re);
  }
  to.template key<"connection_id">();
  to.text(to_string(what.connection));
  to.template key<"resume">();
  to.text(what.resume);
  to.template key<"beat_ms">();
  to.integer(what.beat.count());
  to.template key<"node">();
  to.text(what.node);
  if (!what.user.empty()) {
    to.template key<"user">();
    to.text(what.user.str());
    write_who(to, what.participant);
  }
  if (what.expires_in) {
    to.template key<"expires_in_ms">();
    to.integer(what.expires_in->count());
  }
  to.template key<"limits">();
  to.open_map();
  to.template key<"frame_bytes">();
  to.integer(what.frame_bytes);
  to.template key<"sessions">();
  to.integer(what.sessions);
  to.template key<"requests_per_second">();
  to.integer(what.requests_per_second);
  to.close_map();
  to.close_map();
}

} // namespace

std::string encode_welcome(dialect language, const welcome_push& what) {
  return encoded(language, head_bytes,
                 [&](auto& to) { write_welcome(to, what); });
}

std::string encode_snapshot(dialect language, const viewer& who,
                            const snapshot& what, std::string_view why,
                            millis steady_now, bool stale) {
  auto rows = shows_roster(who) ? what.participants.size() : 0;
  return encoded(
    language, 2 * head_bytes + rows * participant_bytes,
    [&](auto& to) { write_snapshot(to, who, what, why, steady_now, stale); });
}

std::string encode_changes(dialect language, const viewer& who,
                           const batch& what, millis steady_now, bool stale) {
  const std::array<const batch*, 1> batches = {&what};
  return encoded(
    language, head_bytes + changes_bytes(what, who),
    [&](auto& to) { write_changes(to, who, batches, steady_now, stale); });
}

std::string encode_changes(dialect language, const viewer& who,
                           std::span<const batch_ptr> what, millis steady_now,
                           bool stale) {
  std::size_t expected = head_bytes;
  for (const auto& each : what)
    expected += changes_bytes(*each, who);
  return encoded(language, expected, [&](auto& to) {
    write_changes(to, who, what, steady_now, stale);
  });
}

std::string encode_direct(dialect language, const direct& what) {
  return encoded(language, head_bytes, [&](auto& to) {
    to.open_map();
    to.template key<"push">();
    to.template word<"direct">();
    to.template key<"session">();
    to.text(what.session.id.str());
    to.template key<"type">();
    if (const auto* word = std::get_if<reminder_direct>(&what.body)) {
      to.template word<"reminder">();
      to.template key<"starts_at">();
      to.integer(word->starts_at.count());
      to.template key<"late">();
      to.boolean(word->late);
    } else {
      to.template word<"removed">();
      to.template key<"reason">();
      const auto& removed = std::get<removed_direct>(what.body);
      if (removed.banned)
        to.template word<"banned">();
      else
        to.text(to_string(removed.reason));
    }
    to.close_map();
  });
}

std::string encode_bye(dialect language, close_code code,
                       std::optional<millis> after) {
  return encoded(language, head_bytes, [&](auto& to) {
    to.open_map();
    to.template key<"push">();
    to.template word<"bye">();
    to.template key<"code">();
    to.integer(static_cast<std::uint16_t>(code));
    to.template key<"reason">();
    to.text(to_string(code));
    to.template key<"reconnect">();
    to.boolean(may_reconnect(code));
    if (after) {
      to.template key<"after_ms">();
      to.integer(after->count());
    }
    to.close_map();
  });
}

} // namespace rollcall::edge
