#include "persistence/layout.hpp"

#include "actors/base/limits.hpp"

#include <string>

namespace rollcall {

result<done> check_partition_count(store& at, std::uint32_t partitions) {
  // Every start claims every partition, so each that exists has a checkpoint.
  // A first start that was cut short has claims in some and data in none.
  std::uint32_t made_with = 0;
  bool used = false;
  for (partition_id p = 0; p < limits::partitions_max; ++p) {
    auto where = at.where(p);
    if (!where)
      return where.error();
    if (where->epoch == 0)
      continue;
    made_with = p + 1;
    used = used || where->position > 1;
  }
  if (made_with == partitions || (!used && made_with <= partitions))
    return done{};
  return fail(errc::conflict,
              "the store was made with " + std::to_string(made_with)
                + " partitions; set engine.partitions to that",
              "engine.partitions");
}

} // namespace rollcall
