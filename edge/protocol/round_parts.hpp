#pragma once

// The parts of pushes and answers about phases, barriers and rounds, for
// either writer of writers.hpp. Internal to edge/protocol.

#include "actors/changes.hpp"
#include "actors/replies.hpp"
#include "edge/protocol/writers.hpp"

#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace rollcall::edge {

/// The keys `phase`, `status`, `until_at`, `next`, as far as they are there;
/// `phase` always.
template <class Writer>
void write_phase(Writer& to, const phase_state& what) {
  to.template key<"phase">();
  to.text(what.name);
  if (!what.status.empty()) {
    to.template key<"status">();
    to.text(what.status);
  }
  if (what.until) {
    to.template key<"until_at">();
    to.integer(what.until->count());
  }
  if (!what.next.empty()) {
    to.template key<"next">();
    to.text(what.next);
  }
}

/// The keys `barrier`, `until_at`, and once it is open `opened_at` and
/// `timed_out`.
template <class Writer>
void write_barrier(Writer& to, const barrier_state& what) {
  to.template key<"barrier">();
  to.text(what.name);
  if (what.until) {
    to.template key<"until_at">();
    to.integer(what.until->count());
  }
  if (what.opened_at) {
    to.template key<"opened_at">();
    to.integer(what.opened_at->count());
    to.template key<"timed_out">();
    to.boolean(what.timed_out);
  }
}

template <class Writer>
void write_ids(Writer& to, const std::vector<participant_id>& ids) {
  to.open_array(ids.size());
  for (const auto& id : ids)
    to.text(id.str());
  to.close_array();
}

/// The keys of a round.
template <class Writer>
void write_round(Writer& to, const round_view& what) {
  to.template key<"round">();
  to.text(what.name);
  to.template key<"open">();
  to.boolean(what.open);
  to.template key<"revise">();
  to.boolean(what.revise);
  to.template key<"results">();
  to.text(to_string(what.results));
  to.template key<"progress">();
  to.text(to_string(what.progress));
  to.template key<"answers">();
  to.integer(what.answers);
  to.template key<"eligible">();
  to.integer(what.eligible);
  to.template key<"submitted">();
  to.integer(what.submitted);
  if (what.progress == progress_policy::named) {
    to.template key<"participants">();
    write_ids(to, what.participants);
  }
}

/// Where the session stands; nothing of what nobody has set.
/// `Course` is a snapshot or a course_reply.
template <class Writer, class Course>
void write_course(Writer& to, const Course& what) {
  if (what.starts_at) {
    to.template key<"starts_at">();
    to.integer(what.starts_at->count());
  }
  if (what.phase != phase_state{}) {
    to.template key<"phase">();
    to.open_map();
    write_phase(to, what.phase);
    to.close_map();
  }
  if (what.barrier) {
    to.template key<"barrier">();
    to.open_map();
    write_barrier(to, what.barrier->state);
    to.template key<"ready">();
    write_ids(to, what.barrier->ready);
    to.close_map();
  }
  if (!what.rounds.empty()) {
    to.template key<"rounds">();
    to.open_array(what.rounds.size());
    for (const auto& each : what.rounds) {
      to.open_map();
      write_round(to, each);
      to.close_map();
    }
    to.close_array();
  }
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::answer_depth.
template <class Writer>
void write_datum(Writer& to, const datum& what) {
  if (const auto* flag = std::get_if<bool>(&what.what)) {
    to.boolean(*flag);
  } else if (const auto* whole = std::get_if<std::int64_t>(&what.what)) {
    to.integer(*whole);
  } else if (const auto* real = std::get_if<double>(&what.what)) {
    to.real(*real);
  } else if (const auto* text = std::get_if<std::string>(&what.what)) {
    to.text(*text);
  } else if (const auto* items = std::get_if<datum::list>(&what.what)) {
    to.open_array(items->size());
    for (const auto& item : *items)
      write_datum(to, item);
    to.close_array();
  } else {
    const auto& fields = std::get<datum::fields>(what.what);
    to.open_map(fields.size());
    for (const auto& [name, item] : fields) {
      to.key(name);
      write_datum(to, item);
    }
    to.close_map();
  }
}

template <class Writer>
void write_bound(Writer& to, std::string_view key,
                 const std::optional<double>& bound) {
  if (!bound)
    return;
  to.key(key);
  constexpr double exact = 9'007'199'254'740'991.0;
  auto whole = static_cast<double>(
    static_cast<std::int64_t>(std::abs(*bound) <= exact ? *bound : 0.5));
  if (whole == *bound)
    to.integer(static_cast<std::int64_t>(whole));
  else
    to.real(*bound);
}

template <class Writer>
void write_fields(Writer& to, const answer_schema& schema, std::size_t at);

/// The rule at `at` with all below it.
// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::schema_depth.
template <class Writer>
void write_rule(Writer& to, const answer_schema& schema, std::size_t at) {
  const auto& rule = schema[at];
  to.open_map();
  to.template key<"type">();
  to.text(to_string(rule.type));
  if (rule.optional) {
    to.template key<"optional">();
    to.boolean(true);
  }
  write_bound(to, "min", rule.least);
  write_bound(to, "max", rule.most);
  if (!rule.choices.empty()) {
    to.template key<"values">();
    to.open_array(rule.choices.size());
    for (const auto& choice : rule.choices)
      to.text(choice);
    to.close_array();
  }
  write_bound(to, "sum_min", rule.sum_least);
  write_bound(to, "sum_max", rule.sum_most);
  if (rule.self) {
    to.template key<"self">();
    to.boolean(true);
  }
  if (rule.type == answer_type::record) {
    to.template key<"fields">();
    write_fields(to, schema, at);
  } else if (rule.below > 0) {
    to.template key<"of">();
    write_rule(to, schema, at + 1);
  }
  to.close_map();
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::schema_depth.
template <class Writer>
void write_fields(Writer& to, const answer_schema& schema, std::size_t at) {
  to.open_map();
  auto last = at + 1 + schema[at].below;
  for (auto child = at + 1; child < last; child += 1 + schema[child].below) {
    to.key(schema[child].name);
    write_rule(to, schema, child);
  }
  to.close_map();
}

/// What the answer to `get_round` has beside what all have.
template <class Writer>
void write_round_page(Writer& to, const round_reply& what) {
  write_round(to, what.round);
  to.template key<"schema">();
  write_fields(to, what.schema, 0);
  to.template key<"visible">();
  to.boolean(what.visible);
  to.template key<"items">();
  to.open_array(what.answers.size());
  for (const auto& each : what.answers) {
    to.open_map();
    to.template key<"participant_id">();
    to.text(each.participant.str());
    if (!each.user.empty()) {
      to.template key<"user">();
      to.text(each.user.str());
    }
    to.template key<"answer">();
    write_datum(to, each.answer);
    to.template key<"answered_at">();
    to.integer(each.when.count());
    if (each.revisions != 0) {
      to.template key<"revisions">();
      to.integer(each.revisions);
    }
    to.close_map();
  }
  to.close_array();
  if (what.next) {
    to.template key<"next">();
    to.text(what.next->str());
  }
}

} // namespace rollcall::edge
