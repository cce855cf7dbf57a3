#include "cluster/chunks.hpp"

#include "actors/base/limits.hpp"
#include "cluster/wire_reader.hpp"
#include "cluster/wire_writer.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace rollcall::cluster {

namespace {

constexpr std::uint64_t magic = 0x524F4C43; // "ROLC"
constexpr std::uint64_t version = 1;
constexpr std::size_t fields = 8;
constexpr auto any = std::numeric_limits<std::uint64_t>::max();

// An array of eight, then the magic as msgpack's uint 32.
constexpr std::string_view beginning{"\x98\xCEROLC", 6};

// A chunk of a byte each would be the worst that is still within bounds.
constexpr std::uint64_t most_chunks = limits::node_message_bytes;

static_assert(chunk_overhead > limits::id_bytes + 64,
              "the longest name and all numbers fit");

} // namespace

chunk_cutter::chunk_cutter(std::string_view bytes, node_id from,
                           std::uint64_t number, std::size_t most)
  : bytes_(bytes),
    from_(std::move(from)),
    number_(number),
    piece_(most - chunk_overhead) {
  // nop
}

std::optional<std::string> chunk_cutter::next() {
  auto count = (bytes_.size() + piece_ - 1) / piece_;
  if (index_ >= count)
    return std::nullopt;
  wire::writer out{millis{0}};
  out.open(fields, "chunk");
  out.natural(magic);
  out.natural(version);
  out.text(from_.name, limits::id_bytes, "node");
  out.natural(from_.incarnation);
  out.natural(number_);
  out.natural(index_);
  out.natural(count);
  out.bytes(bytes_.substr(index_ * piece_, piece_));
  ++index_;
  auto done = out.finish();
  return done ? std::optional{std::move(*done)} : std::nullopt;
}

bool is_chunk(std::string_view bytes) noexcept {
  return bytes.starts_with(beginning);
}

result<std::optional<std::string>> chunk_assembler::add(std::string_view chunk,
                                                        millis now) {
  wire::reader in{chunk, now};
  auto unknown = in.open(fields, "chunk");
  if (in.natural(any, "magic") != magic)
    in.refuse(errc::bad_request, "is not a chunk", "magic");
  if (in.natural(any, "version") != version)
    in.refuse(errc::bad_request, "is of another version", "version");
  node_id from;
  in.text(from.name, limits::id_bytes, "node");
  from.incarnation = in.natural(any, "node");
  auto number = in.natural(any, "number");
  auto index = in.natural(most_chunks, "index");
  auto count = in.natural(most_chunks, "count");
  auto bytes = in.bytes(limits::node_message_bytes, "bytes");
  in.close(unknown);
  if (in.ok() && (index >= count || bytes.empty() || !in.at_end()))
    in.refuse(errc::bad_request, "contradicts itself", "index");
  if (!in.ok())
    return in.fault();
  sweep(now);
  auto at = partials_.find(from);
  if (index == 0) {
    if (at != partials_.end())
      drop(at);
    make_room(from, bytes.size());
    at = partials_.emplace(from, partial{number, 0, count, {}, now}).first;
  }
  if (at == partials_.end())
    return fail(errc::bad_request, "misses its beginning", "index");
  auto& whole = at->second;
  if (whole.number != number || whole.next != index || whole.count != count
      || bytes.size() > limits::node_message_bytes - whole.bytes.size()) {
    drop(at);
    return fail(errc::bad_request, "does not follow", "index");
  }
  if (index > 0)
    make_room(from, bytes.size());
  whole.bytes += bytes;
  whole.at = now;
  held_ += bytes.size();
  if (++whole.next < count)
    return std::optional<std::string>{};
  auto out = std::move(whole.bytes);
  held_ -= out.size();
  partials_.erase(at);
  return std::optional{std::move(out)};
}

void chunk_assembler::sweep(millis now) {
  for (auto i = partials_.begin(); i != partials_.end();) {
    auto here = i++;
    if (now - here->second.at > limits::reassembly_patience)
      drop(here);
  }
}

void chunk_assembler::drop(partials::iterator which) {
  held_ -= which->second.bytes.size();
  partials_.erase(which);
}

void chunk_assembler::make_room(const node_id& but, std::size_t bytes) {
  // One message alone always has room: it is bounded itself.
  static_assert(limits::node_message_bytes <= limits::reassembly_bytes);
  auto others = [&] { return partials_.size() - partials_.count(but); };
  while (others() > 0
         && (others() >= limits::nodes
             || held_ + bytes > limits::reassembly_bytes)) {
    auto oldest = partials_.end();
    for (auto i = partials_.begin(); i != partials_.end(); ++i)
      if (i->first != but
          && (oldest == partials_.end() || i->second.at < oldest->second.at))
        oldest = i;
    drop(oldest);
  }
}

} // namespace rollcall::cluster
