#include "tests/bench/load/rollcall_dialect.hpp"

#include "actors/base/base64url.hpp"
#include "tests/bench/load/blocking_client.hpp"
#include "tests/bench/load/ledger.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <charconv>
#include <chrono>

namespace rollcall::bench {

namespace {

// Who makes the rooms must not be taken for a member.
constexpr std::string_view maker = "bench-maker";

constexpr std::string_view subprotocol
  = "Sec-WebSocket-Protocol: rollcall.v1.json\r\n";

/// The number at `at`, which moves behind it.
std::uint64_t number(std::string_view text, std::size_t& at) {
  std::uint64_t value = 0;
  auto end
    = std::from_chars(text.data() + at, text.data() + text.size(), value);
  at = static_cast<std::size_t>(end.ptr - text.data());
  return value;
}

/// The version `"<key>":[epoch,rev]`; zeros when it is not there.
position version(std::string_view text, std::string_view key) {
  auto at = text.find(key);
  if (at == std::string_view::npos)
    return {};
  at += key.size();
  position out;
  out.epoch = number(text, at);
  ++at;
  out.rev = number(text, at);
  return out;
}

bool reaches(const position& a, const position& b) {
  return a.epoch != b.epoch ? a.epoch > b.epoch : a.rev >= b.rev;
}

class rollcall_dialect final : public dialect {
public:
  explicit rollcall_dialect(std::string secret) : secret_{std::move(secret)} {}

  std::string path() const override {
    return "/v1/connect";
  }

  std::string headers(const seat& who) const override {
    auto user = user_of(who.index);
    return authorization(user, "Member " + user.substr(5), {});
  }

  std::string greet(const seat& who) const override {
    return R"({"op":"join","id":1,"session":")" + who.room
           + R"(","view":"roster"})";
  }

  reading read(const seat&, position& at,
               std::string_view text) const override {
    auto head = text.substr(0, 64);
    if (head.find(R"("push":"changes")") != std::string_view::npos) {
      auto from = version(text, R"("from":[)");
      auto to = version(text, R"("to":[)");
      if (reaches(at, to))
        return {};
      if (from.epoch != at.epoch || from.rev != at.rev)
        return {meaning::fault, {}};
      at = to;
      return {meaning::news, {}};
    }
    if (head.find(R"("push":"snapshot")") != std::string_view::npos) {
      at = version(text, R"("at":[)");
      return {meaning::snapshot, {}};
    }
    if (head.find(R"("push":"bye")") != std::string_view::npos
        || text.find(R"("ok":false)") != std::string_view::npos)
      return {meaning::fault, {}};
    return {};
  }

  std::string event(const seat& who, std::size_t number) const override {
    return R"({"op":"set_live","session":")" + who.room + R"(","live":{"n":)"
           + std::to_string(number) + "}}";
  }

  std::string heartbeat() const override {
    return R"({"op":"heartbeat"})";
  }

  std::string prepare(std::uint16_t port, std::string_view prefix,
                      std::size_t rooms) const override {
    blocking_client client;
    auto headers = authorization(maker, "Maker",
                                 R"(,"grants":["create","observe_count"])");
    if (!client.open(port, path(), headers))
      return "no connection to make rooms with";
    for (std::size_t room = 0; room < rooms; ++room) {
      auto id = "\"re\":" + std::to_string(room);
      client.send(R"({"op":"create_session","id":)" + std::to_string(room)
                  + R"(,"session":")" + std::string{prefix}
                  + std::to_string(room)
                  + R"(","kind":"stage","settings":{"host":"none",)"
                    R"("membership":"ephemeral","identity":"named",)"
                    R"("live_rate":0}})");
      auto answer = client.receive([&](std::string_view text) {
        return text.find(id + ',') != std::string_view::npos
               || text.find(id + '}') != std::string_view::npos;
      });
      if (answer.find(R"("ok":true)") == std::string::npos)
        return "making a room: " + (answer.empty() ? "no answer" : answer);
    }
    return {};
  }

private:
  std::string authorization(std::string_view user, std::string_view name,
                            std::string_view more_claims) const {
    using namespace std::chrono;
    auto now
      = duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
    std::string claims = R"({"sub":")";
    claims += user;
    claims += R"(","aud":"rollcall","name":")";
    claims += name;
    claims += R"(","exp":)" + std::to_string(now + 3600);
    claims += more_claims;
    claims += '}';
    auto signed_part = base64url_encode(R"({"alg":"HS256","typ":"JWT"})") + '.'
                       + base64url_encode(claims);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
         reinterpret_cast<const unsigned char*>(signed_part.data()),
         signed_part.size(), mac, &size);
    auto signature
      = base64url_encode({reinterpret_cast<const char*>(mac), size});
    return std::string{subprotocol} + "Authorization: Bearer " + signed_part
           + '.' + signature + "\r\n";
  }

  std::string secret_;
};

} // namespace

std::unique_ptr<dialect> make_rollcall_dialect(std::string secret) {
  return std::make_unique<rollcall_dialect>(std::move(secret));
}

} // namespace rollcall::bench
