#include "persistence/record_reader.hpp"

#include "actors/base/limits.hpp"
#include "persistence/record_format.hpp"

#include <msgpack.hpp>

#include <exception>

namespace rollcall {

namespace {

using msgpack::type::object_type;

// More than a sound record remembers: `verify` must be able to read, and
// `repair` to trim, what a fault has let grow.
constexpr std::size_t ops_most = 4 * limits::op_ids_per_record;

const msgpack::object& object_at(const void* item) {
  return *static_cast<const msgpack::object*>(item);
}

failure refuse(const char* message, const char* field) {
  return fail(errc::internal, message, field);
}

} // namespace

record_reader record_reader::tuple(std::size_t size, std::size_t later,
                                   const char* field) {
  auto out = list(size + later, field);
  if (out.left_ < size)
    out.wrong("an array has the wrong length", field);
  return out;
}

record_reader record_reader::list(std::size_t most, const char* field) {
  const auto* item = take(object_type::ARRAY, field);
  if (!item)
    return {nullptr, 0, bad_};
  const auto& array = object_at(item).via.array;
  if (array.size > most) {
    wrong("an array is over its bound", field);
    return {nullptr, 0, bad_};
  }
  return {array.ptr, array.size, bad_};
}

std::uint64_t record_reader::whole(std::uint64_t most, const char* field) {
  const auto* item = take(object_type::POSITIVE_INTEGER, field);
  if (item && object_at(item).via.u64 > most)
    wrong("a number is out of range", field);
  return item && !bad_ ? object_at(item).via.u64 : 0;
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::answer_depth.
datum record_reader::tree(const char* field, std::size_t depth) {
  datum out;
  if (depth > limits::answer_depth) {
    wrong("a tree is too deep", field);
  } else if (next_is(object_type::ARRAY)) {
    auto items = list(limits::answer_bytes, field);
    auto& all = out.what.emplace<datum::list>();
    while (items.left() > 0)
      all.push_back(items.tree(field, depth + 1));
  } else if (next_is(object_type::MAP)) {
    out.what = members(field, depth);
  } else if (next_is(object_type::STR)) {
    out.what = text(limits::answer_bytes, field);
  } else if (next_is(object_type::BOOLEAN)) {
    out.what = flag(field);
  } else if (next_is(object_type::POSITIVE_INTEGER)
             || next_is(object_type::NEGATIVE_INTEGER)) {
    out.what = std::int64_t{time(field).count()};
  } else {
    out.what = real(field);
  }
  return out;
}

double record_reader::real(const char* field) {
  const auto* item = take(object_type::FLOAT64, field);
  return item ? object_at(item).via.f64 : 0;
}

bool record_reader::flag(const char* field) {
  const auto* item = take(object_type::BOOLEAN, field);
  return item && object_at(item).via.boolean;
}

millis record_reader::time(const char* field) {
  if (next_is(object_type::NEGATIVE_INTEGER))
    return millis{
      object_at(take(object_type::NEGATIVE_INTEGER, field)).via.i64};
  return millis{number<std::int64_t>(field)};
}

std::string record_reader::text(std::size_t most, const char* field) {
  const auto* item = take(object_type::STR, field);
  if (!item)
    return {};
  const auto& str = object_at(item).via.str;
  if (str.size > most) {
    wrong("a text is over its bound", field);
    return {};
  }
  return {str.ptr, str.size};
}

version record_reader::at(const char* field) {
  auto pair = tuple(2, field);
  auto epoch = pair.number<std::uint64_t>(field);
  return {epoch, pair.number<std::uint64_t>(field)};
}

op_memory record_reader::ops() {
  op_memory out;
  auto entries = list(ops_most, "ops");
  while (entries.left() > 0) {
    auto entry = entries.tuple(3, 1, "ops");
    auto op = op_id{entry.text(limits::op_id_bytes, "op")};
    auto epoch = entry.number<std::uint64_t>("ops");
    out.push_back({op, {epoch, entry.number<std::uint64_t>("ops")}});
    if (entry.left() > 0)
      out.back().about = entry.number<std::uint64_t>("ops");
  }
  return out;
}

profile record_reader::who() {
  auto name = text(limits::profile_field_bytes, "name");
  return {name, text(limits::profile_field_bytes, "email")};
}

void record_reader::more(profile& value) {
  if (left() == 0)
    return;
  auto pairs = list(2 * limits::profile_fields, "profile");
  while (pairs.left() > 0) {
    auto key = pairs.text(limits::name_bytes, "profile");
    value.more[key] = pairs.text(limits::profile_more_bytes, "profile");
  }
}

void record_reader::wrong(const char* message, const char* field) {
  if (!bad_)
    bad_ = refuse(message, field);
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::answer_depth.
datum::fields record_reader::members(const char* field, std::size_t depth) {
  datum::fields out;
  const auto* item = take(object_type::MAP, field);
  if (item == nullptr)
    return out;
  const auto& map = object_at(item).via.map;
  for (std::uint32_t i = 0; i < map.size && !bad_; ++i) {
    const auto& each = map.ptr[i];
    auto name = record_reader{&each.key, 1, bad_}.text(limits::id_bytes, field);
    out.emplace_back(std::move(name),
                     record_reader{&each.val, 1, bad_}.tree(field, depth + 1));
  }
  return out;
}

bool record_reader::take_nil() {
  return next_is(object_type::NIL) && take(object_type::NIL, "") != nullptr;
}

bool record_reader::next_is(int type) const noexcept {
  return left() > 0 && object_at(next_).type == type;
}

const void* record_reader::take(int type, const char* field) {
  if (bad_)
    return nullptr;
  if (left_ == 0) {
    wrong("a field is missing", field);
    return nullptr;
  }
  if (object_at(next_).type != type) {
    wrong("a field has the wrong type", field);
    return nullptr;
  }
  --left_;
  const auto* item = static_cast<const msgpack::object*>(next_);
  next_ = item + 1;
  return item;
}

result<done> read_fields(std::string_view value, table kind,
                         const std::function<void(record_reader&)>& read) {
  constexpr std::size_t items_most
    = limits::page_participants * limits::connections_per_participant;
  if (value.size() > limits::record_bytes)
    return refuse("a stored value is over its bound", "record");
  try {
    // Lists, maps, texts, bytes, extensions, depth.
    const msgpack::unpack_limit bounds{
      items_most, limits::answer_bytes, limits::record_bytes, 0, 0, 16};
    std::size_t used = 0;
    auto handle = msgpack::unpack(value.data(), value.size(), used, nullptr,
                                  nullptr, bounds);
    if (used != value.size())
      return refuse("a stored value has trailing bytes", "record");
    record_reader::fault bad;
    record_reader whole{&handle.get(), 1, bad};
    auto fields = whole.list(items_most, "record");
    auto version = fields.number<std::uint32_t>("version");
    if (!bad && (version == 0 || version > record_version))
      return refuse("a stored value is of a version this build cannot read",
                    "version");
    if (fields.number<std::uint8_t>("kind") != static_cast<std::uint8_t>(kind))
      fields.wrong("a stored value is of another kind than its key", "kind");
    read(fields);
    if (fields.left() > 0)
      fields.wrong("a stored value has more fields than it should", "record");
    if (bad)
      return *bad;
    return done{};
  } catch (const std::exception&) {
    // What msgpack throws says nothing about our fields.
    return refuse("a stored value is not msgpack within bounds", "record");
  }
}

} // namespace rollcall
