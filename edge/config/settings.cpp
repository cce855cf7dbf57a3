#include "edge/config/settings.hpp"

#include "actors/base/limits.hpp"
#include "edge/config/value_types.hpp"

#include <algorithm>
#include <type_traits>

namespace rollcall::edge {

namespace {

constexpr millis day{86'400'000};
constexpr std::size_t path_bytes = 4'096;
constexpr std::size_t url_bytes = 2'048;

failure wrong(std::string message) {
  return fail(errc::bad_request, std::move(message));
}

// -- checks of texts ----------------------------------------------------------

bool all_of(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [more](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || more.find(c) != std::string_view::npos;
  });
}

result<done> accept_node_name(std::string_view text) {
  if (text.empty() || text.size() > limits::name_bytes || !all_of(text, "_-"))
    return wrong("must have 1 to 32 characters of A-Z a-z 0-9 _ -");
  return done{};
}

result<done> accept_not_empty(std::string_view text) {
  if (text.empty())
    return wrong("must not be empty");
  return done{};
}

result<done> accept_role(std::string_view text) {
  if (!text.empty() && !check_name(text, {}))
    return wrong("expected up to 32 of [a-z0-9_.-]");
  return done{};
}

result<done> accept_url(std::string_view text) {
  if (!text.empty() && !parse_origin(text))
    return wrong("expected a URL such as \"https://live.example.org\"");
  return done{};
}

result<done> accept_kid(std::string_view text) {
  if (text.size() > 64 || !all_of(text, "._-"))
    return wrong("must have at most 64 characters of A-Z a-z 0-9 . _ -");
  return done{};
}

result<done> accept_id(std::string_view text) {
  if (auto id = check_id(text, {}); !id)
    return id.error();
  return done{};
}

// -- entries ------------------------------------------------------------------

/// Adds entries to a table. `get` yields the place of a value in a target,
/// mutable or not.
template <class Target>
class table_builder {
public:
  template <class Type, class Get>
  setting<Target>& add(std::string_view name, Type type, Get get,
                       std::string_view help) {
    setting<Target> entry;
    entry.name = name;
    entry.type = type.describe();
    entry.help = help;
    entry.secret = std::is_same_v<Type, secret_type>;
    entry.is_switch = std::is_same_v<Type, bool_type>;
    entry.read
      = [type, get](Target& target, const raw_value& raw) -> result<done> {
      auto value = type.read(raw);
      if (!value)
        return value.error();
      auto& place = get(target);
      place = static_cast<std::remove_reference_t<decltype(place)>>(*value);
      return done{};
    };
    entry.write
      = [type, get](const Target& target) { return type.write(get(target)); };
    return entries_.emplace_back(std::move(entry));
  }

  [[nodiscard]] std::vector<setting<Target>> take() {
    return std::move(entries_);
  }

private:
  std::vector<setting<Target>> entries_;
};

// Names the place of a value in a target that may be const.
#define ROLLCALL_AT(member) \
  [](auto& target) -> auto& { \
    return (target.member); \
  }

const text_type path_type{"path", path_bytes};

void add_general(table_builder<config_draft>& table) {
  table.add(
    "name",
    text_type{"1 to 32 of `A-Za-z0-9_-`", limits::name_bytes, accept_node_name},
    ROLLCALL_AT(config.name), "Name of the node, unique in a cluster.");
  table.add("data_dir", text_type{"path", path_bytes, accept_not_empty},
            ROLLCALL_AT(config.data_dir), "Where the store keeps its files.");
  table.add("accept_loss", bool_type{}, ROLLCALL_AT(config.accept_loss),
            "Make lost journals anew from this node's copies, giving up what "
            "only missing nodes have. For one start, not for the file.");
  table.add("shutdown_grace", duration_type{millis{0}, millis{600'000}},
            ROLLCALL_AT(config.shutdown_grace),
            "How long a shutdown waits for clients and commits.");
}

void add_server(table_builder<config_draft>& table) {
  table
    .add("server.listen", endpoint_type{}, ROLLCALL_AT(config.server.listen),
         "Address and port for clients; port 0 takes a free one.")
    .short_flag
    = "--listen";
  table.add("server.public_url", text_type{"URL", url_bytes, accept_url},
            ROLLCALL_AT(config.server.public_url),
            "What clients are told to connect to; empty means the address "
            "above.");
  table.add("server.origins", origins_type{},
            ROLLCALL_AT(config.server.origins),
            "Web origins besides our own host whose pages may connect.");
  table.add("server.tls_cert", path_type, ROLLCALL_AT(config.server.tls_cert),
            "PEM file with the certificate chain.");
  table.add("server.tls_key", path_type, ROLLCALL_AT(config.server.tls_key),
            "PEM file with the private key of `tls_cert`.");
  table.add("server.token_cookie", text_type{"text", 64, accept_kid},
            ROLLCALL_AT(config.server.token_cookie),
            "Cookie that may carry the token of an HTTP request or of a plain "
            "WebSocket; make it SameSite. Empty: none may.");
  table.add("server.allow_plaintext", bool_type{},
            ROLLCALL_AT(config.server.allow_plaintext),
            "Listen beyond loopback without TLS, behind a proxy that has it.");
  table.add("server.io_threads", integer_type{0, 64},
            ROLLCALL_AT(config.server.io_threads),
            "Threads for sockets; 0 means by the number of cores.");
}

void add_limits(table_builder<config_draft>& table) {
  table.add("limits.connections_per_address", integer_type{1, 1'000'000},
            ROLLCALL_AT(config.limits.connections_per_address),
            "Connections of one client address (IPv6: of one /64).");
  table.add("limits.requests_per_second", number_type{0.1, 1e6},
            ROLLCALL_AT(config.limits.requests_per_second),
            "Requests of one connection in the long run.");
  table.add("limits.request_burst", number_type{1, 1e6},
            ROLLCALL_AT(config.limits.request_burst),
            "Requests of one connection at once.");
  table.add("limits.send_buffer", size_type{0, std::size_t{16} << 20},
            ROLLCALL_AT(config.limits.send_buffer),
            "Kernel send buffer per client; 0 leaves it to the kernel.");
}

void add_engine(table_builder<config_draft>& table) {
  table.add("engine.worker_threads", integer_type{0, 256},
            ROLLCALL_AT(config.engine.worker_threads),
            "Threads for sessions; 0 means by the number of cores.");
  table.add("engine.partitions", integer_type{1, limits::partitions_max},
            ROLLCALL_AT(config.engine.partitions),
            "Slices of all sessions; never to change for a data directory.");
  table.add("engine.tick", duration_type{millis{5}, millis{10}},
            ROLLCALL_AT(config.engine.tick),
            "Shortest distance between two batches of a session.");
  table.add("engine.commit_window", duration_type{millis{0}, millis{100}},
            ROLLCALL_AT(config.engine.commit_window),
            "How long a group commit gathers before it is written.");
  table.add("engine.default_grants", rights_type{},
            ROLLCALL_AT(config.engine.default_grants),
            "Rights of a token without the claim `grants`.");
}

void add_cluster(table_builder<config_draft>& table) {
  table.add("cluster.nats", nats_urls_type{}, ROLLCALL_AT(config.cluster.nats),
            "NATS servers with JetStream that join this node to others; empty "
            "for a node alone.");
  table.add(
    "cluster.id",
    text_type{"1 to 32 of `A-Za-z0-9_-`", limits::name_bytes, accept_node_name},
    ROLLCALL_AT(config.cluster.id), "The same for all nodes of a cluster.");
  table.add("cluster.roles", roles_type{}, ROLLCALL_AT(config.cluster.roles),
            "`core` owns partitions, `edge` serves clients; a node alone "
            "does both.");
  table.add("cluster.credentials", path_type,
            ROLLCALL_AT(config.cluster.credentials),
            "File with `user:password`, or a NATS `.creds` file.");
  table.add("cluster.ca", path_type, ROLLCALL_AT(config.cluster.ca),
            "PEM file with the authorities that NATS servers are checked "
            "against; turns TLS on.");
  table.add("cluster.replicas", integer_type{1, 5},
            ROLLCALL_AT(config.cluster.replicas),
            "Copies of each stream: 1, or 3 where NATS has three servers.");
  table.add("cluster.stream_bytes",
            size_type{std::size_t{4} << 20, std::size_t{64} << 30},
            ROLLCALL_AT(config.cluster.stream_bytes),
            "What NATS sets aside for each partition's stream when it is made; "
            "its max_file_store must hold engine.partitions times this.");
  table.add("cluster.weight", integer_type{0, 1'000},
            ROLLCALL_AT(config.cluster.weight),
            "Share of the partitions, relative to other nodes.");
}

void add_secrets(table_builder<config_draft>& table) {
  table.add(
    "tokens.audience", text_type{"text", limits::id_bytes, accept_not_empty},
    ROLLCALL_AT(config.tokens.audience), "What the claim `aud` must contain.");
  table.add("tokens.leeway", duration_type{millis{0}, millis{300'000}},
            ROLLCALL_AT(config.tokens.leeway),
            "Tolerated difference of clocks.");
  table.add("tokens.max_lifetime", duration_type{millis{60'000}, 366 * day},
            ROLLCALL_AT(config.tokens.max_lifetime),
            "How far ahead the claim `exp` may be.");
  table.add("tokens.profile", profile_type{},
            ROLLCALL_AT(config.tokens.profile),
            "Claims shown of a user beside `name` and `email`.");
  table.add("tokens.secret", secret_type{}, ROLLCALL_AT(token_secret.value),
            "Secret of an HS256 key for namespace `default`, without `kid`.");
  table.add("tokens.secret_file", path_type, ROLLCALL_AT(token_secret.file),
            "File that holds this secret instead.");
  table.add("ids.secret", secret_type{}, ROLLCALL_AT(id_secret.value),
            "Secret that participant ids are made with; never to change.");
  table.add("ids.secret_file", path_type, ROLLCALL_AT(id_secret.file),
            "File that holds this secret instead.");
}

void add_upkeep(table_builder<config_draft>& table) {
  table.add("retention.ended_sessions", duration_type{millis{0}, 3'660 * day},
            ROLLCALL_AT(config.retention.ended_sessions),
            "How long an ended session stays readable.");
  table.add("retention.history", duration_type{millis{0}, 3'660 * day},
            ROLLCALL_AT(config.retention.history),
            "How long intervals of presence and audit entries are kept.");
  table.add("log.level", choice_of<log_level, 5>(),
            ROLLCALL_AT(config.log.level), "Lowest level that is written.");
  table.add("log.format", choice_type<log_format, 3>{{"auto", "json", "text"}},
            ROLLCALL_AT(config.log.format),
            "`auto` writes text to a terminal, else JSON lines.");
  table.add("log.file", path_type, ROLLCALL_AT(config.log.file),
            "File to append to; empty means standard output.");
  table.add("log.async", bool_type{}, ROLLCALL_AT(config.log.async),
            "Write on a thread of its own; drops the oldest under pressure.");
}

std::vector<setting<config_draft>> make_node_settings() {
  table_builder<config_draft> table;
  add_general(table);
  add_server(table);
  add_limits(table);
  add_engine(table);
  add_cluster(table);
  add_secrets(table);
  add_upkeep(table);
  return table.take();
}

std::vector<setting<token_key_draft>> make_token_key_settings() {
  table_builder<token_key_draft> table;
  table.add("kid", text_type{"text", 64, accept_kid}, ROLLCALL_AT(key.kid),
            "Name of the key in the token's header; unique.");
  table.add("namespace", text_type{"id", limits::id_bytes, accept_id},
            ROLLCALL_AT(key.ns),
            "Namespace of everyone who presents a token of this key.");
  table.add("algorithm", choice_type<algorithm, 1>{{"HS256"}},
            ROLLCALL_AT(key.alg),
            "Algorithm of the key; the token has no say.");
  table.add("secret", secret_type{}, ROLLCALL_AT(secret.value),
            "The secret itself.");
  table.add("secret_file", path_type, ROLLCALL_AT(secret.file),
            "File that holds the secret instead.");
  return table.take();
}

std::vector<setting<kind_draft>> make_kind_settings() {
  // The bounds proper are those of check(kind_settings).
  const duration_type up_to_a_day{millis{0}, day};
  table_builder<kind_draft> table;
  table.add("base", text_type{"kind", limits::name_bytes}, ROLLCALL_AT(base),
            "Of an own kind: the preset it starts from.");
  table.add("membership", choice_of<membership_mode, 2>(),
            ROLLCALL_AT(settings.membership),
            "Whether belonging to a session outlives being present.");
  table.add("access", choice_of<access_mode, 5>(), ROLLCALL_AT(settings.access),
            "Who may enter: everyone with a token, or by invitation, group, "
            "role or code.");
  table.add("host", choice_of<host_policy, 5>(), ROLLCALL_AT(settings.host),
            "How the host is found.");
  table.add("identity", choice_of<identity_mode, 3>(),
            ROLLCALL_AT(settings.identity),
            "What ordinary participants are shown of each other.");
  table.add("duplicates", choice_of<duplicate_policy, 3>(),
            ROLLCALL_AT(settings.duplicates),
            "What happens when a user who is here connects once more.");
  table.add("capacity",
            integer_type{
              0, static_cast<std::int64_t>(limits::participants_per_session)},
            ROLLCALL_AT(settings.capacity),
            "Participants at once; 0 means no limit of its own.");
  table.add("locked", bool_type{}, ROLLCALL_AT(settings.locked),
            "Whether new sessions start closed to newcomers.");
  table.add("anonymous_views", bool_type{},
            ROLLCALL_AT(settings.anonymous_views),
            "Whether `count` and `events` may be watched without a token.");
  table.add("beat", duration_type{millis{1'000}, day},
            ROLLCALL_AT(settings.beat),
            "How often clients give a sign of life.");
  table.add("suspect_after", up_to_a_day, ROLLCALL_AT(settings.suspect_after),
            "From the last sign of life until `suspected`.");
  table.add("timeout", up_to_a_day, ROLLCALL_AT(settings.timeout),
            "From the last sign of life until `left: timeout`.");
  table.add("drop_grace", up_to_a_day, ROLLCALL_AT(settings.drop_grace),
            "From a socket closing without goodbye until `left: network`.");
  table.add("host_reclaim", up_to_a_day, ROLLCALL_AT(settings.host_reclaim),
            "How long an appointed host who left is still the host.");
  table.add("history", duration_type{millis{0}, 3'660 * day},
            ROLLCALL_AT(history),
            "How long its history is kept; 0 means `retention.history`.");
  table.add("default_role", text_type{"text", limits::name_bytes, accept_role},
            ROLLCALL_AT(settings.default_role),
            "The role of those who become members; empty: none.");
  table.add("gated_media", bool_type{}, ROLLCALL_AT(settings.gated_media),
            "Whether `can_speak` and `can_video` are needed to turn on audio "
            "and video.");
  table.add("live_rate", integer_type{0, std::int64_t{limits::live_rate}},
            ROLLCALL_AT(settings.live_rate),
            "Live updates of one participant per second in the long run; 0 "
            "means no limit of its own.");
  table.add("live_burst", integer_type{1, std::int64_t{limits::live_rate}},
            ROLLCALL_AT(settings.live_burst),
            "Live updates of one participant at once.");
  table.add("own_names", bool_type{}, ROLLCALL_AT(settings.own_names),
            "Whether everyone may give themselves a name in place of the "
            "token's; otherwise those with `own_name` may.");
  return table.take();
}

#undef ROLLCALL_AT

std::string spelled(std::string_view prefix, std::string_view key,
                    char separator, bool upper) {
  std::string out{prefix};
  for (char c : key) {
    if (c == '.' || c == '_')
      out += separator;
    else
      out
        += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

} // namespace

const std::vector<setting<config_draft>>& node_settings() {
  static const auto all = make_node_settings();
  return all;
}

const std::vector<setting<token_key_draft>>& token_key_settings() {
  static const auto all = make_token_key_settings();
  return all;
}

const std::vector<setting<kind_draft>>& kind_draft_settings() {
  static const auto all = make_kind_settings();
  return all;
}

std::string env_name(std::string_view key) {
  return spelled("ROLLCALL_", key, '_', true);
}

std::string flag_name(std::string_view key) {
  return spelled("--", key, '-', false);
}

} // namespace rollcall::edge
