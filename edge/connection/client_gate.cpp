#include "edge/connection/client_gate.hpp"

#include "edge/connection/onlooker_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>

#include <utility>

namespace rollcall::edge {

namespace {

// The io loop's end of a connection actor.
class actor_handler final : public connection_handler {
public:
  explicit actor_handler(connection_actor who) : who_(std::move(who)) {
    // nop
  }

  void request(client_request_ptr what) override {
    caf::anon_send(who_, std::move(what));
  }

  void gone(bool goodbye) override {
    caf::anon_send(who_, client_gone{goodbye});
  }

private:
  connection_actor who_;
};

} // namespace

client_gate::client_gate(caf::actor_system& system,
                         std::shared_ptr<const connection_env> env)
  : system_(system), env_(std::move(env)) {
  // nop
}

result<std::shared_ptr<connection_handler>>
client_gate::accept(const accepted_client& client) {
  if (!client.token.empty())
    if (auto known
        = env_->rules->tokens.verify(client.token, env_->clock().wall);
        !known)
      return known.error();
  connection_id id{env_->self.incarnation, ++last_connection_};
  if (client.plain)
    return std::shared_ptr<connection_handler>{std::make_shared<actor_handler>(
      spawn_onlooker(system_, env_,
                     {client.client, id, client.token, client.plain->session,
                      client.plain->words}))};
  auto who = spawn_connection(
    system_, env_, {client.client, client.language, id, client.token});
  return std::shared_ptr<connection_handler>{
    std::make_shared<actor_handler>(std::move(who))};
}

} // namespace rollcall::edge
