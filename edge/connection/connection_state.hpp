#pragma once

// What a client's connection is allowed and where it takes part. Pure.

#include "actors/base/errors.hpp"
#include "actors/base/ids.hpp"
#include "actors/base/instant.hpp"
#include "actors/client.hpp"
#include "actors/commands.hpp"
#include "edge/auth/token.hpp"
#include "edge/protocol/visibility.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace rollcall::edge {

/// What all connections of an edge share. Immutable.
struct connection_rules {
  token_verifier tokens;
  /// Keys participant ids and resume secrets.
  std::string id_secret;
  /// What a token without grants allows.
  capability_set default_grants = rollcall::default_grants;
};

/// A session the connection takes part in.
struct attachment {
  bool joined = false;
  bool attached = false;
  /// As the owner said at the join: what a later owner is told should the
  /// earlier one have been lost before it kept the join.
  std::optional<admission> admitted{};
  connection_facts facts{};
  /// What is shown of it, while attached.
  viewer shown{};
  bool hidden = false;
  /// The code that the client gave, if any.
  std::string code{};
  /// The number of the join that was answered last.
  std::uint64_t joined_by = 0;
};

/// The state of one connection. Owned by its connection actor.
class connection_state {
public:
  connection_state(std::shared_ptr<const connection_rules> rules,
                   connection_id id)
    : rules_(std::move(rules)), id_(id) {
    // nop
  }

  // -- who -------------------------------------------------------------------

  /// Takes a token: the first, or one that renews it for the same user.
  [[nodiscard]] result<done> identify(std::string_view token, millis wall_now);

  /// The client said `hello` without a token.
  void stay_anonymous() noexcept {
    greeted_ = true;
  }

  /// Remembers the connection that this one continues.
  [[nodiscard]] result<done> continue_from(std::string_view resume_key);

  [[nodiscard]] bool greeted() const noexcept {
    return greeted_;
  }

  [[nodiscard]] const connection_id& id() const noexcept {
    return id_;
  }

  [[nodiscard]] std::optional<connection_id> resumes() const noexcept {
    return resumes_;
  }

  [[nodiscard]] const verified_token* token() const noexcept {
    return token_ ? &*token_ : nullptr;
  }

  [[nodiscard]] participant_id participant() const noexcept {
    return participant_;
  }

  [[nodiscard]] std::string resume_key() const;

  /// The connection's namespace: the token's, else the default one.
  [[nodiscard]] const namespace_id& ns() const noexcept;

  [[nodiscard]] session_key key_of(const session_id& session) const {
    return {ns(), session};
  }

  /// Who asks, as a session is told.
  [[nodiscard]] identity caller_for(const session_id& session,
                                    std::string code = {}) const;

  /// What a request asks and who asks it, as one number, for an op id that
  /// comes again; zero where it has none.
  [[nodiscard]] std::uint64_t about(const session_request& asked) const;

  // -- where -----------------------------------------------------------------

  /// Whether one more session fits.
  [[nodiscard]] result<done> room_for(const session_id& session) const;

  [[nodiscard]] std::map<session_id, attachment>& sessions() noexcept {
    return sessions_;
  }

  // -- how many --------------------------------------------------------------

  /// Takes a place among the unanswered requests; false when all are taken.
  [[nodiscard]] bool begin_request() noexcept;
  void end_request() noexcept {
    --in_flight_;
  }

private:
  std::shared_ptr<const connection_rules> rules_;
  connection_id id_;
  bool greeted_ = false;
  std::optional<verified_token> token_;
  participant_id participant_;
  std::optional<connection_id> resumes_;
  std::map<session_id, attachment> sessions_;
  std::size_t in_flight_ = 0;
};

/// What a caller with these rights sees of a session.
[[nodiscard]] viewer viewer_for(view wanted, capability_set rights,
                                const kind_settings& settings) noexcept;

} // namespace rollcall::edge
