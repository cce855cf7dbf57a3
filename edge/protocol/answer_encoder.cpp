#include "edge/protocol/answer_encoder.hpp"

#include "edge/protocol/message_parts.hpp"
#include "edge/protocol/past_writers.hpp"
#include "edge/protocol/round_parts.hpp"

#include <array>

namespace rollcall::edge {

namespace {

constexpr std::size_t answer_bytes = 384;
constexpr std::size_t participant_bytes = 384;

/// Opens an answer; the caller adds the operation's fields and closes it.
template <class Writer>
void open_answer(Writer& to, const request_id& id, bool ok) {
  to.open_map();
  to.template key<"re">();
  write_request_id(to, id);
  to.template key<"ok">();
  to.boolean(ok);
}

template <class Writer>
void write_join(Writer& to, const join_reply& what) {
  to.template key<"participant_id">();
  to.text(what.participant.str());
  to.template key<"is_reconnection">();
  to.boolean(what.admitted.reconnections > 0);
  to.template key<"kind">();
  to.text(what.settings.kind);
  to.template key<"beat_ms">();
  to.integer(what.settings.beat.count());
  to.template key<"rights">();
  write_rights(to, what.rights);
}

template <class Writer>
void write_lease(Writer& to, millis lease) {
  to.template key<"lease_ms">();
  to.integer(lease.count());
}

template <class Writer>
void write_page(Writer& to, const roster_reply& what, const viewer& who,
                millis now) {
  bool shown = shows_roster(who);
  to.template key<"participants">();
  to.open_array(shown ? what.participants.size() : 0);
  if (shown)
    for (const auto& each : what.participants)
      write_participant(to, each, shows_identity(who), now);
  to.close_array();
  if (shown && what.next) {
    to.template key<"next">();
    write_version(to, *what.next);
  }
}

template <class Writer>
void write_next(Writer& to, const user_id& next) {
  if (next.empty())
    return;
  to.template key<"next">();
  to.text(next.str());
}

template <class Writer>
void write_members(Writer& to, const members_reply& what) {
  to.template key<"members">();
  to.open_array(what.members.size());
  for (const auto& each : what.members)
    write_member(to, each);
  to.close_array();
  write_next(to, what.next);
}

template <class Writer>
void write_bans(Writer& to, const bans_reply& what) {
  to.template key<"bans">();
  to.open_array(what.bans.size());
  for (const auto& each : what.bans) {
    to.open_map();
    to.template key<"participant_id">();
    to.text(each.participant.str());
    to.template key<"user">();
    to.text(each.user.str());
    if (!each.by.empty()) {
      to.template key<"by">();
      to.text(each.by.str());
    }
    to.template key<"banned_at">();
    to.integer(each.when.count());
    if (each.until) {
      to.template key<"until_at">();
      to.integer(each.until->count());
    }
    if (!each.reason.empty()) {
      to.template key<"reason">();
      to.text(each.reason);
    }
    to.close_map();
  }
  to.close_array();
  write_next(to, what.next);
}

template <class Writer>
void write_session_ack(Writer& to, const session_ack& what) {
  const auto* page = std::get_if<roster_reply>(&what.what.body);
  const auto* past = std::get_if<history_reply>(&what.what.body);
  const auto* entries = std::get_if<audit_reply>(&what.what.body);
  const auto* round = std::get_if<round_reply>(&what.what.body);
  to.template key<"session">();
  to.text(what.session.str());
  bool is_page = page != nullptr || round != nullptr || past != nullptr
                 || entries != nullptr
                 || std::holds_alternative<members_reply>(what.what.body)
                 || std::holds_alternative<course_reply>(what.what.body)
                 || std::holds_alternative<bans_reply>(what.what.body);
  if (!is_page) {
    to.template key<"level">();
    if (what.what.level == ack_level::committed)
      to.template word<"committed">();
    else
      to.template word<"accepted">();
  }
  to.template key<"at">();
  write_version(to, what.what.at);
  to.template key<"present">();
  to.integer(what.what.present);
  to.template key<"total">();
  to.integer(what.what.total);
  if (what.connection) {
    to.template key<"connection_id">();
    to.text(to_string(*what.connection));
  }
  if (const auto* join = std::get_if<join_reply>(&what.what.body)) {
    write_join(to, *join);
    if (join->lease)
      write_lease(to, *join->lease);
  } else if (const auto* renewed = std::get_if<renew_reply>(&what.what.body))
    write_lease(to, renewed->lease);
  else if (const auto* members = std::get_if<members_reply>(&what.what.body))
    write_members(to, *members);
  else if (const auto* bans = std::get_if<bans_reply>(&what.what.body))
    write_bans(to, *bans);
  else if (const auto* course = std::get_if<course_reply>(&what.what.body))
    write_course(to, *course);
  else if (page != nullptr)
    write_page(to, *page, what.who, what.steady_now);
  else if (past != nullptr)
    write_history(to, *past);
  else if (entries != nullptr)
    write_audit(to, *entries);
  else if (round != nullptr)
    write_round_page(to, *round);
}

template <class Writer>
void write_namespace_ack(Writer& to, const namespace_ack& what) {
  if (const auto* page = std::get_if<listing>(&what.what))
    write_listing(to, *page);
  else
    write_erasure(to, std::get<user_erasure>(what.what));
}

/// Room for the answer: only roster pages are large.
std::size_t expected_bytes(const reply& what) {
  std::size_t items = 0;
  if (const auto* page = std::get_if<roster_reply>(&what.body))
    items = page->participants.size();
  else if (const auto* past = std::get_if<history_reply>(&what.body))
    items = past->stays.size() + past->people.size()
            + (past->summary ? past->summary->timeline.size() : 0);
  else if (const auto* entries = std::get_if<audit_reply>(&what.body))
    items = entries->entries.size();
  return answer_bytes + items * participant_bytes;
}

} // namespace

std::string encode_error(dialect language, const request_id& id,
                         const failure& why) {
  return encoded(language, answer_bytes, [&](auto& to) {
    open_answer(to, id, false);
    to.template key<"error">();
    to.open_map();
    to.template key<"code">();
    to.text(to_string(why.code));
    to.template key<"message">();
    to.text(why.message);
    if (!why.field.empty()) {
      to.template key<"field">();
      to.text(why.field);
    }
    to.template key<"retryable">();
    to.boolean(is_retryable(why.code));
    if (why.retry_after) {
      to.template key<"retry_after_ms">();
      to.integer(why.retry_after->count());
    }
    to.close_map();
    to.close_map();
  });
}

std::string encode_ack(dialect language, const request_id& id,
                       const heartbeat_ack&) {
  return encoded(language, answer_bytes, [&](auto& to) {
    open_answer(to, id, true);
    to.close_map();
  });
}

std::string encode_ack(dialect language, const request_id& id,
                       const refresh_ack& what) {
  return encoded(language, answer_bytes, [&](auto& to) {
    open_answer(to, id, true);
    to.template key<"expires_in_ms">();
    to.integer(what.expires_in.count());
    to.close_map();
  });
}

std::string encode_ack(dialect language, const request_id& id,
                       const attach_ack& what) {
  return encoded(language, answer_bytes, [&](auto& to) {
    open_answer(to, id, true);
    to.template key<"session">();
    to.text(what.session.str());
    to.template key<"view">();
    write_view(to, what.granted);
    to.close_map();
  });
}

std::string encode_ack(dialect language, const request_id& id,
                       const detach_ack& what) {
  return encoded(language, answer_bytes, [&](auto& to) {
    open_answer(to, id, true);
    to.template key<"session">();
    to.text(what.session.str());
    to.close_map();
  });
}

std::string encode_ack(dialect language, const request_id& id,
                       const session_ack& what) {
  return encoded(language, expected_bytes(what.what), [&](auto& to) {
    open_answer(to, id, true);
    write_session_ack(to, what);
    to.close_map();
  });
}

std::string encode_ack(dialect language, const request_id& id,
                       const namespace_ack& what) {
  return encoded(language, answer_bytes, [&](auto& to) {
    open_answer(to, id, true);
    write_namespace_ack(to, what);
    to.close_map();
  });
}

std::string encode_outcome(dialect language, const session_ack& what) {
  return encoded(language, expected_bytes(what.what), [&](auto& to) {
    to.open_map();
    write_session_ack(to, what);
    to.close_map();
  });
}

std::string encode_outcome(dialect language, const namespace_ack& what) {
  return encoded(language, answer_bytes, [&](auto& to) {
    to.open_map();
    write_namespace_ack(to, what);
    to.close_map();
  });
}

} // namespace rollcall::edge
