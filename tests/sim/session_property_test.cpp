// Random histories of one session, checked against design section 9. The
// session is folded by a real relay replica, restarted from what was kept, and
// disturbed by a journal that refuses. Every seed can be replayed:
// ROLLCALL_SEED=<seed> ROLLCALL_SEEDS=1.

#include "actors/base/limits.hpp"
#include "edge/relay/relay_state.hpp"
#include "edge/relay/replica_diff.hpp"
#include "support/session_harness.hpp"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>
#include <utility>

using namespace rollcall;
using namespace rollcall::test;

namespace {

std::uint64_t from_env(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

/// What is done to the observer's view, to prove that the checks see it.
enum class planted : std::uint8_t {
  nothing,
  lost_change,
  repeated_change,
  wrong_count,
  old_version,
  absent_host,
  twice_in_roster,
  ghost,
  wrong_progress,
  lost_answer,
  ready_ghost,
  stuck_barrier,
  stuck_phase,
  missed_reminder,
  ended_lease,
  lifted_ban,
};

/// A lease as its holder believes it to be.
struct held_lease {
  user_id user;
  millis until{0};
  millis lease{0};
};

/// One random history.
class history {
public:
  explicit history(std::uint64_t seed, planted bug = planted::nothing)
    : random_(seed), bug_(bug) {
    static constexpr const char* kinds[]
      = {"stream", "stage", "meeting", "party", "board"};
    settings_patch settings;
    if (chance(4))
      settings.capacity = 3 + pick(4);
    if (chance(4))
      settings.duplicates
        = chance(2) ? duplicate_policy::kick_old : duplicate_policy::reject_new;
    create_command body{kinds[pick(5)], settings};
    if (chance(3))
      body.starts_at = s_.now.wall + millis{pick(600'000)};
    EXPECT_TRUE(s_.run("owner", 9'999, body).ok());
    (void)s_.changes();
    observer_.take(s_.state->make_snapshot());
    seen_ = s_.state->make_snapshot().at;
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      step();
      if (chance(3))
        observe();
    }
    observe();
  }

private:
  std::uint32_t pick(std::uint32_t below) {
    return static_cast<std::uint32_t>(random_() % below);
  }

  bool chance(std::uint32_t one_in) {
    return pick(one_in) == 0;
  }

  std::string some_user() {
    return "u" + std::to_string(pick(8));
  }

  std::uint64_t some_connection() {
    return last_connection_ == 0 ? 1 : 1 + pick(last_connection_);
  }

  void step() {
    switch (pick(30)) {
    case 25:
    case 26:
      ban();
      break;
    case 27:
      give_and_take();
      break;
    case 28:
      if (chance(2))
        rename();
      else
        withdraw();
      break;
    case 29:
      configure();
      break;
    case 22:
      lease();
      break;
    case 23:
      renew();
      break;
    case 24:
      edge_speaks();
      break;
    case 0:
    case 1:
    case 2:
      join();
      break;
    case 3:
      leave();
      break;
    case 4:
    case 5:
      s_.notice(some_connection(), static_cast<sign>(pick(3)),
                millis{pick(30'000)});
      // Old news may be due already; the shell wakes at once.
      s_.state->expire(s_.now);
      break;
    case 6:
    case 7:
      s_.advance(millis{pick(20'000)}, millis{250});
      break;
    case 8:
    case 9:
      (void)s_.run(some_user(), some_connection(),
                   set_live_command{{{"k" + std::to_string(pick(3)),
                                      live_value{std::int64_t{pick(100)}}}},
                                    millis{pick(2) * pick(8'000)}});
      break;
    case 10:
      set_member();
      break;
    case 11:
      kick();
      break;
    case 12:
      (void)s_.run("owner", 9'999,
                   transfer_host_command{user_id{some_user()}, {}});
      break;
    case 13:
      s_.keep_pages();
      break;
    case 14:
      refuse_something();
      break;
    case 15:
      if (chance(6))
        restart();
      break;
    case 16:
      set_phase();
      break;
    case 17:
      set_round();
      break;
    case 18:
    case 19:
      submit();
      break;
    case 20:
      set_barrier();
      break;
    case 21:
      if (chance(2))
        (void)s_.run(some_user(), some_connection(),
                     set_reminder_command{!chance(4), millis{pick(300'000)}});
      else
        set_start();
      break;
    }
    // What fell due of itself is kept at once.
    if (chance(2))
      s_.pump();
  }

  void set_phase() {
    set_phase_command body;
    body.phase = "p" + std::to_string(pick(3));
    if (chance(2)) {
      body.duration = millis{1 + pick(30'000)};
      body.next = "p" + std::to_string(pick(3));
    } else if (chance(2)) {
      body.status = "s" + std::to_string(pick(3));
    }
    (void)s_.run("owner", 9'999, body);
  }

  void set_start() {
    configure_command body;
    body.starts_at = std::optional<millis>{};
    if (!chance(4))
      *body.starts_at = s_.now.wall + millis{pick(600'000)};
    (void)s_.run("owner", 9'999, body);
  }

  std::string some_round() {
    return "r" + std::to_string(pick(4));
  }

  void set_round() {
    if (chance(3)) {
      (void)s_.run("owner", 9'999, close_round_command{some_round()});
      return;
    }
    answer_rule root;
    root.below = 1;
    answer_rule score;
    score.name = "score";
    score.type = answer_type::integer;
    score.most = 10;
    round_rules rules{{root, score}};
    if (chance(4))
      rules.roles = {"guest"};
    rules.revise = chance(2);
    rules.progress
      = chance(3) ? progress_policy::counts : progress_policy::named;
    (void)s_.run("owner", 9'999, open_round_command{some_round(), rules});
  }

  void submit() {
    submit_command body;
    body.round = some_round();
    auto value = std::int64_t{pick(13)};
    body.answer = {datum::fields{{"score", {value}}}};
    auto asked = s_.make(some_user(), some_connection(), body,
                         "sub" + std::to_string(pick(50)));
    auto kept = s_.kept.stored().submissions;
    auto first = s_.run(asked);
    if (!first.ok()) {
      // 13: a refused input changes nothing.
      EXPECT_EQ(s_.kept.stored().submissions, kept);
      return;
    }
    EXPECT_EQ(first->level, ack_level::committed);
    answered_.insert({body.round, asked->caller.user});
    auto before = s_.look();
    observer_stale_ = true;
    EXPECT_TRUE(s_.run(asked).ok());
    EXPECT_EQ(s_.look(), before) << "11: a repeated op has one effect";
  }

  void set_barrier() {
    if (chance(3)) {
      start_barrier_command body{"b" + std::to_string(pick(2))};
      if (chance(2))
        body.timeout = millis{1 + pick(30'000)};
      (void)s_.run("owner", 9'999, body);
      return;
    }
    (void)s_.run(some_user(), some_connection(), set_ready_command{!chance(4)});
  }

  void leave() {
    auto user = some_user();
    auto id = some_connection();
    (void)s_.run(user, id, leave_command{});
    if (auto at = leases_.find(static_cast<std::uint32_t>(id));
        at != leases_.end() && at->second.user.str() == user)
      leases_.erase(at);
  }

  void kick() {
    auto user = some_user();
    if (s_.run("owner", 9'999, kick_command{user_id{user}, {}}).ok())
      forget_leases(user);
  }

  void join() {
    std::optional<std::uint64_t> resumes;
    if (chance(3))
      resumes = some_connection();
    auto user = some_user();
    auto answer = s_.join(user, ++last_connection_, resumes);
    if (is_banned(user) && bug_ == planted::nothing) {
      EXPECT_FALSE(answer.ok()) << "a ban keeps out";
    }
    if (!answer.ok())
      return;
    // The old ones were replaced, one or all.
    bool all = s_.state->settings().duplicates == duplicate_policy::kick_old;
    std::erase_if(leases_, [&](const auto& one) {
      return one.second.user.str() == user
             && (all || resumes == std::uint64_t{one.first});
    });
  }

  // -- who may be here -------------------------------------------------------

  void ban() {
    auto user = some_user();
    if (chance(4)) {
      if (s_.run("owner", 9'999, unban_command{user_id{user}, {}}).ok())
        bans_.erase(user);
      return;
    }
    ban_command body{user_id{user}, {}};
    if (chance(2))
      body.lasts = millis{1 + pick(60'000)};
    if (!s_.run("owner", 9'999, body).ok())
      return;
    bans_[user] = body.lasts ? s_.now.wall + *body.lasts : never;
    forget_leases(user);
    if (bug_ == planted::lifted_ban)
      (void)s_.run("owner", 9'999, unban_command{user_id{user}, {}});
  }

  bool is_banned(const std::string& user) const {
    auto at = bans_.find(user);
    return at != bans_.end() && s_.now.wall < at->second;
  }

  void give_and_take() {
    static constexpr const char* names[]
      = {"can_speak", "can_video", "can_moderate", "hat"};
    set_member_command body;
    body.user = user_id{some_user()};
    (chance(2) ? body.give : body.take).push_back(names[pick(4)]);
    (void)s_.run("owner", 9'999, body);
    (void)s_.run(some_user(), some_connection(),
                 set_live_command{{{"audio", live_value{true}}}});
  }

  // Also of those who may not, or are not here.
  void rename() {
    set_name_command body;
    if (chance(3))
      body.name = "n" + std::to_string(pick(5));
    (void)s_.run(some_user(), some_connection(), std::move(body));
  }

  void withdraw() {
    auto user = some_user();
    if (s_.run(user, some_connection(), withdraw_command{}).ok())
      forget_leases(user);
  }

  void configure() {
    settings_patch patch;
    if (s_.state->settings().membership == membership_mode::durable)
      patch.host = static_cast<host_policy>(pick(5));
    else
      patch.locked = chance(2);
    patch.gated_media = chance(2);
    patch.own_names = chance(2);
    (void)s_.run("owner", 9'999, configure_command{patch});
  }

  // Nobody is here who is banned, or speaks who may not.
  void check_rights(const snapshot& truth) {
    for (const auto& who : truth.participants) {
      EXPECT_FALSE(is_banned(who.user.str())) << "a ban keeps out";
      if (!truth.settings.gated_media || truth.host == who.participant
          || who.role == "moderator")
        continue;
      auto has = [&](std::string_view name) {
        return has_name(who.permissions, name);
      };
      auto audio = who.live.find("audio");
      if (audio != who.live.end() && turns_on(audio->second)) {
        EXPECT_TRUE(has("can_speak") || has("can_moderate"));
      }
    }
    auto seen = s_.run("owner", 9'999, get_bans_command{});
    if (!seen.ok())
      return;
    std::size_t in_force = 0;
    for (const auto& [user, until] : bans_)
      in_force += s_.now.wall < until ? 1 : 0;
    EXPECT_EQ(std::get<bans_reply>(seen->body).bans.size(), in_force);
  }

  // -- leases ----------------------------------------------------------------

  void lease() {
    auto user = some_user();
    auto id = ++last_connection_;
    join_command body;
    body.lease = millis{1'000 + pick(60'000)};
    if (!s_.run(user, id, body).ok())
      return;
    if (s_.state->settings().duplicates == duplicate_policy::kick_old)
      forget_leases(user);
    leases_[id] = {user_id{user}, s_.now.steady + *body.lease, *body.lease};
    if (bug_ == planted::ended_lease)
      (void)s_.run(user, id, leave_command{connection_id{7, id}, false});
  }

  void renew() {
    if (leases_.empty())
      return;
    auto at = leases_.begin();
    std::advance(at, pick(static_cast<std::uint32_t>(leases_.size())));
    auto& [id, mine] = *at;
    auto user = mine.user.str();
    if (chance(3)) {
      (void)s_.run(user, 9'998, leave_command{connection_id{7, id}, false});
      leases_.erase(at);
    } else if (s_.run(user, 9'998, renew_command{connection_id{7, id}}).ok()) {
      mine.until = s_.now.steady + mine.lease;
    }
  }

  void forget_leases(const std::string& user) {
    std::erase_if(
      leases_, [&](const auto& one) { return one.second.user.str() == user; });
  }

  /// What edges say of what they know, which leases are no part of.
  void edge_speaks() {
    announce_note told;
    told.complete = true;
    for (auto left = pick(4); left > 0; --left)
      told.connections.push_back({7, some_connection()});
    s_.tell(told);
    if (chance(4))
      s_.tell(edge_lost_note{});
    for (const auto& [id, mine] : leases_)
      s_.notice(id, static_cast<sign>(pick(3)), millis{pick(30'000)});
    s_.state->expire(s_.now);
  }

  // 3: no lease ends before its time but by somebody's will.
  void check_leases(const snapshot& truth) {
    std::set<user_id> here;
    for (const auto& who : truth.participants)
      here.insert(who.user);
    for (const auto& [id, mine] : leases_)
      if (s_.now.steady < mine.until) {
        EXPECT_TRUE(here.contains(mine.user)) << "3: no false leave";
      }
  }

  void set_member() {
    set_member_command body;
    body.user = user_id{some_user()};
    body.role = chance(2) ? "guest" : "moderator";
    auto op = "op" + std::to_string(pick(5));
    auto asked = s_.make("owner", 9'999, body, op);
    auto first = s_.run(asked);
    auto before = s_.look();
    auto members = s_.kept.stored().members.size();
    auto again = s_.run(asked);
    if (!first.ok())
      return;
    // 11: a repeated op has one effect.
    EXPECT_TRUE(again.ok());
    EXPECT_EQ(s_.look(), before);
    EXPECT_EQ(s_.kept.stored().members.size(), members);
    observer_stale_ = true;
  }

  void refuse_something() {
    auto before = s_.look();
    observer_stale_ = true;
    set_member_command body;
    body.user = user_id{"nobody"};
    body.role = "guest";
    auto outcome = s_.state->handle(s_.make("owner", 9'999, body), s_.now);
    ASSERT_TRUE(std::holds_alternative<ticket>(outcome));
    s_.pump(fail(errc::unavailable, "refused by the test"));
    refused_at_ = s_.now.wall;
    auto late = s_.take_late();
    ASSERT_EQ(late.size(), 1U);
    EXPECT_FALSE(late[0].answer.ok());
    EXPECT_EQ(s_.look(), before) << "a refused change has no effect";
  }

  void restart() {
    s_.keep_pages();
    observe();
    auto before = s_.state->at();
    auto present = s_.state->present();
    s_.activate();
    EXPECT_GT(s_.state->at(), before);
    EXPECT_EQ(s_.state->present(), present) << "restored stay shown";
    observer_stale_ = true;
  }

  // What an observer folds must be what the session is.
  void observe() {
    // The shell wakes at once for what is due already.
    s_.state->expire(s_.now);
    s_.pump();
    auto next = bent(s_.state->take_batch());
    auto truth = bent(s_.state->make_snapshot());
    if (next) {
      // 6: versions never go back.
      EXPECT_GT(next->to, seen_);
      EXPECT_LT(next->from, next->to);
      check_counts(*next);
    }
    EXPECT_GE(truth.at, seen_);
    seen_ = truth.at;
    if (observer_stale_) {
      observer_ = {};
      observer_.take(truth);
      observer_stale_ = false;
    } else if (next) {
      ASSERT_EQ(observer_.take(next), edge::batch_fate::applied);
    }
    // 10: snapshot + changes = later snapshot.
    EXPECT_EQ(observer_.make_snapshot(), truth);
    if (chance(4))
      catch_up(truth);
    check(truth);
  }

  // One who was away learns by one batch of real changes what there is now.
  void catch_up(const snapshot& truth) {
    if (!absent_.bridge(truth)) {
      absent_.take(truth);
      return;
    }
    auto now = absent_.make_snapshot();
    ASSERT_EQ(now.participants.size(), truth.participants.size());
    for (std::size_t i = 0; i < now.participants.size(); ++i) {
      auto& who = now.participants[i];
      const auto& real = truth.participants[i];
      if (who.expires && real.expires) {
        EXPECT_LE(std::chrono::abs(*who.expires - *real.expires),
                  edge::same_expiry);
        who.expires = real.expires;
      }
      // What only a new join changes is not told of those who stay.
      who.reconnections = real.reconnections;
    }
    EXPECT_EQ(now, truth);
  }

  batch_ptr bent(batch_ptr told) {
    if (told == nullptr)
      return told;
    auto out = std::make_shared<batch>(*told);
    switch (bug_) {
    case planted::lost_change:
      out->changes.pop_back();
      break;
    case planted::repeated_change:
      out->changes.push_back(out->changes.back());
      break;
    case planted::wrong_count:
      ++out->present;
      break;
    case planted::old_version:
      out->to = out->from;
      break;
    default:
      return told;
    }
    return out;
  }

  snapshot bent(snapshot truth) const {
    if (bug_ == planted::wrong_progress && !truth.rounds.empty())
      ++truth.rounds[0].submitted;
    else if (bug_ == planted::lost_answer && !truth.rounds.empty()
             && truth.rounds[0].answers > 0)
      --truth.rounds[0].answers;
    else if (bug_ == planted::ready_ghost && truth.barrier)
      truth.barrier->ready.push_back(participant_id{"nobody"});
    else if (bug_ == planted::stuck_barrier && truth.barrier)
      truth.barrier->state.opened_at.reset();
    else if (bug_ == planted::stuck_phase && !truth.phase.name.empty())
      truth.phase.until = s_.now.wall - millis{60'000};
    if (truth.participants.empty())
      return truth;
    auto& last = truth.participants.back();
    if (bug_ == planted::absent_host)
      truth.host = participant_id{"nobody"};
    else if (bug_ == planted::twice_in_roster)
      truth.participants.push_back(participant_view{last});
    else if (bug_ == planted::ghost)
      last.expires = s_.now.steady - millis{1'000};
    return truth;
  }

  void check_counts(const batch& told) {
    std::int64_t present = -1;
    for (const auto& one : told.changes) {
      std::int64_t step = std::holds_alternative<joined_change>(one.body) ? 1
                          : std::holds_alternative<left_change>(one.body) ? -1
                                                                          : 0;
      if (present >= 0) {
        EXPECT_EQ(one.present, present + step) << "joins are never merged";
      }
      present = one.present;
    }
    EXPECT_EQ(told.present, present);
  }

  void check(const snapshot& truth) {
    // 5: counts = roster. 7: no participant twice. 4: one host or none.
    EXPECT_EQ(truth.present, truth.participants.size());
    EXPECT_GE(truth.total, truth.present);
    std::set<std::string> ids;
    for (const auto& who : truth.participants) {
      EXPECT_TRUE(ids.insert(who.participant.str()).second);
      EXPECT_GT(who.connections, 0U);
      EXPECT_EQ(who.state == presence_state::suspected,
                who.expires.has_value());
    }
    check_leases(truth);
    check_rights(truth);
    EXPECT_EQ(truth.host, s_.state->host());
    // Whoever was named may be away for a while, the oldest of all for ever.
    if (truth.host && truth.settings.host != host_policy::appointed
        && truth.settings.host != host_policy::oldest_member_any
        && !s_.kept.stored().session->appointed_host) {
      EXPECT_TRUE(ids.contains(truth.host->str()));
    }
    for (const auto& who : truth.participants) {
      auto bound = who.expires.value_or(s_.now.steady);
      EXPECT_GT(bound, s_.now.steady - millis{500}) << "2: no ghost";
    }
    check_rounds(truth);
    check_course(truth, ids);
  }

  // Progress is of those present, and no answer is ever lost.
  void check_rounds(const snapshot& truth) {
    auto kept = s_.kept.stored();
    for (const auto& round : truth.rounds) {
      std::set<std::string> answered;
      for (const auto& [name, user] : answered_)
        if (name == round.name)
          answered.insert(s_.id_of(user.str()).str());
      EXPECT_EQ(round.answers, answered.size()) << "1: committed, and lost";
      auto record
        = std::find_if(kept.rounds.begin(), kept.rounds.end(),
                       [&](const auto& one) { return one.name == round.name; });
      ASSERT_NE(record, kept.rounds.end()) << "shown before it is kept";
      EXPECT_EQ(round.open, !record->closed_at);
      std::uint32_t eligible = 0;
      std::uint32_t submitted = 0;
      for (const auto& who : truth.participants) {
        const auto& roles = record->rules.roles;
        if (!roles.empty() && who.role != roles[0])
          continue;
        ++eligible;
        submitted += answered.contains(who.participant.str()) ? 1 : 0;
      }
      EXPECT_EQ(round.eligible, round.open ? eligible : 0);
      EXPECT_EQ(round.submitted, round.open ? submitted : 0);
      std::set<std::string> told;
      for (const auto& who : round.participants)
        EXPECT_TRUE(told.insert(who.str()).second);
      if (round.progress == progress_policy::named) {
        EXPECT_EQ(told, answered);
      } else {
        EXPECT_TRUE(told.empty());
      }
    }
  }

  // What waits for a time does not wait beyond it, and what waits for people
  // waits for people.
  void check_course(const snapshot& truth, const std::set<std::string>& here) {
    auto due = s_.kept.due();
    // What could not be kept is tried again a little later.
    auto again = s_.now.wall + limits::timer_again;
    bool refused = s_.now.wall < refused_at_ + 2 * limits::timer_again;
    if (bug_ == planted::missed_reminder)
      due.reset();
    auto asked_for = [&](std::optional<millis> when, const char* what) {
      if (when) {
        EXPECT_TRUE(due && *due <= later(*when, again))
          << what << " is not in the index";
      }
    };
    auto kept = s_.kept.stored();
    for (const auto& known : kept.members)
      if (known.remind.enabled && kept.session->starts_at
          && known.remind.given_for != kept.session->starts_at) {
        auto when = *kept.session->starts_at - known.remind.lead;
        EXPECT_TRUE(refused || when > s_.now.wall - millis{500})
          << "a reminder is missed";
        asked_for(when, "a reminder");
      }
    asked_for(kept.session->phase.until, "a phase");
    if (truth.phase.until) {
      EXPECT_TRUE(refused || *truth.phase.until > s_.now.wall - millis{500});
    }
    if (!truth.barrier)
      return;
    for (const auto& who : truth.barrier->ready)
      EXPECT_TRUE(here.contains(who.str())) << "ready, and not here";
    EXPECT_EQ(truth.barrier->state, kept.session->barrier);
    if (truth.barrier->state.opened_at)
      return;
    std::set<std::string> ready;
    for (const auto& who : truth.barrier->ready)
      ready.insert(who.str());
    bool all = !ready.empty();
    for (const auto& who : truth.participants)
      all = all
            && (who.state == presence_state::suspected
                || ready.contains(who.participant.str()));
    EXPECT_FALSE(all && !refused) << "everyone is ready, and it is not open";
  }

  std::mt19937_64 random_;
  planted bug_;
  session_harness s_;
  edge::relay_state observer_;
  edge::relay_state absent_;
  version seen_;
  /// Every answer that was committed.
  std::set<std::pair<std::string, user_id>> answered_;
  millis refused_at_{0};
  bool observer_stale_ = false;
  std::uint32_t last_connection_ = 0;
  std::map<std::uint32_t, held_lease> leases_;
  /// Users and the wall time of their ban's end.
  std::map<std::string, millis> bans_;
};

TEST(SessionProperties, HoldOverRandomHistories) {
  auto first = from_env("ROLLCALL_SEED", 1);
  auto count = from_env("ROLLCALL_SEEDS", 2'000);
  for (auto seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("replay with ROLLCALL_SEED=" + std::to_string(seed)
                 + " ROLLCALL_SEEDS=1");
    history{seed}.run(300);
    if (HasFailure())
      return;
  }
  std::printf("seeds %llu..%llu, 300 steps each\n",
              static_cast<unsigned long long>(first),
              static_cast<unsigned long long>(first + count - 1));
}

class SessionCheckers : public ::testing::TestWithParam<planted> {};

TEST_P(SessionCheckers, SeeAPlantedBug) {
  ::testing::TestPartResultArray found;
  {
    ::testing::ScopedFakeTestPartResultReporter intercept{
      ::testing::ScopedFakeTestPartResultReporter::
        INTERCEPT_ONLY_CURRENT_THREAD,
      &found};
    for (std::uint64_t seed = 1; seed <= 20 && found.size() == 0; ++seed)
      history{seed, GetParam()}.run(60);
  }
  EXPECT_GT(found.size(), 0);
}

std::string name_of(const ::testing::TestParamInfo<planted>& bug) {
  static constexpr const char* names[]
    = {"nothing",        "lost_change",     "repeated_change", "wrong_count",
       "old_version",    "absent_host",     "twice_in_roster", "ghost",
       "wrong_progress", "lost_answer",     "ready_ghost",     "stuck_barrier",
       "stuck_phase",    "missed_reminder", "ended_lease",     "lifted_ban"};
  return names[static_cast<std::size_t>(bug.param)];
}

INSTANTIATE_TEST_SUITE_P(
  Planted, SessionCheckers,
  ::testing::Values(
    planted::lost_change, planted::repeated_change, planted::wrong_count,
    planted::old_version, planted::absent_host, planted::twice_in_roster,
    planted::ghost, planted::wrong_progress, planted::lost_answer,
    planted::ready_ghost, planted::stuck_barrier, planted::stuck_phase,
    planted::missed_reminder, planted::ended_lease, planted::lifted_ban),
  name_of);

} // namespace
