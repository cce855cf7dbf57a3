#include "sim/sim_ops.hpp"

#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"

namespace rollcall::sim {

namespace {

constexpr const char* forbidden_role = "usurper";
/// Whoever was asked may be dead.
constexpr millis patience{10'000};

} // namespace

void sim_ops::start(const std::string& session, const std::string& user) {
  target whom{session, user};
  if (random_() % 8 == 0) {
    ask_forbidden(whom);
    return;
  }
  auto& member = members_[whom];
  if (member.now)
    return;
  ++started;
  member.repeats = !member.done.empty() && random_() % 4 == 0;
  if (member.repeats) {
    // One of the last few: it is known, and changes nothing any more.
    auto back = 1 + random_() % std::min<std::size_t>(member.done.size(), 5);
    member.now = member.done[member.done.size() - back];
  } else {
    auto number = std::to_string(++last_);
    member.now = operation{"op" + number, "role" + number};
  }
  ask(whom);
}

void sim_ops::retry() {
  for (auto& [whom, member] : members_)
    if (member.now
        && (!member.waiting || *member.waiting + patience < world_.now()))
      ask(whom);
}

std::optional<std::string> sim_ops::expected(const std::string& session,
                                             const std::string& user) const {
  auto at = members_.find({session, user});
  if (at == members_.end() || at->second.done.empty() || at->second.now)
    return std::nullopt;
  return at->second.done.back().role;
}

sim_node* sim_ops::some_node() {
  auto& all = world_.nodes;
  auto* one = all[random_() % all.size()];
  return one->alive() ? one : nullptr;
}

command_ptr sim_ops::make(const target& whom, sim_node& at,
                          const operation& what, const std::string& caller,
                          capability_set grants) {
  auto out = std::make_shared<command>();
  out->session = {namespace_id{"default"}, session_id{whom.first}};
  out->edge = at.self();
  out->caller.user = user_id{caller};
  out->caller.participant = test::session_harness::id_of(caller);
  out->caller.grants = grants;
  out->op = op_id{what.id};
  set_member_command body;
  body.user = user_id{whom.second};
  body.role = what.role;
  out->body = body;
  return out;
}

void sim_ops::ask(const target& whom) {
  auto* node = some_node();
  if (node == nullptr)
    return;
  auto& member = members_[whom];
  member.waiting = world_.now();
  auto number = ++member.asks;
  tell_of(whom,
          "is to be " + member.now->role + ", asked at " + node->self().name);
  node->ask(make(whom, *node, *member.now, "server", {capability::admin}),
            [this, here = here_, whom, number](const result<reply>& answer) {
              if (*here && members_[whom].asks == number)
                answered(whom, answer);
            });
}

void sim_ops::tell_of(const target& whom, const std::string& what) const {
  if (tell)
    tell(whom.second, what);
}

void sim_ops::ask_forbidden(const target& whom) {
  auto* node = some_node();
  if (node == nullptr)
    return;
  operation what{"forbidden" + std::to_string(++last_), forbidden_role};
  node->ask(make(whom, *node, what, "stranger", default_grants),
            [this, here = here_](const result<reply>& answer) {
              if (!*here)
                return;
              ++refused;
              if (answer)
                complaints.push_back("a stranger may set roles");
            });
}

void sim_ops::answered(const target& whom, const result<reply>& answer) {
  auto& member = members_[whom];
  member.waiting.reset();
  tell_of(whom, answer ? "is " + member.now->role
                       : "may be it or not: " + answer.error().message);
  if (!answer) {
    if (is_retryable(answer.error().code)) {
      ++unknown;
      return;
    }
    // Before anybody joined there is no session.
    if (answer.error().code != errc::not_found)
      complaints.push_back("a role was refused: " + answer.error().message);
    else if (!member.done.empty())
      complaints.push_back("at " + std::to_string(world_.now().count()) + " ms "
                           + whom.first + " with its member " + whom.second
                           + " was not found");
    member.now.reset();
    return;
  }
  if (answer.value().level != ack_level::committed)
    complaints.push_back("a durable change was only accepted");
  if (member.repeats) {
    ++repeated;
  } else {
    ++committed;
    member.done.push_back(*member.now);
  }
  member.now.reset();
}

void sim_ops::check() {
  std::map<target, std::string> kept;
  for (partition_id partition = 0; partition < sim_partitions; ++partition)
    for (const auto& [key, content] : world_.log->fold(partition)) {
      auto one = decode(key, content);
      if (!one)
        complaints.push_back("a record cannot be read: " + one.error().message);
      else if (const auto* known = std::get_if<member_record>(&one.value()))
        kept[{known->session.id.str(), known->user.str()}] = known->role;
    }
  for (const auto& [whom, role] : kept)
    if (role == forbidden_role)
      complaints.push_back("a refused role of " + whom.second + " is kept");
  for (const auto& [whom, member] : members_) {
    if (member.now)
      complaints.push_back("no answer for " + whom.second + " of "
                           + whom.first);
    else if (!member.done.empty() && kept[whom] != member.done.back().role)
      complaints.push_back(whom.second + " of " + whom.first + " was answered "
                           + member.done.back().role + ", kept is "
                           + kept[whom]);
  }
}

} // namespace rollcall::sim
