#include "edge/protocol/json_codec.hpp"

#include "actors/base/limits.hpp"
#include "edge/protocol/tree_builder.hpp"

// RapidJSON 1.1 computes addresses from the null pointer of a stack that is
// still empty. No compiler of ours makes use of it; the sanitizer objects.
#ifdef __clang__
#  pragma clang attribute push( \
    __attribute__((no_sanitize("pointer-overflow"))), apply_to = function)
#endif
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#ifdef __clang__
#  pragma clang attribute pop
#endif

#include <charconv>
#include <exception>
#include <system_error>

namespace rollcall::edge {

namespace {

namespace rj = rapidjson;

/// Passes RapidJSON's events on. Numbers arrive as text, because RapidJSON
/// turns integers that are too large into doubles without a word.
class json_handler {
public:
  explicit json_handler(tree_builder& out) : out_(out) {
    // nop
  }

  bool Null() {
    return out_.null();
  }

  bool Bool(bool content) {
    return out_.boolean(content);
  }

  bool RawNumber(const char* text, rj::SizeType size, bool) {
    const std::string_view number{text, size};
    const char* end = text + size;
    if (number.find_first_of(".eE") != std::string_view::npos) {
      double content = 0;
      auto [stop, error] = std::from_chars(text, end, content);
      if (error != std::errc{} || stop != end)
        return out_.refuse("is not a number that fits a double");
      return out_.real(content);
    }
    if (number == "-0")
      return out_.refuse("is minus zero");
    std::int64_t content = 0;
    auto [stop, error] = std::from_chars(text, end, content);
    if (error != std::errc{} || stop != end)
      return out_.refuse("is beyond 2^53");
    return out_.integer(content);
  }

  bool String(const char* text, rj::SizeType size, bool) {
    return out_.text({text, size});
  }

  bool Key(const char* text, rj::SizeType size, bool) {
    return out_.key({text, size});
  }

  bool StartObject() {
    return out_.open_map();
  }

  bool EndObject(rj::SizeType) {
    return out_.close();
  }

  bool StartArray() {
    return out_.open_array();
  }

  bool EndArray(rj::SizeType) {
    return out_.close();
  }

  // Never called: kParseNumbersAsStringsFlag.
  bool Int(int) {
    return false;
  }

  bool Uint(unsigned) {
    return false;
  }

  bool Int64(std::int64_t) {
    return false;
  }

  bool Uint64(std::uint64_t) {
    return false;
  }

  bool Double(double) {
    return false;
  }

private:
  tree_builder& out_;
};

void parse(std::string_view text, tree_builder& out) {
  // The builder checks UTF-8 itself: this version of RapidJSON lets a lone low
  // surrogate through.
  constexpr unsigned flags
    = rj::kParseIterativeFlag | rj::kParseNumbersAsStringsFlag;
  rj::MemoryStream bytes{text.data(), text.size()};
  json_handler handler{out};
  rj::Reader reader;
  if (!reader.Parse<flags>(bytes, handler)) {
    out.refuse(rj::GetParseError_En(reader.GetParseErrorCode()));
    return;
  }
  // To RapidJSON a zero byte is the end, whatever follows.
  if (bytes.Tell() != text.size())
    out.refuse("goes on after the end");
}

} // namespace

result<value> decode_json(std::string_view text, value* partial) {
  if (text.size() > limits::frame_bytes)
    return fail(errc::too_large, "is longer than 64 KiB");
  tree_builder builder;
  try {
    parse(text, builder);
  } catch (const std::exception& error) {
    builder.refuse(error.what());
  }
  auto root = builder.take();
  if (!builder.why())
    return root;
  if (partial != nullptr)
    *partial = std::move(root);
  return *builder.why();
}

} // namespace rollcall::edge
