#include "persistence/record_writer.hpp"

#include "actors/base/limits.hpp"
#include "persistence/float64.hpp"
#include "persistence/record_format.hpp"

#include <msgpack.hpp>

#include <utility>

namespace rollcall {

namespace {

// What msgpack writes to.
struct appender {
  std::string& bytes;

  void write(const char* data, std::size_t size) {
    bytes.append(data, size);
  }
};

// Packs one thing behind `bytes`.
template <class Pack>
void pack(std::string& bytes, Pack with) {
  appender out{bytes};
  msgpack::packer<appender> packer{out};
  with(packer);
}

} // namespace

record_writer::record_writer(table kind, std::uint32_t fields) {
  bytes_.reserve(256);
  array(fields + 2);
  number(record_version);
  number(static_cast<std::uint8_t>(kind));
}

void record_writer::map(std::size_t size) {
  pack(bytes_, [&](auto& out) { out.pack_map(static_cast<uint32_t>(size)); });
}

void record_writer::array(std::size_t size) {
  pack(bytes_, [&](auto& out) { out.pack_array(static_cast<uint32_t>(size)); });
}

void record_writer::flag(bool value) {
  pack(bytes_, [&](auto& out) { out.pack(value); });
}

void record_writer::below_zero_too(std::int64_t value) {
  pack(bytes_, [&](auto& out) { out.pack_int64(value); });
}

void record_writer::whole(std::uint64_t value) {
  pack(bytes_, [&](auto& out) { out.pack_uint64(value); });
}

void record_writer::real(double value) {
  auto bytes = float64_bytes(value);
  bytes_.append(bytes.data(), bytes.size());
}

void record_writer::nil() {
  pack(bytes_, [](auto& out) { out.pack_nil(); });
}

void record_writer::text(const std::string& value, std::size_t most,
                         const char* field) {
  bound(value.size(), most, field);
  pack(bytes_, [&](auto& out) { out.pack(value); });
}

void record_writer::at(version value) {
  array(2);
  number(value.epoch);
  number(value.rev);
}

void record_writer::ops(const op_memory& memory) {
  bound(memory.size(), limits::op_ids_per_record, "ops");
  array(memory.size());
  for (const auto& entry : memory) {
    // Before digests there were three.
    array(entry.about == 0 ? 3 : 4);
    text(entry.op.str(), limits::op_id_bytes, "op");
    number(entry.at.epoch);
    number(entry.at.rev);
    if (entry.about != 0)
      number(entry.about);
  }
}

void record_writer::who(const profile& value) {
  text(value.name, limits::profile_field_bytes, "name");
  text(value.email, limits::profile_field_bytes, "email");
}

void record_writer::more(const profile& value) {
  bound(value.more.size(), limits::profile_fields, "profile");
  array(2 * value.more.size());
  for (const auto& [key, content] : value.more) {
    text(key, limits::name_bytes, "profile");
    text(content, limits::profile_more_bytes, "profile");
  }
}

void record_writer::bound(std::size_t size, std::size_t most,
                          const char* field) {
  if (size > most && !over_)
    over_ = field;
}

result<std::string> record_writer::finish() {
  bound(bytes_.size(), limits::record_bytes, "record");
  if (over_)
    return fail(errc::too_large, "a record is over its bound", over_);
  return std::move(bytes_);
}

} // namespace rollcall
