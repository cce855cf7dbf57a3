#pragma once

// A store in memory, and what is put into it as its journal would.

#include "persistence/memory_store.hpp"
#include "persistence/record_format.hpp"
#include "unit/persistence/sample_records.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace rollcall {

struct store_world : testing::Test {
  static constexpr partition_id home = 3;

  memory_store disk;
  session_key session = samples::session();

  void put(const std::vector<record>& values) {
    applied_records group{home, {1, 9, epoch_generation_unit + 1}, {}};
    for (const auto& value : values)
      group.records.push_back(encode(value, home)->at(0));
    ASSERT_TRUE(disk.write({&group, 1}));
  }
};

} // namespace rollcall
