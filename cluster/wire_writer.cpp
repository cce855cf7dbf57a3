#include "cluster/wire_writer.hpp"

#include "actors/base/limits.hpp"

#include <msgpack.hpp>

#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace rollcall::cluster::wire {

namespace {

struct byte_sink {
  std::string& bytes;

  void write(const char* data, std::size_t size) {
    bytes.append(data, size);
  }
};

msgpack::packer<byte_sink> packer(byte_sink& sink) {
  return msgpack::packer<byte_sink>{sink};
}

} // namespace

std::size_t writer::open(std::size_t fields, const char* field) {
  list(fields, fields, field);
  return 0;
}

void writer::list(std::size_t size, std::size_t most, const char* field) {
  if (size > most)
    return refuse(errc::too_large, "a list is over its bound", field);
  byte_sink sink{bytes_};
  packer(sink).pack_array(static_cast<std::uint32_t>(size));
}

void writer::table(std::size_t size, std::size_t most, const char* field) {
  if (size > most)
    return refuse(errc::too_large, "a map is over its bound", field);
  byte_sink sink{bytes_};
  packer(sink).pack_map(static_cast<std::uint32_t>(size));
}

void writer::nil() {
  byte_sink sink{bytes_};
  packer(sink).pack_nil();
}

void writer::natural(std::uint64_t value) {
  byte_sink sink{bytes_};
  packer(sink).pack_uint64(value);
}

void writer::integer(std::int64_t value) {
  byte_sink sink{bytes_};
  packer(sink).pack_int64(value);
}

void writer::flag(bool value, const char*) {
  byte_sink sink{bytes_};
  auto out = packer(sink);
  value ? out.pack_true() : out.pack_false();
}

void writer::real(double value, const char* field) {
  if (!std::isfinite(value))
    return refuse(errc::internal, "a number is not finite", field);
  // The packer would make an integer of a whole one: by hand, float 64.
  auto bits = std::bit_cast<std::uint64_t>(value);
  bytes_ += '\xCB';
  for (unsigned shift = 64; shift > 0; shift -= 8)
    bytes_ += static_cast<char>(bits >> (shift - 8) & 0xFFU);
}

void writer::text(std::string_view value, std::size_t most, const char* field) {
  if (value.size() > most)
    return refuse(errc::too_large, "a text is over its bound", field);
  if (!is_utf8(value))
    return refuse(errc::internal, "a text is not UTF-8", field);
  // Only texts can make a message large before the lists they are in end.
  if (bytes_.size() + value.size() > limits::node_message_bytes)
    return refuse(errc::too_large, "the message is over its bound", "message");
  byte_sink sink{bytes_};
  auto out = packer(sink);
  out.pack_str(static_cast<std::uint32_t>(value.size()));
  out.pack_str_body(value.data(), static_cast<std::uint32_t>(value.size()));
}

void writer::bytes(std::string_view value) {
  byte_sink sink{bytes_};
  auto out = packer(sink);
  out.pack_bin(static_cast<std::uint32_t>(value.size()));
  out.pack_bin_body(value.data(), static_cast<std::uint32_t>(value.size()));
}

void writer::time(millis value, const char*) {
  integer(value.count());
}

void writer::deadline(millis value, const char*) {
  using range = std::numeric_limits<std::int64_t>;
  auto at = value.count();
  auto now = now_.count();
  if (value == never)
    return integer(range::max());
  if (now < 0 && at > range::max() + now)
    return integer(range::max());
  if (now > 0 && at < range::min() + now)
    return integer(range::min());
  integer(at - now);
}

void writer::refuse(errc code, const char* message, const char* field) {
  if (!fault_)
    fault_ = fail(code, message, field);
}

result<std::string> writer::finish() {
  if (bytes_.size() > limits::node_message_bytes)
    refuse(errc::too_large, "the message is over its bound", "message");
  if (fault_)
    return *std::move(fault_);
  return std::move(bytes_);
}

} // namespace rollcall::cluster::wire
