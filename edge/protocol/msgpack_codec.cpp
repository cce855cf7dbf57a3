#include "edge/protocol/msgpack_codec.hpp"

#include "actors/base/limits.hpp"
#include "edge/protocol/tree_builder.hpp"

#include <msgpack.hpp>

#include <exception>
#include <limits>

namespace rollcall::edge {

namespace {

/// Passes msgpack-cxx's events on. The library keeps its own explicit stack,
/// so depth costs no recursion; the builder ends it.
class msgpack_handler : public msgpack::null_visitor {
public:
  explicit msgpack_handler(tree_builder& out) : out_(out) {
    // nop
  }

  bool visit_nil() {
    return in_key_ ? bad_key() : out_.null();
  }

  bool visit_boolean(bool content) {
    return in_key_ ? bad_key() : out_.boolean(content);
  }

  bool visit_positive_integer(std::uint64_t content) {
    if (in_key_)
      return bad_key();
    // Whatever is too large for the builder stays so when it is cut.
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    return out_.integer(content > static_cast<std::uint64_t>(most)
                          ? most
                          : static_cast<std::int64_t>(content));
  }

  bool visit_negative_integer(std::int64_t content) {
    return in_key_ ? bad_key() : out_.integer(content);
  }

  bool visit_float32(float content) {
    return visit_float64(static_cast<double>(content));
  }

  bool visit_float64(double content) {
    return in_key_ ? bad_key() : out_.real(content);
  }

  bool visit_str(const char* text, std::uint32_t size) {
    std::string_view content{text, size};
    return in_key_ ? out_.key(content) : out_.text(content);
  }

  bool visit_bin(const char*, std::uint32_t) {
    return out_.refuse("must not be bin");
  }

  bool visit_ext(const char*, std::uint32_t) {
    return out_.refuse("must not be ext");
  }

  bool start_array(std::uint32_t size) {
    if (in_key_)
      return bad_key();
    if (size > limits::container_items)
      return out_.refuse("has too many items");
    return out_.open_array();
  }

  bool end_array() {
    return out_.close();
  }

  bool start_map(std::uint32_t size) {
    if (in_key_)
      return bad_key();
    if (size > limits::container_items)
      return out_.refuse("has too many items");
    return out_.open_map();
  }

  bool start_map_key() {
    in_key_ = true;
    return true;
  }

  bool end_map_key() {
    in_key_ = false;
    return true;
  }

  bool end_map() {
    return out_.close();
  }

  void parse_error(std::size_t, std::size_t) {
    out_.refuse("is not msgpack");
  }

  void insufficient_bytes(std::size_t, std::size_t) {
    out_.refuse("ends too early");
  }

private:
  bool bad_key() {
    return out_.refuse("has a key that is not str");
  }

  tree_builder& out_;
  bool in_key_ = false;
};

void parse(std::string_view bytes, tree_builder& out) {
  msgpack_handler handler{out};
  std::size_t used = 0;
  if (!msgpack::parse(bytes.data(), bytes.size(), used, handler))
    out.refuse("is not msgpack");
  else if (used != bytes.size())
    out.refuse("goes on after the end");
}

} // namespace

result<value> decode_msgpack(std::string_view bytes, value* partial) {
  if (bytes.size() > limits::frame_bytes)
    return fail(errc::too_large, "is longer than 64 KiB");
  tree_builder builder;
  try {
    parse(bytes, builder);
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
