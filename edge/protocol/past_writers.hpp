#pragma once

// Answers about the past and about namespaces, field by field, for either
// writer of writers.hpp: the native protocol and HTTP say the same.

#include "actors/gather.hpp"
#include "actors/history.hpp"
#include "edge/protocol/message_parts.hpp"

#include <array>

namespace rollcall::edge {

inline constexpr std::array<std::string_view, 4> history_views
  = {"stays", "people", "summary", "here"};

template <class Writer>
void write_count(Writer& to, std::string_view name, std::uint32_t count) {
  to.key(name);
  to.integer(count);
}

template <class Writer>
void write_time(Writer& to, std::string_view name, millis at) {
  to.key(name);
  to.integer(at.count());
}

template <class Writer>
void write_time(Writer& to, std::string_view name,
                const std::optional<millis>& at) {
  if (at)
    write_time(to, name, *at);
}

/// `{user, participant_id, joined, from, until?, reason?, reconnections?}`.
template <class Writer>
void write_stay(Writer& to, const stay& one) {
  to.open_map();
  to.template key<"user">();
  to.text(one.user.str());
  to.template key<"participant_id">();
  to.text(one.participant.str());
  to.template key<"joined">();
  write_version(to, one.joined);
  write_time(to, "from", one.from);
  if (one.until) {
    write_time(to, "until", *one.until);
    to.template key<"reason">();
    to.text(to_string(one.reason));
  }
  if (one.reconnections)
    write_count(to, "reconnections", *one.reconnections);
  to.close_map();
}

template <class Writer>
void write_person(Writer& to, const person_history& who) {
  to.open_map();
  to.template key<"user">();
  to.text(who.user.str());
  to.template key<"participant_id">();
  to.text(who.participant.str());
  write_time(to, "first_seen", who.first_seen);
  write_time(to, "last_seen", who.last_seen);
  write_time(to, "dwell_ms", who.dwell);
  write_count(to, "stays", who.stays);
  write_count(to, "reconnections", who.reconnections);
  to.template key<"here">();
  to.boolean(who.here);
  to.close_map();
}

template <class Writer>
void write_bucket(Writer& to, const history_bucket& one) {
  to.open_map();
  write_time(to, "at", one.at);
  write_count(to, "present", one.present);
  write_count(to, "peak", one.peak);
  write_count(to, "joins", one.joins);
  write_count(to, "leaves", one.leaves);
  write_count(to, "unique", one.unique);
  to.close_map();
}

template <class Writer>
void write_summary(Writer& to, const history_summary& what) {
  to.open_map();
  write_time(to, "from", what.from);
  write_time(to, "until", what.until);
  write_count(to, "stays", what.stays);
  write_count(to, "unique", what.unique);
  write_count(to, "peak", what.peak);
  write_time(to, "peak_at", what.peak_at);
  write_count(to, "joins", what.joins);
  write_count(to, "leaves", what.leaves);
  write_count(to, "reconnections", what.reconnections);
  write_time(to, "dwell_ms", what.dwell);
  write_time(to, "first_seen", what.first_seen);
  write_time(to, "last_seen", what.last_seen);
  to.template key<"reasons">();
  to.open_map();
  for (std::size_t i = 0; i < what.reasons.size(); ++i)
    if (what.reasons[i] > 0)
      write_count(to, to_string(static_cast<leave_reason>(i)), what.reasons[i]);
  to.close_map();
  to.template key<"timeline">();
  to.open_array(what.timeline.size());
  for (const auto& one : what.timeline)
    write_bucket(to, one);
  to.close_array();
  to.close_map();
}

template <class Writer>
void write_next(Writer& to, const std::string& next) {
  if (next.empty())
    return;
  to.template key<"next">();
  to.text(next);
}

/// The fields of an answer to `get_history`, inside a map the caller opened.
template <class Writer>
void write_history(Writer& to, const history_reply& what) {
  to.template key<"what">();
  to.text(history_views.at(static_cast<std::size_t>(what.what)));
  write_time(to, "as_of", what.as_of);
  to.template key<"complete">();
  to.boolean(!what.covers_from);
  write_time(to, "covers_from", what.covers_from);
  if (what.summary) {
    to.template key<"summary">();
    write_summary(to, *what.summary);
  } else if (what.what == history_view::people) {
    to.template key<"people">();
    to.open_array(what.people.size());
    for (const auto& who : what.people)
      write_person(to, who);
    to.close_array();
  } else {
    to.template key<"stays">();
    to.open_array(what.stays.size());
    for (const auto& one : what.stays)
      write_stay(to, one);
    to.close_array();
  }
  write_next(to, what.next);
}

/// `{at, when, action, actor?, target?, request?, before?, after?}`.
template <class Writer>
void write_entry(Writer& to, const audit_record& one) {
  auto words = [&](std::string_view name, const std::string& text) {
    if (text.empty())
      return;
    to.key(name);
    to.text(text);
  };
  to.open_map();
  to.template key<"at">();
  write_version(to, one.at);
  write_time(to, "when", one.when);
  words("action", one.action);
  words("actor", one.actor.str());
  words("target", one.target.str());
  words("request", one.request);
  words("before", one.before);
  words("after", one.after);
  to.close_map();
}

/// The fields of an answer to `get_audit`.
template <class Writer>
void write_audit(Writer& to, const audit_reply& what) {
  write_time(to, "as_of", what.as_of);
  to.template key<"entries">();
  to.open_array(what.entries.size());
  for (const auto& one : what.entries)
    write_entry(to, one);
  to.close_array();
  write_next(to, what.next);
}

template <class Writer>
void write_listed(Writer& to, const session_summary& one) {
  to.open_map();
  to.template key<"session">();
  to.text(one.id.str());
  to.template key<"kind">();
  to.text(one.kind);
  write_time(to, "created_at", one.created_at);
  write_time(to, "ended_at", one.ended_at);
  write_time(to, "starts_at", one.starts_at);
  to.template key<"access">();
  to.text(one.access);
  to.template key<"locked">();
  to.boolean(one.locked);
  write_count(to, "present", one.present);
  write_count(to, "members", one.members);
  to.template key<"is_member">();
  to.boolean(one.is_member);
  to.close_map();
}

/// The fields of an answer to `list_sessions`.
template <class Writer>
void write_listing(Writer& to, const listing& what) {
  write_time(to, "as_of", what.as_of);
  to.template key<"complete">();
  to.boolean(what.complete);
  to.template key<"sessions">();
  to.open_array(what.sessions.size());
  for (const auto& one : what.sessions)
    write_listed(to, one);
  to.close_array();
  if (what.next) {
    to.template key<"next">();
    to.text(what.next->str());
  }
}

/// The fields of an answer to `erase_user`.
template <class Writer>
void write_erasure(Writer& to, const user_erasure& what) {
  to.template key<"complete">();
  to.boolean(what.complete);
  write_count(to, "sessions", what.sessions);
  write_count(to, "records", what.records);
}

} // namespace rollcall::edge
