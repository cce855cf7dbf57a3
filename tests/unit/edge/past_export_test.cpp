#include "edge/past/export.hpp"

#include <gtest/gtest.h>

namespace rollcall::edge {

namespace {

history_reply two_stays() {
  history_reply out;
  out.stays
    = {{user_id{"ada"},
        participant_id{"p1"},
        {5, 2},
        millis{10},
        millis{20},
        leave_reason::timeout,
        3},
       {user_id{"=1+2,\"x\""}, participant_id{"p2"}, {5, 3}, millis{11}}};
  return out;
}

TEST(HistoryExport, StaysAsCsv) {
  EXPECT_EQ(export_page(export_format::csv, two_stays(), true),
            "user,participant_id,epoch,rev,from,until,reason,reconnections\r\n"
            "ada,p1,5,2,10,20,timeout,3\r\n"
            "\"'=1+2,\"\"x\"\"\",p2,5,3,11,,,\r\n")
    << "no cell is a formula, none breaks its line";
  EXPECT_FALSE(
    export_page(export_format::csv, two_stays(), false).starts_with("user"))
    << "the columns are named once";
}

TEST(HistoryExport, StaysAsLinesOfJson) {
  auto text = export_page(export_format::ndjson, two_stays(), true);
  EXPECT_EQ(text,
            R"({"user":"ada","participant_id":"p1","joined":[5,2],"from":10,)"
            R"("until":20,"reason":"timeout","reconnections":3})"
            "\n"
            R"({"user":"=1+2,\"x\"","participant_id":"p2","joined":[5,3],)"
            R"("from":11})"
            "\n");
}

TEST(HistoryExport, PeopleAndTimelines) {
  history_reply people;
  people.what = history_view::people;
  people.people = {{user_id{"ada"}, participant_id{"p"}, millis{1}, millis{9},
                    millis{8}, 2, 1, true}};
  EXPECT_EQ(export_page(export_format::csv, people, false),
            "ada,p,1,9,8,2,1,1\r\n");
  history_reply figures;
  figures.what = history_view::summary;
  figures.summary.emplace();
  figures.summary->timeline = {{millis{5}, 1, 2, 3, 4, 5}};
  EXPECT_EQ(export_page(export_format::csv, figures, true),
            "at,present,peak,joins,leaves,unique\r\n5,1,2,3,4,5\r\n");
  EXPECT_EQ(export_page(export_format::ndjson, figures, true),
            R"({"at":5,"present":1,"peak":2,"joins":3,"leaves":4,"unique":5})"
            "\n");
}

TEST(HistoryExport, TheAuditLog) {
  audit_reply page;
  audit_record one;
  one.at = {5, 2};
  one.when = millis{7};
  one.action = "kick";
  one.actor = user_id{"mod"};
  one.target = user_id{"line\nbreak"};
  one.before = "role=a";
  page.entries = {one};
  EXPECT_EQ(export_page(export_format::csv, page, true),
            "epoch,rev,when,action,actor,target,request,before,after\r\n"
            "5,2,7,kick,mod,\"line\nbreak\",,role=a,\r\n");
  EXPECT_EQ(export_page(export_format::ndjson, page, false),
            R"({"at":[5,2],"when":7,"action":"kick","actor":"mod",)"
            R"("target":"line\nbreak","before":"role=a"})"
            "\n");
}

TEST(HistoryExport, AnEmptyPageIsAFileAllTheSame) {
  history_reply none;
  EXPECT_EQ(export_page(export_format::ndjson, none, true), "");
  EXPECT_TRUE(export_page(export_format::csv, none, true).ends_with("\r\n"));
}

} // namespace

} // namespace rollcall::edge
