// Tags: what a record of a session or member says has one, and a command may
// expect it.

#include "actors/session_state.hpp"

#include <tuple>

namespace rollcall {

namespace {

/// A version that this content had not before.
version following(const version& before, const version& now) {
  return before < now ? now : version{before.epoch, before.rev + 1};
}

bool says_same(session_record one, const session_record& other) {
  one.at = other.at;
  one.ops = other.ops;
  one.changed = other.changed;
  return one == other;
}

bool says_same(const member_record& one, const member_record& other) {
  auto content = [](const member_record& from) {
    return std::tie(from.who, from.role, from.permissions, from.remind.enabled,
                    from.remind.lead);
  };
  return content(one) == content(other);
}

} // namespace

void session_state::tag_changes(durable_op& op) const {
  for (auto& one : op.records) {
    if (auto* kept = std::get_if<session_record>(&one)) {
      if (!record_)
        kept->changed = at();
      else if (!says_same(*kept, *record_))
        kept->changed = following(record_->changed, at());
    } else if (auto* known = std::get_if<member_record>(&one)) {
      if (const auto* old = member(known->user))
        known->at
          = says_same(*known, *old) ? old->at : following(old->at, at());
    }
  }
}

std::optional<failure>
session_state::refuses_condition(const durable_op& op) const {
  const auto& expected = op.asked->expected;
  if (!expected)
    return std::nullopt;
  auto tag = record_->changed;
  if (expected->of_member) {
    const auto* known = member(target_named(op));
    if (known == nullptr)
      return fail(errc::precondition_failed, "there is no such member",
                  "expected");
    tag = known->at;
  }
  if (!expected->tag || *expected->tag == tag)
    return std::nullopt;
  return fail(errc::precondition_failed, "it has changed since", "expected");
}

} // namespace rollcall
