#include "cluster/wire_reader.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace rollcall::cluster::wire {

namespace {

using range = std::numeric_limits<std::int64_t>;

std::int64_t as_signed(std::uint64_t bits) {
  return std::bit_cast<std::int64_t>(bits);
}

std::uint64_t extended(std::uint64_t bits, std::size_t size) {
  auto shift = 64 - 8 * size;
  return std::bit_cast<std::uint64_t>(as_signed(bits << shift)
                                      >> static_cast<int>(shift));
}

shape shape_of(unsigned char first) {
  if (first <= 0x7F || (first >= 0xCC && first <= 0xCF))
    return shape::natural;
  if (first <= 0x8F || first == 0xDE || first == 0xDF)
    return shape::table;
  if (first <= 0x9F || first == 0xDC || first == 0xDD)
    return shape::list;
  if (first <= 0xBF || (first >= 0xD9 && first <= 0xDB))
    return shape::text;
  if (first >= 0xE0 || (first >= 0xD0 && first <= 0xD3))
    return shape::negative;
  switch (first) {
  case 0xC0:
    return shape::nil;
  case 0xC1:
    return shape::none;
  case 0xC2:
  case 0xC3:
    return shape::flag;
  case 0xC4:
  case 0xC5:
  case 0xC6:
    return shape::bytes;
  case 0xCA:
  case 0xCB:
    return shape::real;
  default:
    return shape::extension;
  }
}

} // namespace

std::uint64_t reader::big_endian(std::size_t size) {
  if (size > left()) {
    refuse(errc::bad_request, "ends too early", "message");
    return 0;
  }
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < size; ++i)
    out = out << 8U | static_cast<unsigned char>(bytes_[at_ + i]);
  at_ += size;
  return out;
}

reader::head reader::sized(shape is, std::size_t size_bytes) {
  return {is, big_endian(size_bytes)};
}

reader::head reader::take() {
  auto first = static_cast<unsigned char>(big_endian(1));
  if (!ok())
    return {};
  auto is = shape_of(first);
  switch (is) {
  case shape::natural:
    return first <= 0x7F ? head{is, first}
                         : sized(is, std::size_t{1} << (first - 0xCCU));
  case shape::negative: {
    if (first >= 0xE0)
      return {is, extended(first, 1)};
    auto size = std::size_t{1} << (first - 0xD0U);
    auto bits = extended(big_endian(size), size);
    // Signed formats may hold natural numbers, too.
    return {as_signed(bits) < 0 ? is : shape::natural, bits};
  }
  case shape::flag:
    return {is, first == 0xC3 ? 1U : 0U};
  case shape::real: {
    if (first == 0xCB)
      return sized(is, 8);
    auto narrow = static_cast<std::uint32_t>(big_endian(4));
    return {is, std::bit_cast<std::uint64_t>(
                  static_cast<double>(std::bit_cast<float>(narrow)))};
  }
  case shape::text:
    return first <= 0xBF ? head{is, first & 0x1FU}
                         : sized(is, std::size_t{1} << (first - 0xD9U));
  case shape::bytes:
    return sized(is, std::size_t{1} << (first - 0xC4U));
  case shape::list:
    return first <= 0x9F ? head{is, first & 0x0FU}
                         : sized(is, first == 0xDC ? 2 : 4);
  case shape::table:
    return first <= 0x8F ? head{is, first & 0x0FU}
                         : sized(is, first == 0xDE ? 2 : 4);
  case shape::extension: {
    // One byte more: the extension's type.
    auto size = first >= 0xD4 ? std::uint64_t{1} << (first - 0xD4U)
                              : big_endian(std::size_t{1} << (first - 0xC7U));
    return {is, size + 1};
  }
  case shape::nil:
    return {is, 0};
  case shape::none:
    break;
  }
  refuse(errc::bad_request, "is not msgpack", "message");
  return {};
}

std::optional<std::uint64_t> reader::expect(shape wanted, const char* field) {
  if (!ok())
    return std::nullopt;
  auto got = take();
  if (ok() && got.is != wanted)
    refuse(errc::bad_request, "has the wrong type", field);
  return ok() ? std::optional{got.value} : std::nullopt;
}

std::size_t reader::items(shape wanted, std::size_t most, const char* field) {
  auto size = expect(wanted, field).value_or(0);
  // Each item is a byte at least.
  if (size > most || size > left())
    refuse(errc::bad_request, "has more items than it may", field);
  return ok() ? static_cast<std::size_t>(size) : 0;
}

std::size_t reader::open(std::size_t fields, const char* field) {
  auto size = items(shape::list, left(), field);
  if (ok() && size < fields)
    refuse(errc::bad_request, "lacks fields", field);
  return ok() ? size - fields : 0;
}

void reader::close(std::size_t unknown) {
  for (; unknown > 0 && ok(); --unknown)
    skip();
}

std::size_t reader::list(std::size_t most, const char* field) {
  return items(shape::list, most, field);
}

std::size_t reader::table(std::size_t most, const char* field) {
  return items(shape::table, most, field);
}

bool reader::next_is(shape wanted) const {
  // A signed format may hold a natural number: only shapes that are told
  // apart by their first byte are asked for.
  return ok() && left() > 0
         && shape_of(static_cast<unsigned char>(bytes_[at_])) == wanted;
}

void reader::nil() {
  (void)expect(shape::nil, "message");
}

std::uint64_t reader::natural(std::uint64_t most, const char* field) {
  auto out = expect(shape::natural, field).value_or(0);
  if (out > most)
    refuse(errc::bad_request, "is out of range", field);
  return ok() ? out : 0;
}

std::int64_t reader::integer(const char* field) {
  if (!ok())
    return 0;
  auto got = take();
  if (ok() && got.is == shape::negative)
    return as_signed(got.value);
  if (ok() && got.is != shape::natural)
    refuse(errc::bad_request, "has the wrong type", field);
  if (got.value > static_cast<std::uint64_t>(range::max()))
    refuse(errc::bad_request, "is out of range", field);
  return ok() ? as_signed(got.value) : 0;
}

void reader::flag(bool& value, const char* field) {
  value = expect(shape::flag, field).value_or(0) != 0;
}

void reader::real(double& value, const char* field) {
  value = std::bit_cast<double>(expect(shape::real, field).value_or(0));
  if (std::isfinite(value))
    return;
  value = 0;
  refuse(errc::bad_request, "is not finite", field);
}

std::string_view reader::content(shape wanted, std::size_t most,
                                 const char* field) {
  auto size = expect(wanted, field).value_or(0);
  if (size > most)
    refuse(errc::bad_request, "is too long", field);
  else if (size > left())
    refuse(errc::bad_request, "ends too early", field);
  if (!ok())
    return {};
  auto out = bytes_.substr(at_, static_cast<std::size_t>(size));
  at_ += out.size();
  return out;
}

void reader::text(std::string& value, std::size_t most, const char* field) {
  auto found = content(shape::text, most, field);
  bool good = is_utf8(found);
  if (!good)
    refuse(errc::bad_request, "is not UTF-8", field);
  value = good ? found : std::string_view{};
}

std::string_view reader::bytes(std::size_t most, const char* field) {
  return content(shape::bytes, most, field);
}

void reader::time(millis& value, const char* field) {
  value = millis{integer(field)};
}

void reader::deadline(millis& value, const char* field) {
  auto after = integer(field);
  auto now = now_.count();
  if (after == range::max() || (now > 0 && after > range::max() - now))
    value = never;
  else if (now < 0 && after < range::min() - now)
    value = millis::min();
  else
    value = millis{now + after};
}

void reader::skip() {
  // Counts what is still to come instead of descending: depth costs nothing.
  for (std::uint64_t pending = 1; pending > 0 && ok(); --pending) {
    auto got = take();
    if (got.is == shape::list)
      pending += got.value;
    if (got.is == shape::table)
      pending += 2 * got.value;
    bool content = got.is == shape::text || got.is == shape::bytes
                   || got.is == shape::extension;
    if (pending - 1 > left() || (content && got.value > left()))
      return refuse(errc::bad_request, "ends too early", "message");
    if (content)
      at_ += static_cast<std::size_t>(got.value);
  }
}

void reader::refuse(errc code, const char* message, const char* field) {
  if (!fault_)
    fault_ = fail(code, message, field);
}

} // namespace rollcall::cluster::wire
