#include "persistence/layout.hpp"

#include "actors/base/limits.hpp"
#include "persistence/key_schema.hpp"
#include "persistence/record_format.hpp"

#include <string>

namespace rollcall {

namespace {

/// Stores from before the count was kept: every start claimed every
/// partition, so each that existed has a checkpoint. A first start that was
/// cut short has claims in some and data in none.
result<std::uint32_t> infer(store& at, std::uint32_t partitions) {
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
  return !used && made_with <= partitions ? partitions : made_with;
}

} // namespace

result<done> check_partition_count(store& at, std::uint32_t partitions) {
  auto kept = at.get(keys::of_layout());
  if (!kept)
    return kept.error();
  auto made_with = *kept ? decode_layout(**kept) : infer(at, partitions);
  if (!made_with)
    return made_with.error();
  if (*made_with != partitions)
    return fail(errc::conflict,
                "the store was made with " + std::to_string(*made_with)
                  + " partitions; set engine.partitions to that",
                "engine.partitions");
  if (*kept)
    return done{};
  applied_records mark{
    store_wide, {}, {{keys::of_layout(), encode_layout(partitions)}}};
  return at.write({&mark, 1});
}

result<std::vector<std::string>> read_nodes(store& at) {
  auto kept = at.get(keys::of_nodes());
  if (!kept)
    return kept.error();
  return *kept ? decode_nodes(**kept)
               : result<std::vector<std::string>>{std::vector<std::string>{}};
}

result<done> write_nodes(store& at, const std::vector<std::string>& names) {
  applied_records mark{
    store_wide, {}, {{keys::of_nodes(), encode_nodes(names)}}};
  return at.write({&mark, 1});
}

} // namespace rollcall
