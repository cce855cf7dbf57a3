#include "cluster/wire.hpp"

#include "cluster/wire_changes.hpp"
#include "cluster/wire_commands.hpp"
#include "cluster/wire_transfer.hpp"

#include <memory>
#include <type_traits>
#include <utility>

namespace rollcall::cluster {

namespace {

constexpr std::uint64_t magic = 0x524F4C4C; // "ROLL"

} // namespace

// Here two-phase lookup finds what `choice` and the messages below need.
namespace wire {

// clang-format off
template <> struct tag<batch>          { static constexpr int value = 1; };
template <> struct tag<snapshot>       { static constexpr int value = 2; };
template <> struct tag<direct>         { static constexpr int value = 3; };
template <> struct tag<note>           { static constexpr int value = 4; };
template <> struct tag<routed_command> { static constexpr int value = 5; };
template <> struct tag<routed_reply>   { static constexpr int value = 6; };
template <> struct tag<heartbeat>      { static constexpr int value = 7; };
template <> struct tag<session_transfer>   { static constexpr int value = 8; };
template <> struct tag<partition_transfer> { static constexpr int value = 9; };
// clang-format on

template <class Io>
void fields(Io& io, part<Io, held_partition>& value) {
  auto& [partition, epoch, generation, position, incarnation] = value;
  tuple<Io> in{io, 5, "held"};
  number(io, partition, "partition", limits::partitions_max - 1);
  number(io, epoch, "epoch");
  number(io, generation, "generation");
  number(io, position, "position");
  number(io, incarnation, "incarnation");
}

template <class Io>
void fields(Io& io, part<Io, heartbeat>& value) {
  auto& [node, count, core, edge, leaving, weight, partitions, held, wall, up,
         aside, reads]
    = value;
  tuple<Io> in{io, 12, 4, "heartbeat"};
  fields(io, node);
  number(io, count, "number");
  io.flag(core, "core");
  io.flag(edge, "edge");
  io.flag(leaving, "leaving");
  number(io, weight, "weight");
  number(io, partitions, "partitions", limits::partitions_max);
  list(io, held, limits::partitions_max, "held",
       [&io](auto& x) { fields(io, x); });
  if (in.has_next())
    io.time(wall, "wall");
  if (in.has_next())
    io.time(up, "up");
  if (in.has_next())
    io.flag(aside, "aside");
  if (in.has_next())
    number(io, reads, "reads");
}

// What is shared is never null once it was read, and must not be when it is
// written.
template <class Io, class T>
void shared(Io& io, part<Io, std::shared_ptr<const T>>& value, T start) {
  if constexpr (Io::reading) {
    auto fresh = std::make_shared<T>(std::move(start));
    fields(io, *fresh);
    value = std::move(fresh);
  } else if (value) {
    fields(io, *value);
  } else {
    io.refuse(errc::internal, "there is nothing to write", "message");
  }
}

template <class Io>
void fields(Io& io, part<Io, routed_command>& value) {
  auto& [ticket, asked] = value;
  tuple<Io> in{io, 2, "command"};
  number(io, ticket, "ticket");
  shared(io, asked, command{});
}

template <class Io>
void fields(Io& io, part<Io, routed_reply>& value) {
  auto& [ticket, answer] = value;
  tuple<Io> in{io, 2, "reply"};
  number(io, ticket, "ticket");
  shared(io, answer, result<reply>{reply{}});
}

template <class Pointer>
using pointed = std::remove_const_t<typename Pointer::element_type>;

template <std::size_t I = 0>
void read_body(reader& in, std::uint64_t kind, node_message& out) {
  if constexpr (I == std::variant_size_v<node_message>) {
    in.refuse(errc::bad_request, "is of an unknown kind", "kind");
  } else {
    using pointer = std::variant_alternative_t<I, node_message>;
    using body = pointed<pointer>;
    if (tag<body>::value != kind)
      return read_body<I + 1>(in, kind, out);
    shared(in, out.emplace<I>(), body{});
  }
}

} // namespace wire

result<std::string> encode(const node_message& message, const node_id& from,
                           millis now) {
  wire::writer out{now};
  {
    wire::tuple<wire::writer> whole{out, 7, "message"};
    out.natural(magic);
    out.natural(wire_version);
    out.natural(wire_min_reader);
    std::visit(
      [&](const auto& body) {
        using body_type = wire::pointed<std::remove_cvref_t<decltype(body)>>;
        out.natural(wire::tag<body_type>::value);
        out.text(from.name, limits::id_bytes, "node");
        out.natural(from.incarnation);
        wire::shared(out, body, body_type{});
      },
      message);
  }
  return out.finish();
}

result<received_message> decode(std::string_view bytes, millis now) {
  constexpr auto any = std::numeric_limits<std::uint32_t>::max();
  if (bytes.size() > limits::node_message_bytes)
    return fail(errc::bad_request, "is too long", "message");
  wire::reader in{bytes, now};
  received_message out;
  {
    wire::tuple<wire::reader> whole{in, 7, "message"};
    if (in.natural(any, "magic") != magic)
      in.refuse(errc::bad_request, "is not a node message", "magic");
    out.version = static_cast<std::uint32_t>(in.natural(any, "version"));
    auto least = in.natural(any, "min_reader");
    if (least > wire_version || least > out.version || least == 0)
      in.refuse(errc::bad_request, "is for newer readers", "min_reader");
    auto kind = in.natural(any, "kind");
    in.text(out.from.name, limits::id_bytes, "node");
    wire::number(in, out.from.incarnation, "incarnation");
    if (in.ok())
      wire::read_body(in, kind, out.message);
  }
  if (in.ok() && !in.at_end())
    in.refuse(errc::bad_request, "has trailing bytes", "message");
  if (!in.ok())
    return in.fault();
  return out;
}

} // namespace rollcall::cluster
