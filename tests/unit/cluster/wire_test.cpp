#include "cluster/wire.hpp"

#include "actors/base/limits.hpp"
#include "unit/cluster/message_fields.hpp"
#include "unit/cluster/sample_messages.hpp"

#include <gtest/gtest.h>
#include <msgpack.hpp>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace rollcall::cluster {

namespace {

namespace fs = std::filesystem;
using samples::sender;
using samples::sent_at;

constexpr std::uint64_t first_seed = 20'231;

std::string packed(const node_message& message, millis now = sent_at) {
  auto out = encode(message, sender, now);
  EXPECT_TRUE(out) << out.error().field << ' ' << out.error().message;
  return out ? *out : std::string{};
}

std::string field_of(const result<std::string>& got) {
  return got ? "(written)" : got.error().field;
}

std::string field_of(const result<received_message>& got) {
  return got ? "(read)" : got.error().field;
}

/// What is read can be written again, so it is within every bound, and comes
/// out the same.
void expect_sound(const received_message& got, millis now) {
  auto again = encode(got.message, got.from, now);
  ASSERT_TRUE(again) << again.error().field;
  auto twice = decode(*again, now);
  ASSERT_TRUE(twice) << twice.error().field;
  EXPECT_EQ(twice->from, got.from);
  EXPECT_TRUE(test::same(twice->message, got.message));
}

node_message with_participant(participant_view view) {
  auto out = std::make_shared<snapshot>(*samples::a_snapshot());
  out->participants = {std::move(view)};
  return snapshot_ptr{out};
}

const participant_view& participant_of(const received_message& got) {
  return std::get<snapshot_ptr>(got.message)->participants.at(0);
}

// -- by hand, with a packer that shares no code ------------------------------

using packer = msgpack::packer<msgpack::sbuffer>;

template <class Write>
std::string by_hand(Write write) {
  msgpack::sbuffer buffer;
  packer out{buffer};
  write(out);
  return {buffer.data(), buffer.size()};
}

struct head {
  std::uint64_t magic = 0x524F4C4C;
  std::uint64_t version = wire_version;
  std::uint64_t min_reader = wire_min_reader;
  std::uint64_t kind = 7;
};

template <class Body>
std::string enveloped(const head& with, std::uint32_t more, Body body) {
  return by_hand([&](packer& out) {
    out.pack_array(7 + more);
    out.pack(with.magic).pack(with.version).pack(with.min_reader);
    out.pack(with.kind).pack("core-1").pack(sender.incarnation);
    body(out);
    for (; more > 0; --more)
      out.pack("later");
  });
}

/// A heartbeat without partitions, and `more` that a later version says.
template <class More>
void pack_heartbeat(packer& out, std::uint32_t fields, More more) {
  out.pack_array(8 + fields);
  out.pack_array(2).pack("core-1").pack(sender.incarnation);
  out.pack(41).pack(true).pack(true).pack(false).pack(100).pack(64);
  out.pack_array(0);
  more(out);
}

void pack_heartbeat(packer& out) {
  pack_heartbeat(out, 0, [](packer&) {});
}

// -- vectors -----------------------------------------------------------------

fs::path vectors() {
  return fs::path{ROLLCALL_TESTS_DIR} / "vectors/node/v1";
}

std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string from_hex(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return out;
}

std::string slurp(const fs::path& file) {
  std::ifstream in{file};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// The fields as somebody else's reader sees them.
std::string description(const std::string& bytes) {
  std::ostringstream out;
  out << msgpack::unpack(bytes.data(), bytes.size()).get() << '\n';
  return out.str();
}

} // namespace

// -- golden vectors ----------------------------------------------------------

// A failure here means that nodes of this version and of the one before no
// longer understand each other. To add what is new, run with
// ROLLCALL_WRITE_VECTORS set; what is there does not change.
TEST(Wire, WritesTheGoldenBytes) {
  if (std::getenv("ROLLCALL_WRITE_VECTORS") != nullptr) {
    fs::create_directories(vectors());
    for (const auto& [name, message] : samples::messages()) {
      auto bytes = packed(message);
      std::ofstream{vectors() / (name + ".hex")} << to_hex(bytes) << '\n';
      std::ofstream{vectors() / (name + ".json")} << description(bytes);
    }
  }
  for (const auto& [name, message] : samples::messages()) {
    auto bytes = packed(message);
    EXPECT_EQ(slurp(vectors() / (name + ".hex")), to_hex(bytes) + "\n") << name;
    EXPECT_EQ(slurp(vectors() / (name + ".json")), description(bytes)) << name;
  }
}

TEST(Wire, ReadsTheGoldenBytes) {
  for (const auto& [name, message] : samples::messages()) {
    auto got = decode(from_hex(slurp(vectors() / (name + ".hex"))), sent_at);
    ASSERT_TRUE(got) << name << ": " << got.error().field;
    EXPECT_EQ(got->from, sender);
    EXPECT_EQ(got->version, 1U);
    EXPECT_TRUE(test::same(got->message, message)) << name;
  }
}

TEST(Wire, HasAVectorForEveryAlternative) {
  std::set<std::string> files;
  for (const auto& file : fs::directory_iterator{vectors()})
    files.insert(file.path().stem().string());
  EXPECT_EQ(files.size(), samples::messages().size());
  std::set<std::size_t> kinds;
  std::set<std::size_t> asked;
  std::set<std::size_t> answered;
  std::set<std::size_t> noted;
  for (const auto& [name, message] : samples::messages()) {
    kinds.insert(message.index());
    if (const auto* x = std::get_if<routed_command_ptr>(&message))
      asked.insert((*x)->asked->body.index());
    if (const auto* x = std::get_if<note_ptr>(&message))
      noted.insert((*x)->body.index());
    if (const auto* x = std::get_if<routed_reply_ptr>(&message);
        x && (*x)->answer->ok())
      answered.insert((*(*x)->answer)->body.index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<node_message>);
  EXPECT_EQ(asked.size(), std::variant_size_v<command_body>);
  EXPECT_EQ(answered.size(), std::variant_size_v<reply_body>);
  EXPECT_EQ(noted.size(), std::variant_size_v<note_body>);
  std::set<std::size_t> changed;
  for (const auto& body : samples::change_bodies())
    changed.insert(body.index());
  EXPECT_EQ(changed.size(), std::variant_size_v<change_body>);
}

// -- random messages ---------------------------------------------------------

TEST(Wire, RandomMessagesComeBackAsTheyWere) {
  std::set<std::size_t> kinds;
  for (auto seed = first_seed; seed < first_seed + 2'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test::filler random{seed};
    auto message = random.message();
    kinds.insert(message.index());
    auto bytes = packed(message);
    auto got = decode(bytes, sent_at);
    ASSERT_TRUE(got) << got.error().field << ' ' << got.error().message;
    EXPECT_EQ(got->from, sender);
    ASSERT_TRUE(test::same(got->message, message));
    // Somebody else's reader takes it, too.
    std::size_t used = 0;
    auto whole = msgpack::unpack(bytes.data(), bytes.size(), used);
    ASSERT_EQ(used, bytes.size());
    ASSERT_EQ(whole.get().via.array.size, 7U);
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<node_message>);
}

TEST(Wire, RefusesEveryTruncation) {
  for (const auto& [name, message] : samples::messages()) {
    auto bytes = packed(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      // A copy of that size lets the sanitizer see what is read beyond it.
      std::vector<char> cut{bytes.begin(),
                            bytes.begin() + static_cast<std::ptrdiff_t>(size)};
      auto got = decode({cut.data(), cut.size()}, sent_at);
      ASSERT_FALSE(got) << name << " cut to " << size;
      EXPECT_EQ(got.error().code, errc::bad_request);
    }
    EXPECT_FALSE(decode(bytes + '\xC0', sent_at)) << name;
  }
}

TEST(Wire, FlippedBytesAreRefusedOrWithinBounds) {
  std::size_t read = 0;
  for (auto seed = first_seed; seed < first_seed + 3'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test::filler random{seed};
    auto bytes = packed(random.message());
    for (auto left = 1 + random.below(4); left > 0; --left)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    auto got = decode(bytes, sent_at);
    if (!got) {
      ASSERT_FALSE(got.error().message.empty());
      ASSERT_FALSE(got.error().field.empty());
      continue;
    }
    ++read;
    expect_sound(*got, sent_at);
  }
  // Most of a message is numbers and text: many a flip makes another one.
  EXPECT_GT(read, 100U);
}

// -- time --------------------------------------------------------------------

TEST(Wire, DeadlinesTravelAsDurations) {
  auto here = samples::ada();
  here.expires = sent_at + millis{700};
  auto bytes = packed(with_participant(here), sent_at);
  auto got = decode(bytes, millis{50});
  ASSERT_TRUE(got);
  EXPECT_EQ(participant_of(*got).expires, millis{750});
  // Wall times and revisions do not move.
  EXPECT_EQ(participant_of(*got).since, here.since);
  here.expires = sent_at - millis{700};
  got = decode(packed(with_participant(here), sent_at), millis{50});
  ASSERT_TRUE(got);
  EXPECT_EQ(participant_of(*got).expires, millis{-650});
}

TEST(Wire, DeadlinesNeverOverflow) {
  auto view = samples::ada();
  for (auto expires : {never, millis{never.count() - 1}, millis::min()}) {
    for (auto now : {millis{0}, millis{5}, millis{-5}, never, millis::min()}) {
      view.expires = expires;
      auto bytes = packed(with_participant(view), now);
      for (auto then : {millis{0}, millis{1}, never, millis::min()}) {
        auto got = decode(bytes, then);
        ASSERT_TRUE(got);
        if (expires == never) {
          EXPECT_EQ(participant_of(*got).expires, never);
        }
      }
    }
  }
}

// -- between versions --------------------------------------------------------

TEST(Wire, SkipsWhatLaterVersionsAdd) {
  auto bytes = enveloped({.version = 9}, 2, [](packer& out) {
    pack_heartbeat(out, 9, [](packer& more) {
      more.pack(1'760'000'000'000).pack(7).pack(false).pack(2);
      more.pack_map(2).pack("a").pack(1.5F).pack("b");
      for (int depth = 0; depth < 1'000; ++depth)
        more.pack_array(1);
      more.pack_nil();
      more.pack_bin(3).pack_bin_body("xyz", 3);
      more.pack_ext(4, 1).pack_ext_body("1234", 4);
      more.pack(std::string(300, 'x'));
      more.pack(-70'000);
    });
  });
  auto got = decode(bytes, sent_at);
  ASSERT_TRUE(got) << got.error().field << ' ' << got.error().message;
  EXPECT_EQ(got->version, 9U);
  EXPECT_EQ(std::get<heartbeat_ptr>(got->message)->number, 41U);
}

TEST(Wire, ReadsWhatEarlierVersionsLeaveOut) {
  auto bytes = enveloped({}, 0, [](packer& out) {
    pack_heartbeat(out, 2, [](packer& more) { more.pack(1'760).pack(7); });
  });
  auto got = decode(bytes, sent_at);
  ASSERT_TRUE(got) << got.error().field << ' ' << got.error().message;
  auto word = std::get<heartbeat_ptr>(got->message);
  EXPECT_EQ(word->wall, millis{1'760});
  EXPECT_EQ(word->up, millis{7});
  EXPECT_FALSE(word->aside);
  EXPECT_EQ(word->reads, record_form_first);
  got = decode(enveloped({}, 0, [](packer& out) { pack_heartbeat(out); }),
               sent_at);
  ASSERT_TRUE(got) << got.error().field << ' ' << got.error().message;
  EXPECT_EQ(std::get<heartbeat_ptr>(got->message)->wall, millis{0});
}

// What a node sends that does not number its commands yet.
TEST(Wire, ReadsCommandsWithoutANumber) {
  auto got = decode(
    from_hex("97ce524f4c4c010105a6636f72652d31cf0123456789abcdef92ccfc9892a4616"
             "36d65ab6d6f7669652d6e6967687492a6656467652d324d92080994a3616461b6"
             "6b523276307147376d587935684a31635439624c774192a641646120c3a9af616"
             "461406578616d706c652e6f72677fa46f702d31a9656467652d322f3137920292"
             "92080bc300"),
    sent_at);
  ASSERT_TRUE(got) << got.error().field << ' ' << got.error().message;
  const auto& asked = *std::get<routed_command_ptr>(got->message)->asked;
  EXPECT_TRUE(std::holds_alternative<leave_command>(asked.body));
  EXPECT_EQ(asked.number, 0U);
}

TEST(Wire, RefusesWhatIsForNewerReaders) {
  auto body = [](packer& out) { pack_heartbeat(out); };
  EXPECT_EQ(field_of(decode(enveloped({}, 0, body), sent_at)), "(read)");
  EXPECT_EQ(field_of(decode(enveloped({.version = 2, .min_reader = 2}, 0, body),
                            sent_at)),
            "min_reader");
  // Nobody writes what he cannot read himself.
  EXPECT_EQ(field_of(decode(enveloped({.version = 0}, 0, body), sent_at)),
            "min_reader");
  EXPECT_EQ(field_of(decode(enveloped({.min_reader = 0}, 0, body), sent_at)),
            "min_reader");
}

TEST(Wire, RefusesStrangers) {
  auto body = [](packer& out) { pack_heartbeat(out); };
  EXPECT_EQ(field_of(decode(enveloped({.magic = 1}, 0, body), sent_at)),
            "magic");
  EXPECT_EQ(field_of(decode(enveloped({.kind = 99}, 0, body), sent_at)),
            "kind");
  EXPECT_EQ(field_of(decode(enveloped({.kind = 0}, 0, body), sent_at)), "kind");
  EXPECT_FALSE(decode("", sent_at));
  EXPECT_FALSE(decode("\xC1", sent_at));
  EXPECT_FALSE(decode("{\"kind\": \"heartbeat\"}", sent_at));
  // A heartbeat that says it is a batch.
  EXPECT_EQ(field_of(decode(enveloped({.kind = 1}, 0, body), sent_at)),
            "session");
}

TEST(Wire, RefusesAnUnknownAlternative) {
  auto direct_of = [](std::uint64_t tag) {
    return enveloped({.kind = 3}, 0, [tag](packer& out) {
      out.pack_array(4);
      out.pack_array(2).pack("acme").pack("party");
      out.pack_array(2).pack(8).pack(9);
      out.pack_array(2).pack("edge").pack(1);
      out.pack_array(2).pack(tag);
      out.pack_array(1).pack(3);
    });
  };
  EXPECT_EQ(field_of(decode(direct_of(1), sent_at)), "(read)");
  EXPECT_EQ(field_of(decode(direct_of(4), sent_at)), "direct");
  EXPECT_EQ(field_of(decode(direct_of(1ULL << 40), sent_at)), "direct");
}

// -- bounds ------------------------------------------------------------------

TEST(Wire, AnnouncedSizesTakeNoMemory) {
  // Four thousand million of something, in a few bytes each.
  for (const char* huge :
       {"\xDD\xFF\xFF\xFF\xFF", "\xDF\xFF\xFF\xFF\xFF", "\xDB\xFF\xFF\xFF\xFF",
        "\xC6\xFF\xFF\xFF\xFF", "\xC9\xFF\xFF\xFF\xFF\x01"}) {
    EXPECT_FALSE(decode(huge, sent_at));
    auto extra = enveloped({}, 0, [](packer& out) { pack_heartbeat(out); });
    extra[0] = '\x98'; // one value more
    EXPECT_FALSE(decode(extra + huge, sent_at));
  }
}

TEST(Wire, WritesNothingOverItsBound) {
  auto refused = [](participant_view view) {
    auto got = encode(with_participant(std::move(view)), sender, sent_at);
    EXPECT_TRUE(got || got.error().code == errc::too_large
                || got.error().code == errc::internal);
    return field_of(got);
  };
  auto view = samples::ada();
  EXPECT_EQ(refused(view), "(written)");
  view.user = user_id{std::string(limits::id_bytes + 1, 'x')};
  EXPECT_EQ(refused(view), "user");
  view = samples::ada();
  view.role = std::string(limits::name_bytes + 1, 'x');
  EXPECT_EQ(refused(view), "role");
  view = samples::ada();
  view.permissions.assign(limits::permissions_per_member + 1, "x");
  EXPECT_EQ(refused(view), "permissions");
  view = samples::ada();
  view.who.name = "\xFF";
  EXPECT_EQ(refused(view), "name");
  view = samples::ada();
  view.live = {{"x", std::nan("")}};
  EXPECT_EQ(refused(view), "live");
  view.live.clear();
  for (std::size_t i = 0; i <= limits::live_keys; ++i)
    view.live[std::to_string(i)] = true;
  EXPECT_EQ(refused(view), "live");
}

TEST(Wire, ReadsNothingOverItsBound) {
  auto with_held = [](std::uint32_t count) {
    return enveloped({}, 0, [count](packer& out) {
      out.pack_array(8);
      out.pack_array(2).pack("core-1").pack(1);
      out.pack(41).pack(true).pack(true).pack(false).pack(100).pack(64);
      out.pack_array(count);
      for (std::uint32_t i = 0; i < count; ++i)
        out.pack_array(5)
          .pack(i % limits::partitions_max)
          .pack(1)
          .pack(1)
          .pack(1)
          .pack(1);
    });
  };
  EXPECT_EQ(field_of(decode(with_held(limits::partitions_max), sent_at)),
            "(read)");
  EXPECT_EQ(field_of(decode(with_held(limits::partitions_max + 1), sent_at)),
            "held");
  EXPECT_FALSE(
    decode(std::string(limits::node_message_bytes + 1, '\x01'), sent_at));
}

TEST(Wire, RefusesNullMessages) {
  EXPECT_FALSE(encode(batch_ptr{}, sender, sent_at));
  EXPECT_FALSE(encode(std::make_shared<routed_command>(), sender, sent_at));
  EXPECT_FALSE(encode(std::make_shared<routed_reply>(), sender, sent_at));
}

TEST(Wire, TheLargestUsualSnapshotFits) {
  auto out = std::make_shared<snapshot>(*samples::a_snapshot());
  out->participants.assign(limits::participants_per_session, samples::ada());
  auto bytes = packed(snapshot_ptr{out});
  EXPECT_LT(bytes.size(), limits::node_message_bytes / 2);
  auto got = decode(bytes, sent_at);
  ASSERT_TRUE(got);
  EXPECT_EQ(*std::get<snapshot_ptr>(got->message), *out);
  out->participants.push_back(samples::ada());
  EXPECT_EQ(field_of(encode(snapshot_ptr{out}, sender, sent_at)),
            "participants");
}

} // namespace rollcall::cluster
