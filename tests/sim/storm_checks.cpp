// What must hold in a storm, and after it.

#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "sim/storm.hpp"

#include <algorithm>
#include <utility>

namespace rollcall::sim {

namespace {

constexpr std::size_t complaints_most = 20;
/// What was done to an edge has shown by then: its lease, the grace of those
/// it had, and the time for which others are told of its end.
constexpr millis harm_shows_within{40'000};
/// What a node sees is old for so long after it was hurt.
constexpr millis sight_clears_within{15'000};
/// Whoever may not come back at all depends on what is said once or twice.
constexpr millis bus_forgiven{10'000};

bool is_in(const edge::relay_state& replica, const participant_id& whom) {
  auto here = replica.make_snapshot().participants;
  return std::any_of(here.begin(), here.end(),
                     [&](const auto& who) { return who.participant == whom; });
}

} // namespace

void storm::complain(std::string what) {
  if (complaints.size() < complaints_most)
    complaints.push_back(std::to_string(now().count())
                         + " ms: " + std::move(what));
}

// -- all the time ------------------------------------------------------------

void storm::hear(std::size_t n, const node_message& told) {
  if (const auto* next = std::get_if<batch_ptr>(&told)) {
    auto& replica = replicas_[n][(*next)->session];
    if (replica.take(*next) != edge::batch_fate::applied)
      return;
    for (const auto& one : (*next)->changes) {
      trace_change(n, **next, one);
      const auto* left = std::get_if<left_change>(&one.body);
      if (left == nullptr)
        continue;
      note_end((*next)->session.id.str(), left->participant.str());
      blame((*next)->session.id.str(),
            {left->participant.str(),
             std::string{rollcall::to_string(left->reason)},
             {(*next)->to.epoch, one.rev},
             millis{0},
             is_in(replica, left->participant)},
            n);
    }
  } else if (const auto* whole = std::get_if<snapshot_ptr>(&told)) {
    trace_snapshot(n, **whole);
    (void)replicas_[n][(*whole)->session].take(**whole);
  } else if (const auto* word = std::get_if<direct_ptr>(&told)) {
    trace_direct(n, **word);
  }
}

// A stay may end when nobody wants it any more: who is told so later, when the
// same user has joined again, is told the truth.
void storm::note_end(const std::string& session,
                     const std::string& participant) {
  if (crowd_ == nullptr)
    return;
  for (const auto& one : crowd_->clients)
    if (one.wants && one.session == session
        && test::session_harness::id_of(one.user).str() == participant)
      return;
  ended_[{session, participant}] = now();
}

// What is told late may be of a time before the join. A relay that missed both
// tells of the end of an earlier stay together with the one that followed it.
// One that waited in vain for what a new owner lacks shows the same of a stay
// that goes on: counted, not complained of.
void storm::blame(const std::string& session, const seen_loss& loss,
                  std::size_t viewer) {
  bool by_fault = loss.reason == "network" || loss.reason == "timeout"
                  || loss.reason == "edge_lost";
  if (!by_fault || crowd_ == nullptr || !sees_clearly(viewer))
    return;
  auto ended = ended_.find({session, loss.participant});
  if (ended != ended_.end() && loss.known_since != millis{0}
      && loss.known_since < ended->second)
    return;
  for (const auto& one : crowd_->clients) {
    if (one.session != session
        || test::session_harness::id_of(one.user).str() != loss.participant)
      continue;
    // Its edge may tell of an earlier socket after the new one.
    auto told_badly_until
      = std::max(bus_bad_until_, health_.at(index_of(one.at)).well_since);
    bool unforgiving
      = one.kind == "brisk" && now() < told_badly_until + bus_forgiven;
    if (!is_well(one) || one.accepted_at >= loss.at || unforgiving)
      continue;
    if (!loss.back)
      complain("false leave of " + one.user + " from " + session + ", "
               + loss.reason + ", seen at node " + std::to_string(viewer));
    else if (loss.known_since >= one.wants_since)
      ++made.flaps;
  }
}

std::size_t storm::index_of(const sim_node* node) const {
  for (std::size_t n = 0; n < nodes_.size(); ++n)
    if (nodes_[n].get() == node)
      return n;
  return nodes_.size();
}

/// Connected, and nothing that was done to its edge can still show.
bool storm::is_well(const sim_client& one) const {
  if (!one.wants || !one.connection || !one.accepted)
    return false;
  auto n = index_of(one.at);
  const auto& edge = health_[n];
  return one.at->alive() && one.at->self() == one.node && edge.hurt == 0
         && (edge.well_since <= *one.accepted
             || now() - edge.well_since > harm_shows_within);
}

bool storm::sees_clearly(std::size_t n) const {
  return health_[n].hurt == 0
         && (health_[n].well_since == millis{0}
             || now() - health_[n].well_since > sight_clears_within);
}

// -- when all is quiet -------------------------------------------------------

void storm::check() {
  check_ownership();
  check_disks();
  check_replicas();
  check_clients();
  check_routers();
  ops_->check();
  for (const auto& what : ops_->complaints)
    complain(what);
  for (const auto& what : crowd_->complaints)
    complain(what);
  for (const auto& what : world_.log->complaints)
    complain(what);
}

void storm::check_ownership() {
  std::int64_t owned = 0;
  for (auto& node : nodes_)
    owned += node->figure("owned");
  if (owned != sim_partitions)
    complain(std::to_string(owned) + " partitions are owned");
  for (partition_id p = 0; p < sim_partitions; ++p) {
    auto holders
      = std::count_if(nodes_.begin(), nodes_.end(),
                      [&](const auto& node) { return node->holds(p) != 0; });
    if (holders != 1)
      complain("partition " + std::to_string(p) + " is held by "
               + std::to_string(holders) + " nodes");
  }
}

std::string storm::how_far(sim_node& node, partition_id partition) {
  auto at = node.disk().where(partition).value();
  auto text = "it is at " + std::to_string(at.generation) + '/'
              + std::to_string(at.position);
  if (const auto* of = world_.log->find(partition))
    text += ", the journal at " + std::to_string(of->marker.generation) + '/'
            + std::to_string(of->last) + " with " + std::to_string(of->base_end)
            + " from before";
  auto kept = node.content(partition);
  auto should = world_.log->fold(partition);
  auto other = std::count_if(kept.begin(), kept.end(), [&](const auto& one) {
    auto same = should.find(one.first);
    return same == should.end() || same->second != one.second;
  });
  auto lacks
    = std::count_if(should.begin(), should.end(),
                    [&](const auto& one) { return !kept.contains(one.first); });
  text += "; " + std::to_string(other) + " keys are other, "
          + std::to_string(lacks) + " missing";
  return text;
}

// The owner's disk is the journal's content, no more and no less.
void storm::check_disks() {
  for (partition_id partition = 0; partition < sim_partitions; ++partition)
    for (auto& node : nodes_) {
      if (node->holds(partition) == 0)
        continue;
      auto name = node->self().name + " is not the journal of "
                  + std::to_string(partition);
      if (node->content(partition) != world_.log->fold(partition))
        complain("the disk of " + name + ": " + how_far(*node, partition));
      // A claim of whoever did not hear of it may follow.
      position_t last = 0;
      if (const auto* of = world_.log->find(partition))
        for (const auto& one : of->entries)
          if (!one.records.empty())
            last = one.at;
      auto where = node->disk().where(partition);
      if (!where || where->position < last)
        complain("the position of " + name);
    }
}

void storm::check_replicas() {
  for (const auto& any : crowd_->clients) {
    const auto& name = any.session;
    auto expected = crowd_->expected(name);
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      if (&any
            != &*std::find_if(
              crowd_->clients.begin(), crowd_->clients.end(),
              [&](const auto& one) { return one.session == name; })
          || !crowd_->is_observed(name, *nodes_[n]))
        continue;
      auto whole = replicas_[n][sim_crowd::key_of(any)].make_snapshot();
      std::set<std::string> seen;
      for (const auto& who : whole.participants)
        if (!seen.insert(who.user.str()).second)
          complain("twice in " + name + ": " + who.user.str());
      if (whole.present != whole.participants.size())
        complain("counts of " + name + " differ from its roster");
      if (seen != expected)
        complain(name + " at node " + std::to_string(n) + " has "
                 + std::to_string(seen.size()) + ", not "
                 + std::to_string(expected.size()) + " users");
    }
  }
}

void storm::check_clients() {
  for (const auto& one : crowd_->clients) {
    if (!one.wants || !one.connection)
      continue;
    std::string expected;
    for (const auto& user : crowd_->expected(one.session))
      expected += user + ' ';
    std::set<std::string> here;
    for (const auto& [id, who] : one.sees.rows())
      here.insert(who.user);
    std::string seen;
    for (const auto& user : here)
      seen += user + ' ';
    if (seen != expected)
      complain(one.user + " sees " + one.session + " as [" + seen + "], not ["
               + expected + ']');
    for (const auto& [id, who] : one.sees.rows()) {
      if (who.state != "online" || who.connections != 1)
        complain(one.user + " sees " + who.user + " of " + one.session + ' '
                 + who.state + " with " + std::to_string(who.connections)
                 + " connections");
      auto role = ops_->expected(one.session, who.user);
      if (role && *role != who.role)
        complain(one.user + " sees " + who.user + " of " + one.session + " as ["
                 + who.role + "], not [" + *role + ']');
    }
  }
}

void storm::check_routers() {
  for (auto& node : nodes_) {
    auto told = node->look_at_router();
    if (told == nullptr)
      continue;
    for (const char* figure : {"waiting_for_owner", "waiting_for_answer"})
      if (told->figures.at(figure) != 0)
        complain("the router of " + node->self().name + " keeps "
                 + std::to_string(told->figures.at(figure)) + ' ' + figure);
  }
}

} // namespace rollcall::sim
