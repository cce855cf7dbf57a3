#pragma once

// Phases, barriers, rounds and what is answered in them, on the wire.

#include "actors/records.hpp"
#include "cluster/wire_fields.hpp"

namespace rollcall::cluster::wire {

template <class Io>
void some_time(Io& io, part<Io, std::optional<millis>>& value,
               const char* field) {
  maybe(io, value, [&](auto& x) { io.time(x, field); });
}

template <class Io>
void some_real(Io& io, part<Io, std::optional<double>>& value,
               const char* field) {
  maybe(io, value, [&](auto& x) { io.real(x, field); });
}

template <class Io>
void fields(Io& io, part<Io, phase_state>& value) {
  auto& [called, status, until, next] = value;
  tuple<Io> in{io, 4, "phase"};
  io.text(called, limits::name_bytes, "phase");
  io.text(status, limits::name_bytes, "status");
  some_time(io, until, "until");
  io.text(next, limits::name_bytes, "next");
}

template <class Io>
void fields(Io& io, part<Io, barrier_state>& value) {
  auto& [called, until, opened_at, timed_out] = value;
  tuple<Io> in{io, 4, "barrier"};
  io.text(called, limits::name_bytes, "barrier");
  some_time(io, until, "until");
  some_time(io, opened_at, "opened_at");
  io.flag(timed_out, "timed_out");
}

// -- answers -----------------------------------------------------------------

/// A datum is one msgpack value.
// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::answer_depth.
template <class Io>
void tree(Io& io, part<Io, datum>& value, std::size_t depth) {
  constexpr auto most = limits::answer_bytes;
  if (depth > limits::answer_depth)
    return io.refuse(errc::too_large, "is too deep", "answer");
  auto pairs = [&](auto& named) {
    if constexpr (Io::reading) {
      for (auto left = io.table(most, "answer"); left > 0 && io.ok(); --left) {
        auto& [called, item] = named.emplace_back();
        io.text(called, limits::id_bytes, "answer");
        tree(io, item, depth + 1);
      }
    } else {
      io.table(named.size(), most, "answer");
      for (const auto& [called, item] : named) {
        io.text(called, limits::id_bytes, "answer");
        tree(io, item, depth + 1);
      }
    }
  };
  auto items = [&](auto& all) {
    list(io, all, most, "answer", [&](auto& x) { tree(io, x, depth + 1); });
  };
  if constexpr (!Io::reading) {
    if (const auto* flag = std::get_if<bool>(&value.what))
      io.flag(*flag, "answer");
    else if (const auto* whole = std::get_if<std::int64_t>(&value.what))
      io.integer(*whole);
    else if (const auto* real = std::get_if<double>(&value.what))
      io.real(*real, "answer");
    else if (const auto* text = std::get_if<std::string>(&value.what))
      io.text(*text, most, "answer");
    else if (const auto* all = std::get_if<datum::list>(&value.what))
      items(*all);
    else
      pairs(std::get<datum::fields>(value.what));
  } else if (io.next_is(shape::flag)) {
    io.flag(value.what.template emplace<bool>(), "answer");
  } else if (io.next_is(shape::real)) {
    io.real(value.what.template emplace<double>(), "answer");
  } else if (io.next_is(shape::text)) {
    io.text(value.what.template emplace<std::string>(), most, "answer");
  } else if (io.next_is(shape::list)) {
    items(value.what.template emplace<datum::list>());
  } else if (io.next_is(shape::table)) {
    pairs(value.what.template emplace<datum::fields>());
  } else {
    value.what = io.integer("answer");
  }
}

template <class Io>
void fields(Io& io, part<Io, datum>& value) {
  tree(io, value, 0);
}

template <class Io>
void fields(Io& io, part<Io, answer_rule>& value) {
  auto& [called, type, may_lack, least, most, choices, sum_least, sum_most,
         self, below]
    = value;
  tuple<Io> in{io, 10, "schema"};
  io.text(called, limits::name_bytes, "schema");
  name(io, type, answer_type::participants, "schema");
  io.flag(may_lack, "schema");
  some_real(io, least, "schema");
  some_real(io, most, "schema");
  list(io, choices, limits::answer_choices, "schema",
       [&io](auto& x) { io.text(x, limits::id_bytes, "schema"); });
  some_real(io, sum_least, "schema");
  some_real(io, sum_most, "schema");
  io.flag(self, "schema");
  number(io, below, "schema");
}

template <class Io>
void schema(Io& io, part<Io, answer_schema>& value) {
  list(io, value, limits::schema_rules, "schema",
       [&io](auto& x) { fields(io, x); });
}

template <class Io>
void fields(Io& io, part<Io, round_rules>& value) {
  auto& [rules, roles, revise, results, progress] = value;
  tuple<Io> in{io, 5, "round"};
  schema(io, rules);
  list(io, roles, limits::roles_per_round, "roles",
       [&io](auto& x) { io.text(x, limits::name_bytes, "roles"); });
  io.flag(revise, "revise");
  name(io, results, results_policy::moderators, "results");
  name(io, progress, progress_policy::counts, "progress");
}

template <class Io>
void fields(Io& io, part<Io, round_view>& value) {
  auto& [called, open, revise, results, progress, answers, eligible, submitted,
         participants]
    = value;
  tuple<Io> in{io, 9, "round"};
  io.text(called, limits::name_bytes, "round");
  io.flag(open, "open");
  io.flag(revise, "revise");
  name(io, results, results_policy::moderators, "results");
  name(io, progress, progress_policy::counts, "progress");
  number(io, answers, "answers");
  number(io, eligible, "eligible");
  number(io, submitted, "submitted");
  list(io, participants, limits::named_progress, "participants",
       [&io](auto& x) { id(io, x, "participants"); });
}

template <class Io>
void fields(Io& io, part<Io, barrier_view>& value) {
  auto& [state, ready] = value;
  tuple<Io> in{io, 2, "barrier"};
  fields(io, state);
  list(io, ready, limits::participants_per_session, "ready",
       [&io](auto& x) { id(io, x, "ready"); });
}

} // namespace rollcall::cluster::wire
