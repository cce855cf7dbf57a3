#include "tests/bench/load/dialect.hpp"

#include "tests/bench/load/ledger.hpp"
#include "tests/bench/load/rollcall_dialect.hpp"

namespace rollcall::bench {

namespace {

std::string identity(const seat& who) {
  auto user = user_of(who.index);
  return R"("room":")" + who.room + R"(","user":")" + user
         + R"(","name":"Member )" + user.substr(5) + R"(")";
}

class plain_dialect final : public dialect {
public:
  std::string greet(const seat& who) const override {
    return R"({"type":"join",)" + identity(who) + "}";
  }

  reading read(const seat&, position&, std::string_view text) const override {
    if (text.starts_with(R"({"type":"snapshot")"))
      return {meaning::snapshot, {}};
    return {meaning::news, {}};
  }

  std::string event(const seat&, std::size_t number) const override {
    return R"({"type":"event","n":)" + std::to_string(number) + "}";
  }
};

/// Socket.IO v5 over Engine.IO v4, with the WebSocket transport alone.
class socketio_dialect final : public dialect {
public:
  std::string path() const override {
    return "/socket.io/?EIO=4&transport=websocket";
  }

  reading read(const seat& who, position&,
               std::string_view text) const override {
    if (text.starts_with(R"(42["snapshot")"))
      return {meaning::snapshot, {}};
    if (text.starts_with("42"))
      return {meaning::news, {}};
    if (text.starts_with('0'))
      return {meaning::other, "40{" + identity(who) + "}"};
    if (text.starts_with('2'))
      return {meaning::other, "3"};
    if (text.starts_with("44") || text.starts_with("41"))
      return {meaning::fault, {}};
    return {};
  }

  std::string event(const seat&, std::size_t number) const override {
    return R"(42["event",)" + std::to_string(number) + "]";
  }
};

} // namespace

std::string dialect::headers(const seat&) const {
  return {};
}

std::string dialect::greet(const seat&) const {
  return {};
}

std::string dialect::prepare(std::uint16_t, std::string_view,
                             std::size_t) const {
  return {};
}

std::unique_ptr<dialect> make_dialect(std::string_view name,
                                      std::string secret) {
  if (name == "rollcall")
    return make_rollcall_dialect(std::move(secret));
  if (name == "socketio")
    return std::make_unique<socketio_dialect>();
  if (name == "plain")
    return std::make_unique<plain_dialect>();
  return nullptr;
}

} // namespace rollcall::bench
