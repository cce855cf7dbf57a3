#include "actors/base/errors.hpp"

#include <gtest/gtest.h>

#include <map>

namespace rollcall {
namespace {

// The numbers and names of docs/protocol.md: these must never change.
const std::map<int, std::string_view> wire = {
  {1, "bad_request"},    {2, "unauthenticated"},
  {3, "token_expired"},  {4, "forbidden"},
  {5, "not_found"},      {6, "not_invited"},
  {7, "banned"},         {8, "session_full"},
  {9, "session_locked"}, {10, "session_ended"},
  {11, "conflict"},      {12, "rate_limited"},
  {13, "too_large"},     {14, "unavailable"},
  {15, "internal"},      {16, "precondition_failed"},
};

TEST(Errors, KeepsNumbersAndNamesOfTheProtocol) {
  for (const auto& [number, name] : wire) {
    EXPECT_EQ(to_string(static_cast<errc>(number)), name);
    EXPECT_EQ(parse_errc(name), static_cast<errc>(number));
  }
}

TEST(Errors, HasNoOtherNames) {
  for (std::string_view name : {"", "none", "Bad_request", "bad_request "})
    EXPECT_EQ(parse_errc(name), std::nullopt) << name;
  EXPECT_EQ(to_string(static_cast<errc>(200)), "internal");
}

TEST(Errors, AdvisesARetryOnlyWhereItMayHelp) {
  for (const auto& [number, name] : wire)
    EXPECT_EQ(is_retryable(static_cast<errc>(number)),
              name == "rate_limited" || name == "unavailable"
                || name == "token_expired")
      << name;
}

TEST(Result, HoldsAValueOrAFailure) {
  result<std::string> good = std::string{"x"};
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good->size(), 1U);
  EXPECT_EQ(std::move(good).value(), "x");
  result<std::string> bad = fail(errc::conflict, "why", "op_id");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, errc::conflict);
  EXPECT_EQ(bad.error().field, "op_id");
  EXPECT_EQ(bad.error().retry_after, std::nullopt);
}

} // namespace
} // namespace rollcall
