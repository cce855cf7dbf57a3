#include "persistence/past_reader.hpp"

#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/store_reader.hpp"
#include "unit/persistence/store_world.hpp"

#include <gtest/gtest.h>

namespace rollcall {

namespace {

constexpr version now_at{5, 1'000};

struct PastReader : store_world {
  interval_record closed(const std::string& user, revision_t rev, int from,
                         int until) {
    interval_record out;
    out.session = session;
    out.user = user_id{user};
    out.joined = {5, rev};
    out.from = millis{from};
    out.until = millis{until};
    out.reconnections = 0;
    return out;
  }

  audit_record entry(revision_t rev, const std::string& action,
                     const std::string& actor, const std::string& target = {}) {
    audit_record out;
    out.session = session;
    out.at = {5, rev};
    out.when = millis{static_cast<int>(rev)};
    out.action = action;
    out.actor = user_id{actor};
    out.target = user_id{target};
    return out;
  }

  template <class Found>
  result<Found> ask(store_question asked) {
    auto found = answer_question(disk, preset_kinds(), asked);
    if (!found)
      return found.error();
    return std::get<Found>(*found);
  }

  history_question about(get_history_command wish,
                         std::vector<stay> known = {}) {
    return {home,           session,         now_at,
            millis{10'000}, std::move(wish), std::move(known)};
  }

  static std::string users(const history_reply& page) {
    std::string out;
    for (const auto& one : page.stays)
      out += one.user.str() + ' ';
    return out;
  }

  stay open(const std::string& user, revision_t rev, int from) {
    return {user_id{user}, {}, {5, rev}, millis{from}, std::nullopt};
  }
};

TEST_F(PastReader, StaysComeInPagesEitherWay) {
  for (int i = 1; i <= 5; ++i)
    put(
      {closed("u" + std::to_string(i), static_cast<revision_t>(i), i, i + 1)});
  std::vector<stay> known{open("u6", 6, 6)};
  for (bool newest : {false, true}) {
    get_history_command wish;
    wish.newest_first = newest;
    wish.limit = 2;
    std::string all;
    int pages = 0;
    do {
      auto page = ask<history_reply>(about(wish, known));
      ASSERT_TRUE(page) << page.error().message;
      all += users(*page);
      wish.after = page->next;
      ++pages;
    } while (!wish.after.empty());
    EXPECT_EQ(all, newest ? "u6 u5 u4 u3 u2 u1 " : "u1 u2 u3 u4 u5 u6 ");
    EXPECT_EQ(pages, 3);
  }
}

TEST_F(PastReader, TheSessionIsRightAboutItsOwn) {
  // Written between the question and its answer: the session said "open".
  put({closed("ada", 1, 10, 20), closed("bob", now_at.rev + 1, 30, 40)});
  auto page = ask<history_reply>(about({}, {open("ada", 1, 10)}));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->stays.size(), 1u) << "what began later is not yet";
  EXPECT_FALSE(page->stays[0].until);
}

TEST_F(PastReader, AWindowAndAUserNarrowIt) {
  put({closed("ada", 1, 10, 20), closed("bob", 2, 15, 30),
       closed("ada", 3, 40, 50)});
  get_history_command wish;
  wish.from = millis{20};
  wish.until = millis{40};
  EXPECT_EQ(users(*ask<history_reply>(about(wish))), "bob ");
  wish = {};
  wish.user = user_id{"ada"};
  EXPECT_EQ(users(*ask<history_reply>(about(wish))), "ada ada ");
}

TEST_F(PastReader, FiguresTimelinePeopleAndMoments) {
  put({closed("ada", 1, 1'000, 2'000), closed("bob", 2, 1'500, 3'000)});
  std::vector<stay> known{open("cyd", 3, 2'500)};
  get_history_command wish;
  wish.what = history_view::summary;
  wish.bucket = millis{1'000};
  auto figures = ask<history_reply>(about(wish, known));
  ASSERT_TRUE(figures);
  ASSERT_TRUE(figures->summary);
  EXPECT_EQ(figures->summary->unique, 3u);
  EXPECT_EQ(figures->summary->peak, 2u);
  EXPECT_EQ(figures->summary->from, millis{1'000}) << "the first who was here";
  EXPECT_EQ(figures->summary->timeline.size(), 10u);

  wish = {};
  wish.what = history_view::people;
  wish.limit = 2;
  auto people = ask<history_reply>(about(wish, known));
  ASSERT_EQ(people->people.size(), 2u);
  EXPECT_FALSE(people->next.empty());
  wish.after = people->next;
  people = ask<history_reply>(about(wish, known));
  ASSERT_EQ(people->people.size(), 1u);
  EXPECT_TRUE(people->people[0].here);
  EXPECT_TRUE(people->next.empty());

  wish = {};
  wish.what = history_view::here;
  wish.from = millis{1'999};
  EXPECT_EQ(users(*ask<history_reply>(about(wish, known))), "ada bob ");
  wish.from = millis{2'600};
  EXPECT_EQ(users(*ask<history_reply>(about(wish, known))), "bob cyd ");
}

TEST_F(PastReader, CursorsOfStrangersAreRefused) {
  for (const std::string after : {"!", "AAAA", "AA"}) {
    get_history_command wish;
    wish.after = after;
    auto refused = ask<history_reply>(about(wish));
    ASSERT_FALSE(refused) << after;
    EXPECT_EQ(refused.error().code, errc::bad_request);
    EXPECT_EQ(refused.error().field, "after");
    get_audit_command log;
    log.after = after;
    EXPECT_EQ(ask<audit_reply>(audit_question{home, session, millis{10}, log})
                .error()
                .field,
              "after");
  }
}

TEST_F(PastReader, AQuestionLooksAtABoundedPastAndSaysSo) {
  std::vector<record> batch;
  constexpr auto stays = limits::history_scan + 10;
  for (std::size_t i = 1; i <= stays; ++i)
    batch.emplace_back(closed("u" + std::to_string(i % 9),
                              static_cast<revision_t>(i), static_cast<int>(i),
                              static_cast<int>(i) + 1));
  put(batch);
  get_history_command wish;
  wish.what = history_view::summary;
  auto asked = about(wish);
  asked.at = {9, 0};
  asked.now = millis{1'000'000};
  auto found = ask<history_reply>(asked);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->summary->stays, limits::history_scan);
  EXPECT_EQ(found->covers_from, millis{11});
  // A page goes on behind it.
  wish = {};
  wish.user = user_id{"nobody"};
  asked.asked = wish;
  found = ask<history_reply>(asked);
  EXPECT_TRUE(found->stays.empty());
  ASSERT_FALSE(found->next.empty());
  asked.asked.after = found->next;
  EXPECT_TRUE(ask<history_reply>(asked)->next.empty());
}

TEST_F(PastReader, TheLogIsReadEitherWayAndFiltered) {
  put({entry(1, "join", "ada", "ada"), entry(2, "kick", "mod", "ada"),
       entry(3, "join", "bob", "bob"), entry(4, "leave", "bob", "bob")});
  auto read = [&](get_audit_command wish) {
    std::string out;
    do {
      auto page
        = ask<audit_reply>(audit_question{home, session, millis{10}, wish});
      EXPECT_TRUE(page);
      for (const auto& one : page->entries)
        out += one.action + std::to_string(one.at.rev) + ' ';
      wish.after = page->next;
    } while (!wish.after.empty());
    return out;
  };
  get_audit_command wish;
  wish.limit = 3;
  EXPECT_EQ(read(wish), "join1 kick2 join3 leave4 ");
  wish.newest_first = true;
  EXPECT_EQ(read(wish), "leave4 join3 kick2 join1 ");
  wish.user = user_id{"ada"};
  EXPECT_EQ(read(wish), "kick2 join1 ");
  wish.user = {};
  wish.action = "join";
  EXPECT_EQ(read(wish), "join3 join1 ");
  wish.from = millis{3};
  EXPECT_EQ(read(wish), "join3 ");
}

// -- listings ----------------------------------------------------------------

struct PastReaderListing : PastReader {
  PastReaderListing() {
    add("open-1", "stream", "ada");
    add("open-2", "stream", "bob");
    add("secret", "meeting", "bob");
    add("with-ada", "meeting", "bob");
    put({samples::member("ada", samples::session("with-ada")),
         samples::page(0, samples::session("open-2"), {"x", "y"}),
         occupied_mark{samples::session("open-2"), true}});
    auto gone = samples::plain_session(samples::session("gone"));
    gone.kind = "stream";
    gone.ended_at = deleted;
    put({gone});
    auto over = samples::plain_session(samples::session("over"));
    over.kind = "stream";
    over.ended_at = millis{5};
    put({over});
    add("theirs", "stream", "ada", "other");
  }

  void add(const std::string& id, const std::string& kind,
           const std::string& creator, const std::string& ns = "acme") {
    auto one = samples::plain_session(samples::session(id, ns));
    one.kind = kind;
    one.created_by = user_id{creator};
    put({one});
  }

  std::string list(const std::string& user, list_sessions_command wish = {},
                   capability_set grants = default_grants, millis now = {}) {
    list_question asked;
    asked.now = now;
    asked.ns = namespace_id{"acme"};
    asked.caller.user = user_id{user};
    asked.caller.grants = grants;
    wish.partition = home;
    asked.asked = wish;
    std::string out;
    do {
      auto page = ask<list_reply>(asked);
      EXPECT_TRUE(page);
      for (const auto& one : page->sessions)
        out += one.id.str() + ' ';
      asked.asked.after = page->reached.value_or(session_id{});
    } while (!asked.asked.after.empty());
    return out;
  }
};

TEST_F(PastReaderListing, ShowsWhatTheCallerMaySee) {
  EXPECT_EQ(list("ada"), "over open-1 open-2 with-ada ");
  EXPECT_EQ(list("bob"), "over open-1 open-2 secret with-ada ");
  EXPECT_EQ(list("eve"), "over open-1 open-2 ");
  EXPECT_EQ(list("eve", {}, {}), "") << "a token for one session alone";
  EXPECT_EQ(list("root", {}, {capability::admin}),
            "over open-1 open-2 secret with-ada ");
}

TEST_F(PastReaderListing, Filters) {
  list_sessions_command wish;
  wish.kind = "meeting";
  EXPECT_EQ(list("ada", wish), "with-ada ");
  wish = {};
  wish.mine = true;
  EXPECT_EQ(list("ada", wish), "over open-1 with-ada ");
  wish = {};
  wish.occupied = true;
  EXPECT_EQ(list("eve", wish), "open-2 ");
  wish.occupied = false;
  EXPECT_EQ(list("eve", wish), "over open-1 ");
  wish = {};
  wish.ended = true;
  EXPECT_EQ(list("eve", wish), "over ");
  wish = {};
  wish.upcoming = true;
  EXPECT_EQ(list("eve", wish), "");
  for (const auto* id : {"open-1", "over"}) {
    auto planned = samples::plain_session(samples::session(id));
    planned.kind = "stream";
    planned.starts_at = millis{10};
    if (id == std::string{"over"})
      planned.ended_at = millis{5};
    put({planned});
  }
  EXPECT_EQ(list("eve", wish), "open-1 ");
  EXPECT_EQ(list("eve", wish, default_grants, millis{10}), "");
}

TEST_F(PastReaderListing, PagesGoOnWhereTheyEnded) {
  list_sessions_command wish;
  wish.limit = 1;
  EXPECT_EQ(list("bob", wish), "over open-1 open-2 secret with-ada ");
}

TEST_F(PastReaderListing, GroupsStandApart) {
  std::string groups;
  for (const auto* id : {"g", "abcd", "wxyz", "long-name"}) {
    auto one = samples::group(id);
    one.key.ns = namespace_id{"acme"};
    put({one});
    groups += place_of_group(id).str() + ' ';
  }
  list_sessions_command wish;
  for (std::uint32_t limit : {1U, 2U, 100U}) {
    wish.limit = limit;
    wish.groups = false;
    EXPECT_EQ(list("ada", wish), "over open-1 open-2 with-ada ");
    wish.groups = true;
    EXPECT_EQ(list("ada", wish), groups);
    EXPECT_EQ(list("eve", wish), "");
  }
  EXPECT_EQ(list("root", wish, {capability::admin}), groups);
}

TEST_F(PastReaderListing, FindsTheSessionsOfAGroup) {
  auto one = samples::plain_session(samples::session("party"));
  one.overrides.access = access_mode::group;
  one.overrides.group = "film-club";
  put({one, samples::group()});
  auto other = one;
  other.key = samples::session("other");
  other.overrides.group = "knitting";
  auto old = one;
  old.key = samples::session("old");
  old.overrides.access = access_mode::open;
  auto going = one;
  going.key = samples::session("going");
  going.ended_at = deleted;
  put({other, old, going});
  auto found
    = ask<found_sessions>(group_question{home, one.key.ns, "film-club", {}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->sessions, std::vector{one.key});
  EXPECT_TRUE(found->next.empty());
  found = ask<found_sessions>(
    group_question{home, one.key.ns, "film-club", one.key.id});
  EXPECT_TRUE(found->sessions.empty());
}

TEST_F(PastReaderListing, SaysHowManyAreThere) {
  list_question asked;
  asked.ns = namespace_id{"acme"};
  asked.caller.user = user_id{"ada"};
  asked.caller.grants = default_grants;
  asked.asked.partition = home;
  auto page = ask<list_reply>(asked);
  ASSERT_TRUE(page);
  for (const auto& one : page->sessions) {
    EXPECT_EQ(one.present, one.id.str() == "open-2" ? 2u : 0u);
    EXPECT_EQ(one.members, one.id.str() == "with-ada" ? 1u : 0u);
    EXPECT_EQ(one.is_member, one.id.str() == "with-ada");
  }
}

// -- what is to be removed ---------------------------------------------------

TEST_F(PastReader, AUserIsFoundWhereverTheStoreSpeaksOfOne) {
  auto mine = samples::plain_session(samples::session("mine"));
  mine.created_by = user_id{"eve"};
  auto hosted = samples::plain_session(samples::session("hosted"));
  hosted.appointed_host = user_id{"eve"};
  auto words = entry(9, "transfer_host", "mod", "bob");
  words.after = "host=eve";
  auto another = entry(10, "set_member", "mod", "bob");
  another.after = "host=evelyn role=eve";
  auto reminded = samples::event();
  reminded.user = user_id{"eve"};
  auto banned = samples::ban("eve", samples::session("banned"));
  auto ban = samples::ban("bob", samples::session("ban"));
  ban.by = user_id{"eve"};
  put({mine, hosted, samples::plain_session(),
       samples::member("eve", samples::session("member")),
       samples::page(0, samples::session("page"), {"bob", "eve"}),
       closed("eve", 1, 1, 2), closed("bob", 2, 1, 2),
       entry(3, "kick", "eve", "bob"), entry(4, "kick", "bob", "eve"),
       entry(5, "kick", "bob", "cyd"), words, another, banned, ban,
       samples::ban("bob", samples::session("other")), samples::round(),
       samples::submission("eve"), samples::submission("bob"), reminded});
  applied_records aside{home,
                        {1, 9, epoch_generation_unit + 1},
                        {{keys::of_set_aside(home, session, "old"), "xx \xA3"
                                                                    "eve xx"}}};
  ASSERT_TRUE(disk.write({&aside, 1}));
  auto found = ask<found_keys>(
    user_question{home, namespace_id{"acme"}, user_id{"eve"}, {}});
  ASSERT_TRUE(found);
  EXPECT_EQ(
    found->sessions,
    (std::set{samples::session("mine"), samples::session("hosted"),
              samples::session("member"), samples::session("page"),
              samples::session("banned"), samples::session("ban"), session}));
  ASSERT_EQ(found->keys.size(), 1u);
  EXPECT_EQ(found->keys.at(session).size(), 7u);
  EXPECT_TRUE(found->next.empty());
  // Of another namespace nothing is said.
  found = ask<found_keys>(
    user_question{home, namespace_id{"other"}, user_id{"eve"}, {}});
  EXPECT_TRUE(found->keys.empty());
  EXPECT_TRUE(found->sessions.empty());
}

TEST_F(PastReader, AUserIsFoundInAnswersOfOthers) {
  put({samples::round(), samples::submission("bob")});
  user_question asked{home, namespace_id{"acme"}, user_id{"eve"}, {}};
  EXPECT_TRUE(ask<found_keys>(asked)->sessions.empty());
  asked.participant = participant_id{"kR2v0qG7mXy5hJ1cT9bLwA"};
  auto found = ask<found_keys>(asked);
  EXPECT_EQ(found->sessions, std::set{session});
  EXPECT_TRUE(found->keys.empty());
}

TEST_F(PastReader, AUserWhoseIdHasSpacesIsFoundInWords) {
  auto words = entry(9, "transfer_host", "mod", "bob");
  words.before = "host=eve_adams";
  put({words});
  auto found = ask<found_keys>(
    user_question{home, namespace_id{"acme"}, user_id{"eve adams"}, {}});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->keys.size(), 1u);
  found = ask<found_keys>(
    user_question{home, namespace_id{"acme"}, user_id{"adams"}, {}});
  EXPECT_TRUE(found->keys.empty());
}

TEST_F(PastReader, TheSearchForAUserGoesInSteps) {
  std::vector<record> batch;
  constexpr auto count = limits::sweep_step + 5;
  for (std::size_t i = 1; i <= count; ++i)
    batch.emplace_back(closed("eve", static_cast<revision_t>(i), 1, 2));
  put(batch);
  user_question asked{home, namespace_id{"acme"}, user_id{"eve"}, {}};
  auto first = ask<found_keys>(asked);
  EXPECT_EQ(first->keys.at(session).size(), limits::sweep_step);
  ASSERT_FALSE(first->next.empty());
  asked.after = first->next;
  auto second = ask<found_keys>(asked);
  EXPECT_EQ(second->keys.at(session).size(), 5u);
  EXPECT_TRUE(second->next.empty());
  asked.after = "AAAA";
  EXPECT_FALSE(ask<found_keys>(asked)) << "a cursor of another partition";
}

TEST_F(PastReader, HistoryAgesByKind) {
  auto meeting = samples::plain_session(samples::session("m"));
  auto stream = samples::plain_session(samples::session("s"));
  stream.kind = "stream";
  auto of = [&](const session_key& key, revision_t rev, int until) {
    auto out = closed("u", rev, 0, until);
    out.session = key;
    return out;
  };
  auto old_entry = entry(1, "join", "ada");
  old_entry.session = stream.key;
  put({meeting, stream, of(meeting.key, 1, 100), of(meeting.key, 2, 600),
       of(stream.key, 1, 100), of(stream.key, 2, 600), old_entry});
  aged_question asked{home, millis{1'000}, {millis{500}, {}}, {}};
  asked.kept.by_kind["meeting"] = millis{950};
  auto found = ask<found_keys>(asked);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->keys.size(), 1u);
  EXPECT_EQ(found->keys.at(stream.key).size(), 2u) << "a stay and an entry";
  asked.now = millis{1'050};
  found = ask<found_keys>(asked);
  EXPECT_EQ(found->keys.at(meeting.key).size(), 1u) << "to the millisecond";
  EXPECT_TRUE(found->next.empty());
}

TEST_F(PastReader, ASweepGoesInStepsToItsEnd) {
  std::vector<record> batch;
  std::size_t old = 0;
  for (int s = 0; s < 40; ++s) {
    auto key = samples::session("s" + std::to_string(s));
    for (int i = 1; i <= 300; ++i) {
      auto one = closed("u", static_cast<revision_t>(i), 0, i);
      one.session = key;
      old += i <= 200 ? 1 : 0;
      batch.emplace_back(one);
    }
  }
  put(batch);
  aged_question asked{home, millis{1'000}, {millis{800}, {}}, {}};
  std::size_t found = 0;
  int steps = 0;
  do {
    auto step = ask<found_keys>(asked);
    ASSERT_TRUE(step);
    std::size_t here = 0;
    applied_records gone{home, {1, 9, epoch_generation_unit + 1}, {}};
    for (const auto& [key, all] : step->keys)
      for (const auto& one : all) {
        gone.records.push_back({one, std::nullopt});
        ++here;
      }
    EXPECT_LE(here, limits::sweep_step);
    ASSERT_TRUE(disk.write({&gone, 1}));
    found += here;
    asked.after = step->next;
    ++steps;
  } while (!asked.after.empty());
  EXPECT_EQ(found, old);
  EXPECT_GE(steps, 2);
  EXPECT_TRUE(ask<found_keys>(asked)->keys.empty());
}

// -- activation --------------------------------------------------------------

TEST_F(PastReader, ActivationLooksAtTheNewestStaysOnly) {
  std::vector<record> batch;
  constexpr auto count = limits::departed_scan + 100;
  for (std::size_t i = 1; i <= count; ++i) {
    auto one = closed(i <= 100 ? "old" : "u" + std::to_string(i % 3),
                      static_cast<revision_t>(i), 1, 2);
    one.reconnections = static_cast<std::uint32_t>(i / 4);
    batch.emplace_back(one);
  }
  put(batch);
  auto read = read_session(disk, home, session);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->departed.size(), 3u) << "one whose last stay is far back is "
                                          "forgotten";
  for (const auto& [user, visits] : read->departed)
    EXPECT_GE(visits, count / 4) << user.str() << ": its newest stay knows";
}

} // namespace

} // namespace rollcall
