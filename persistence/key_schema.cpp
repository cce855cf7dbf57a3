#include "persistence/key_schema.hpp"

#include "actors/base/limits.hpp"

#include <array>

namespace rollcall::keys {

namespace {

static_assert(limits::id_bytes <= 0xFF, "a length fits one byte");

template <class UInt>
void put_number(std::string& out, UInt value) {
  for (std::size_t i = sizeof(UInt); i-- > 0;)
    out += static_cast<char>(value >> (8 * i) & 0xFF);
}

void put_text(std::string& out, std::string_view text) {
  out += static_cast<char>(static_cast<unsigned char>(text.size()));
  out += text;
}

void put_version(std::string& out, version at) {
  put_number(out, at.epoch);
  put_number(out, at.rev);
}

// Takes parts off the front of a key; remembers the first that is wrong.
class cutter {
public:
  explicit cutter(std::string_view rest) : rest_(rest) {
    // nop
  }

  template <class UInt>
  UInt number(const char* part) {
    UInt value = 0;
    for (char c : take(sizeof(UInt), part))
      value = static_cast<UInt>(value << 8 | static_cast<unsigned char>(c));
    return value;
  }

  std::string text(const char* part) {
    auto size = number<std::uint8_t>(part);
    if (size > limits::id_bytes)
      wrong(part);
    return std::string{take(size, part)};
  }

  version at(const char* part) {
    auto epoch = number<std::uint64_t>(part);
    return {epoch, number<std::uint64_t>(part)};
  }

  std::string all() {
    return std::string{take(rest_.size(), "rest")};
  }

  void wrong(const char* part) {
    if (!wrong_)
      wrong_ = part;
  }

  [[nodiscard]] const char* finish() {
    if (!rest_.empty())
      wrong("trailing bytes");
    return wrong_;
  }

private:
  std::string_view take(std::size_t count, const char* part) {
    if (wrong_ || rest_.size() < count) {
      wrong(part);
      return {};
    }
    auto out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return out;
  }

  std::string_view rest_;
  const char* wrong_ = nullptr;
};

session_key cut_session(cutter& in) {
  session_key out;
  out.ns = namespace_id{in.text("namespace")};
  out.id = session_id{in.text("session")};
  return out;
}

void cut_table(cutter& in, parsed& out) {
  switch (out.where) {
  case table::session:
  case table::occupied:
  case table::due:
    out.session = cut_session(in);
    return;
  case table::member:
  case table::ban:
    out.session = cut_session(in);
    out.user = user_id{in.text("user")};
    return;
  case table::page:
    out.session = cut_session(in);
    out.number = in.number<std::uint32_t>("number");
    return;
  case table::interval:
    out.session = cut_session(in);
    out.at = in.at("joined");
    out.user = user_id{in.text("user")};
    return;
  case table::audit:
    out.session = cut_session(in);
    out.at = in.at("at");
    out.rest = in.text("action");
    out.user = user_id{in.text("target")};
    return;
  case table::round:
    out.session = cut_session(in);
    out.rest = in.text("round");
    return;
  case table::submission:
    out.session = cut_session(in);
    out.rest = in.text("round");
    out.user = user_id{in.text("user")};
    return;
  case table::event:
    out.session = cut_session(in);
    out.at = in.at("at");
    return;
  case table::set_aside:
    out.session = cut_session(in);
    out.rest = in.all();
    return;
  case table::checkpoint:
    if (out.partition == store_wide)
      in.wrong("partition");
    return;
  case table::schema:
  case table::layout:
  case table::nodes:
    if (out.partition != store_wide)
      in.wrong("partition");
    return;
  }
  in.wrong("table");
}

} // namespace

std::string of_session(partition_id partition, const session_key& session) {
  return prefix(partition, table::session, session);
}

std::string of_member(partition_id partition, const session_key& session,
                      const user_id& user) {
  auto out = prefix(partition, table::member, session);
  put_text(out, user.str());
  return out;
}

std::string of_ban(partition_id partition, const session_key& session,
                   const user_id& user) {
  auto out = prefix(partition, table::ban, session);
  put_text(out, user.str());
  return out;
}

std::string of_page(partition_id partition, const session_key& session,
                    std::uint32_t number) {
  auto out = prefix(partition, table::page, session);
  put_number(out, number);
  return out;
}

std::string of_occupied(partition_id partition, const session_key& session) {
  return prefix(partition, table::occupied, session);
}

std::string of_due(partition_id partition, const session_key& session) {
  return prefix(partition, table::due, session);
}

std::string of_interval(partition_id partition, const session_key& session,
                        version joined, const user_id& user) {
  auto out = prefix(partition, table::interval, session);
  put_version(out, joined);
  put_text(out, user.str());
  return out;
}

std::string of_audit(partition_id partition, const session_key& session,
                     version at, std::string_view action,
                     const user_id& target) {
  auto out = prefix(partition, table::audit, session);
  put_version(out, at);
  put_text(out, action);
  put_text(out, target.str());
  return out;
}

std::string of_round(partition_id partition, const session_key& session,
                     std::string_view round) {
  auto out = prefix(partition, table::round, session);
  put_text(out, round);
  return out;
}

std::string of_submission(partition_id partition, const session_key& session,
                          std::string_view round, const user_id& user) {
  auto out = prefix(partition, table::submission, session);
  put_text(out, round);
  put_text(out, user.str());
  return out;
}

std::string of_event(partition_id partition, const session_key& session,
                     version at) {
  auto out = prefix(partition, table::event, session);
  put_version(out, at);
  return out;
}

std::string of_set_aside(partition_id partition, const session_key& session,
                         std::string_view old_key) {
  auto out = prefix(partition, table::set_aside, session);
  out += old_key;
  return out;
}

std::string of_checkpoint(partition_id partition) {
  return prefix(partition, table::checkpoint);
}

std::string of_schema() {
  return prefix(store_wide, table::schema);
}

std::string of_layout() {
  return prefix(store_wide, table::layout);
}

std::string of_nodes() {
  return prefix(store_wide, table::nodes);
}

std::string prefix(partition_id partition) {
  std::string out;
  put_number(out, partition);
  return out;
}

std::string prefix(partition_id partition, table where) {
  auto out = prefix(partition);
  out += static_cast<char>(where);
  return out;
}

std::string prefix(partition_id partition, table where,
                   const namespace_id& ns) {
  auto out = prefix(partition, where);
  put_text(out, ns.str());
  return out;
}

std::string prefix(partition_id partition, table where,
                   const session_key& session) {
  auto out = prefix(partition, where);
  put_text(out, session.ns.str());
  put_text(out, session.id.str());
  return out;
}

std::span<const table> tables_of_sessions() noexcept {
  static constexpr std::array all
    = {table::session, table::member,     table::page,  table::occupied,
       table::due,     table::interval,   table::audit, table::ban,
       table::round,   table::submission, table::event, table::set_aside};
  return all;
}

result<parsed> parse(std::string_view key) {
  cutter in{key};
  parsed out;
  out.partition = in.number<std::uint32_t>("partition");
  out.where = static_cast<table>(in.number<std::uint8_t>("table"));
  cut_table(in, out);
  if (const char* part = in.finish())
    return fail(errc::internal, "a stored key does not parse", part);
  return out;
}

} // namespace rollcall::keys
