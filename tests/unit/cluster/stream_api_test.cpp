// Answers as nats-server 2.9.10 gives them.

#include "cluster/stream_api.hpp"

#include <gtest/gtest.h>

using namespace rollcall;
using namespace rollcall::cluster;

TEST(StreamApi, ReadsPublishAnswers) {
  auto good = parse_publish_answer(R"({"stream":"RC_c_000", "seq":2})");
  EXPECT_EQ(good.error, 0);
  EXPECT_EQ(good.sequence, 2u);
  EXPECT_FALSE(good.duplicate);
  auto again = parse_publish_answer(
    R"({"stream":"RC_c_000", "seq":2,"duplicate": true})");
  EXPECT_EQ(again.sequence, 2u);
  EXPECT_TRUE(again.duplicate);
  auto fenced = parse_publish_answer(
    R"({"error":{"code":400,"err_code":10071,"description":)"
    R"("wrong last sequence: 2"},"stream":"RC_c_000","seq":0})");
  EXPECT_EQ(fenced.error, stream_error::wrong_last_sequence);
  EXPECT_EQ(fenced.last_sequence, 2u);
  EXPECT_EQ(fenced.description, "wrong last sequence: 2");
}

TEST(StreamApi, WhatIsNoAnswerIsAnError) {
  for (const char* bad :
       {"", "x", "[]", "{}", R"({"seq":-1})", R"({"seq":"1"})",
        R"({"error":{}})", R"({"error":{"err_code":"x"}})"}) {
    EXPECT_EQ(parse_publish_answer(bad).error, -1) << bad;
    EXPECT_EQ(parse_message_answer(bad).error, -1) << bad;
    EXPECT_EQ(parse_consumer_answer(bad).error, -1) << bad;
  }
  EXPECT_EQ(parse_info_answer("").error, -1);
}

TEST(StreamApi, ReadsMessagesWithAnyBytes) {
  auto got = parse_message_answer(
    R"({"message":{"subject":"rcj.c.000.e","seq":1,"data":"+/8AeA==",)"
    R"("time":"2026-11-21T15:38:19.773954812Z"}})");
  EXPECT_EQ(got.error, 0);
  EXPECT_EQ(got.subject, "rcj.c.000.e");
  EXPECT_EQ(got.sequence, 1u);
  EXPECT_EQ(got.data, (std::string{'\xFB', '\xFF', '\0', 'x'}));
  auto none = parse_message_answer(
    R"({"error":{"code":404,"err_code":10037,"description":"no message found"}})");
  EXPECT_EQ(none.error, stream_error::message_not_found);
  EXPECT_EQ(parse_message_answer(R"({"message":{"seq":1,"data":"*"}})").error,
            -1);
}

TEST(StreamApi, ReadsWhatAStreamIs) {
  auto got = parse_info_answer(
    R"({"config":{"name":"RC_c_000","description":"d","max_msgs_per_subject":1,)"
    R"("discard":"new","deny_purge":true},"state":{"last_seq":7},)"
    R"("cluster":{"name":"c","leader":"n2"}})");
  EXPECT_EQ(got.error, 0);
  EXPECT_EQ(got.leader, "n2");
  EXPECT_EQ(got.marker, "d");
  EXPECT_EQ(got.messages_per_subject, 1);
  EXPECT_EQ(got.discard, "new");
  EXPECT_TRUE(got.deny_purge);
  EXPECT_EQ(got.last_sequence, 7u);
}

TEST(StreamApi, AsksForAStreamThatKeepsItsPromises) {
  auto text = create_stream_request(
    {"RC_c_000", "rcj.c.000.>", "quo\"ted", 3, 1'000, 2'000});
  for (const char* part :
       {R"("name":"RC_c_000")", R"("subjects":["rcj.c.000.>"])",
        R"("description":"quo\"ted")", R"("num_replicas":3)",
        R"("max_msgs_per_subject":1)", R"("max_bytes":1000)",
        R"("max_msg_size":2000)", R"("storage":"file")", R"("discard":"new")",
        R"("duplicate_window":30000000000)", R"("deny_purge":true)"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_EQ(message_at_request(7), R"({"seq":7})");
  EXPECT_EQ(last_message_request("a.b"), R"({"last_by_subj":"a.b"})");
}

TEST(StreamApi, ReadsNamesAndDoubtsThatThereAreNone) {
  EXPECT_EQ(stream_names_request("a.>"), R"({"subject":"a.>"})");
  auto some = parse_names_answer(
    R"({"total":2,"offset":0,"limit":1024,"streams":["RC_t_1","RC_t_2"]})");
  EXPECT_EQ(some.error, 0);
  EXPECT_EQ(some.names, (std::vector<std::string>{"RC_t_1", "RC_t_2"}));
  auto none = parse_names_answer(R"({"total":0,"streams":null})");
  EXPECT_EQ(none.error, 0);
  EXPECT_TRUE(none.names.empty());
  for (const char* doubtful :
       {R"({"streams":null})", R"({"total":2,"streams":null})",
        R"({"total":2,"streams":["a"]})", R"({})", "", "[]",
        R"({"error":{"code":503,"err_code":10008,"description":"later"}})"})
    EXPECT_NE(parse_names_answer(doubtful).error, 0) << doubtful;
}
