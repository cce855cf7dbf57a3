#include "unit/edge/protocol_requests.hpp"

#include "actors/base/limits.hpp"
#include "edge/protocol/message_parts.hpp"
#include "edge/protocol/past_writers.hpp"
#include "edge/protocol/request_decoder.hpp"
#include "edge/protocol/round_parts.hpp"

#include <array>
#include <map>
#include <set>

namespace rollcall::edge::test {

namespace {

// -- encoding ----------------------------------------------------------------

template <class Writer>
void put_text(Writer& to, std::string_view key, const std::string& text) {
  if (text.empty())
    return;
  to.key(key);
  to.text(text);
}

template <class Writer>
void put_version(Writer& to, std::string_view key,
                 const std::optional<version>& at) {
  if (!at)
    return;
  to.key(key);
  write_version(to, *at);
}

template <class Writer>
void put_live(Writer& to, const live_update& live) {
  to.key("live");
  to.open_map(live.size());
  for (const auto& [key, content] : live) {
    to.key(key);
    if (content)
      write_live_value(to, *content);
    else
      to.null();
  }
  to.close_map();
}

template <class Writer, class Enum>
void put_choice(Writer& to, std::string_view key,
                const std::optional<Enum>& choice) {
  if (choice)
    put_text(to, key, std::string{to_string(*choice)});
}

template <class Writer, class Number>
void put_number(Writer& to, std::string_view key,
                const std::optional<Number>& number) {
  if (!number)
    return;
  to.key(key);
  if constexpr (std::is_same_v<Number, bool>)
    to.boolean(*number);
  else if constexpr (std::is_same_v<Number, millis>)
    to.integer(number->count());
  else
    to.integer(*number);
}

template <class Writer>
void put_names(Writer& to, std::string_view key,
               const std::vector<std::string>& names) {
  to.key(key);
  write_permissions(to, names);
}

template <class Writer>
void put_settings(Writer& to, const settings_patch& what) {
  to.key("settings");
  to.open_map();
  put_choice(to, "membership", what.membership);
  put_choice(to, "access", what.access);
  put_choice(to, "host", what.host);
  put_choice(to, "identity", what.identity);
  put_choice(to, "duplicates", what.duplicates);
  put_number(to, "capacity", what.capacity);
  put_number(to, "locked", what.locked);
  put_number(to, "anonymous_views", what.anonymous_views);
  put_number(to, "beat_ms", what.beat);
  put_number(to, "suspect_after_ms", what.suspect_after);
  put_number(to, "timeout_ms", what.timeout);
  put_number(to, "drop_grace_ms", what.drop_grace);
  put_number(to, "host_reclaim_ms", what.host_reclaim);
  put_text(to, "group", what.group.value_or(""));
  if (what.roles)
    put_names(to, "roles", *what.roles);
  put_text(to, "default_role", what.default_role.value_or(""));
  put_number(to, "gated_media", what.gated_media);
  put_number(to, "live_rate", what.live_rate);
  put_number(to, "live_burst", what.live_burst);
  put_number(to, "own_names", what.own_names);
  put_text(to, "code", what.code.value_or(""));
  to.close_map();
}

template <class Writer>
struct body_writer {
  Writer& to;

  void operator()(const hello_request& what) {
    put_text(to, "token", what.token);
    put_text(to, "resume", what.resume);
  }

  void operator()(const refresh_request& what) {
    put_text(to, "token", what.token);
  }

  void operator()(const attach_request& what) {
    put_text(to, "session", what.session.str());
    to.key("view");
    write_view(to, what.wanted);
    put_version(to, "since", what.since);
    put_text(to, "code", what.code);
    if (what.hidden)
      put_number(to, "hidden", std::optional{true});
  }

  void operator()(const detach_request& what) {
    put_text(to, "session", what.session.str());
  }

  void operator()(const heartbeat_request&) {
    // nop
  }

  void operator()(const session_request& what) {
    put_text(to, "session", what.session.str());
    put_text(to, "op_id", what.op.str());
    if (std::holds_alternative<join_command>(what.body)) {
      to.key("view");
      if (what.wanted)
        write_view(to, *what.wanted);
      else
        to.text("none");
    }
    put_version(to, "since", what.since);
    put_text(to, "code", what.code);
    std::visit([this](const auto& body) { this->put(body); }, what.body);
  }

  void operator()(const namespace_request& what) {
    std::visit([this](const auto& body) { this->put(body); }, what.what);
  }

  template <class Command>
  void put_window(const Command& what) {
    put_number(to, "from", std::optional{what.from});
    put_number(to, "until", what.until);
    put_text(to, "user", what.user.str());
    put_text(to, "order", what.newest_first ? "newest" : "oldest");
    put_text(to, "after", what.after);
    put_number(to, "limit", std::optional{what.limit});
  }

  void put(const get_history_command& what) {
    put_text(
      to, "what",
      std::string{history_views.at(static_cast<std::size_t>(what.what))});
    put_window(what);
    put_text(to, "participant_id", what.participant.str());
    if (what.bucket > millis{0})
      put_number(to, "bucket_ms", std::optional{what.bucket});
  }

  void put(const get_audit_command& what) {
    put_window(what);
    put_text(to, "action", what.action);
  }

  void put(const list_sessions_command& what) {
    put_text(to, "kind", what.kind.value_or(""));
    put_number(to, "occupied", what.occupied);
    put_number(to, "ended", what.ended);
    put_number(to, "mine", std::optional{what.mine});
    put_number(to, "upcoming", std::optional{what.upcoming});
    put_text(to, "after", what.after.str());
    put_number(to, "limit", std::optional{what.limit});
  }

  void put(const delete_command&) {
    // nop
  }

  void put(const erase_user_command& what) {
    put_text(to, "user", what.user.str());
  }

  void put(const forget_user_command&) {
    // No client can say it.
  }

  void put(const put_group_command&) {
    // Likewise.
  }

  void put(const get_group_command&) {
    // Likewise.
  }

  void put(const settle_group_command&) {
    // Likewise.
  }

  void put(const join_command& what) {
    live_update live;
    for (const auto& [key, content] : what.live)
      live.emplace(key, content);
    put_live(to, live);
    put_text(to, "create", what.create_kind.value_or(""));
    put_number(to, "lease_ms", what.lease);
    if (what.facts.device != device_class::unknown)
      put_text(to, "device", std::string{to_string(what.facts.device)});
    put_text(to, "place", what.facts.place);
  }

  void put(const leave_command& what) {
    put_connection(what.lease);
  }

  void put(const renew_command& what) {
    put_connection(what.lease);
  }

  void put_connection(const std::optional<connection_id>& named) {
    if (named)
      put_text(to, "connection_id", to_string(*named));
  }

  void put(const set_live_command& what) {
    put_live(to, what.live);
    put_number(to, "age_ms", std::optional{what.age});
  }

  void put(const get_roster_command& what) {
    put_version(to, "after", what.after);
    put_number(to, "limit", std::optional{what.limit});
  }

  void put(const observe_command&) {
    // No client can say it.
  }

  void put(const create_command& what) {
    put_text(to, "kind", what.kind);
    put_settings(to, what.settings);
    put_number(to, "starts_at", what.starts_at);
  }

  void put(const configure_command& what) {
    put_settings(to, what.settings);
    if (!what.starts_at)
      return;
    put_number(to, "starts_at", *what.starts_at);
    if (!*what.starts_at) {
      to.key("starts_at");
      to.null();
    }
  }

  void put(const set_phase_command& what) {
    put_text(to, "phase", what.phase.value_or(""));
    put_text(to, "status", what.status.value_or(""));
    put_number(to, "duration_ms", what.duration);
    put_text(to, "next", what.next);
  }

  void put(const open_round_command& what) {
    put_text(to, "round", what.round);
    to.key("schema");
    write_fields(to, what.rules.schema, 0);
    to.key("roles");
    write_permissions(to, what.rules.roles);
    put_number(to, "revise", std::optional{what.rules.revise});
    put_choice(to, "results", std::optional{what.rules.results});
    put_choice(to, "progress", std::optional{what.rules.progress});
  }

  void put(const close_round_command& what) {
    put_text(to, "round", what.round);
  }

  void put(const submit_command& what) {
    put_text(to, "round", what.round);
    to.key("answer");
    write_datum(to, what.answer);
  }

  void put(const get_round_command& what) {
    put_text(to, "round", what.round);
    if (what.after)
      put_text(to, "after", what.after->str());
    put_number(to, "limit", std::optional{what.limit});
  }

  void put(const start_barrier_command& what) {
    put_text(to, "barrier", what.barrier);
    put_number(to, "timeout_ms", what.timeout);
  }

  void put(const set_ready_command& what) {
    put_number(to, "ready", std::optional{what.ready});
  }

  void put(const set_reminder_command& what) {
    put_number(to, "enabled", std::optional{what.enabled});
    put_number(to, "lead_ms", std::optional{what.lead});
  }

  void put(const end_command&) {
    // nop
  }

  void put(const set_member_command& what) {
    put_target(what);
    put_text(to, "role", what.role.value_or(""));
    if (what.permissions)
      put_names(to, "permissions", *what.permissions);
    if (!what.give.empty())
      put_names(to, "give", what.give);
    if (!what.take.empty())
      put_names(to, "take", what.take);
  }

  void put(const invite_command& what) {
    put_text(to, "user", what.user.str());
    put_text(to, "role", what.role.value_or(""));
  }

  void put(const uninvite_command& what) {
    put_target(what);
  }

  void put(const withdraw_command&) {
    // nop
  }

  void put(const set_name_command& what) {
    to.key("name");
    if (what.name)
      to.text(*what.name);
    else
      to.null();
  }

  void put(const ban_command& what) {
    put_target(what);
    put_number(to, "for_ms", what.lasts);
    put_text(to, "reason", what.reason);
  }

  void put(const unban_command& what) {
    put_target(what);
  }

  void put(const get_members_command& what) {
    put_page(what);
  }

  void put(const get_bans_command& what) {
    put_page(what);
  }

  void put(const get_course_command&) {
    // Nothing more.
  }

  template <class Command>
  void put_page(const Command& what) {
    put_text(to, "after", what.after.str());
    put_number(to, "limit", std::optional{what.limit});
  }

  void put(const kick_command& what) {
    put_target(what);
  }

  void put(const transfer_host_command& what) {
    put_target(what);
  }

  template <class Command>
  void put_target(const Command& what) {
    put_text(to, "user", what.user.str());
    put_text(to, "participant_id", what.participant.str());
  }
};

// -- drawing -----------------------------------------------------------------

class request_draw {
public:
  explicit request_draw(std::mt19937_64& source) : source_(source) {
    // nop
  }

  client_request request() {
    client_request out;
    switch (below(3)) {
    case 0:
      break;
    case 1:
      out.id = number();
      break;
    default:
      out.id = text(limits::request_id_bytes);
    }
    out.body = body();
    return out;
  }

private:
  std::uint64_t below(std::uint64_t end) {
    return source_() % end;
  }

  bool chance() {
    return below(2) == 0;
  }

  std::int64_t number() {
    return static_cast<std::int64_t>(source_() >> (11 + below(53)));
  }

  /// 1 to `most` bytes of printable UTF-8.
  std::string text(std::size_t most) {
    static constexpr std::array<std::string_view, 12> letters
      = {"a", "Z", "9", " ", "\"", "\\", "/", "ö", "€", "🎉", "*", "_"};
    std::string out{letters[below(8)]};
    auto wanted = 1 + below(most);
    while (out.size() < wanted) {
      auto letter = letters[below(letters.size())];
      if (out.size() + letter.size() > most)
        break;
      out += letter;
    }
    return out;
  }

  std::string name() {
    static constexpr std::string_view letters
      = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
    std::string out;
    for (auto left = 1 + below(limits::name_bytes); left > 0; --left)
      out += letters[below(letters.size())];
    return out;
  }

  template <class Make>
  auto maybe(Make make) -> std::optional<decltype(make())> {
    if (chance())
      return std::nullopt;
    return make();
  }

  version drawn_version() {
    return {static_cast<epoch_t>(number()), static_cast<revision_t>(number())};
  }

  view drawn_view() {
    return static_cast<view>(below(3));
  }

  live_value drawn_value() {
    switch (below(4)) {
    case 0:
      return chance();
    case 1:
      return chance() ? number() : -number();
    case 2:
      return static_cast<double>(number()) / 1'024.0 - 4.0;
    default:
      return text(limits::live_value_bytes);
    }
  }

  live_map live() {
    live_map out;
    for (auto left = below(limits::live_keys + 1); left > 0; --left)
      out.emplace(name(), drawn_value());
    return out;
  }

  settings_patch settings() {
    auto span = [this] { return millis{number()}; };
    settings_patch out;
    out.membership
      = maybe([this] { return static_cast<membership_mode>(below(2)); });
    out.access = maybe([this] { return static_cast<access_mode>(below(5)); });
    out.host = maybe([this] { return static_cast<host_policy>(below(5)); });
    out.identity
      = maybe([this] { return static_cast<identity_mode>(below(3)); });
    out.duplicates
      = maybe([this] { return static_cast<duplicate_policy>(below(3)); });
    out.capacity
      = maybe([this] { return static_cast<std::uint32_t>(source_()); });
    out.locked = maybe([this] { return chance(); });
    out.anonymous_views = maybe([this] { return chance(); });
    out.beat = maybe(span);
    out.suspect_after = maybe(span);
    out.timeout = maybe(span);
    out.drop_grace = maybe(span);
    out.host_reclaim = maybe(span);
    out.group = maybe([this] { return text(limits::id_bytes); });
    out.roles = maybe([this] { return names(limits::admitted_roles); });
    out.default_role = maybe([this] { return name(); });
    out.gated_media = maybe([this] { return chance(); });
    out.live_rate
      = maybe([this] { return static_cast<std::uint32_t>(source_()); });
    out.live_burst
      = maybe([this] { return static_cast<std::uint32_t>(source_()); });
    out.own_names = maybe([this] { return chance(); });
    out.code = maybe([this] { return text(limits::code_bytes); });
    return out;
  }

  std::vector<std::string> names(std::size_t most) {
    std::set<std::string> out;
    for (auto left = below(most + 1); left > 0; --left)
      out.insert(name());
    return {out.begin(), out.end()};
  }

  template <class Command>
  Command page() {
    Command out;
    if (chance())
      out.after = user_id{text(limits::id_bytes)};
    out.limit
      = 1 + static_cast<std::uint32_t>(below(limits::roster_page_items));
    return out;
  }

  request_body ban() {
    auto what = target<ban_command>();
    what.lasts = maybe([this] { return millis{1 + number() % 1'000'000}; });
    if (chance())
      what.reason = text(limits::reason_bytes);
    return session(std::move(what), true);
  }

  request_body attach() {
    attach_request out{session_id{text(limits::id_bytes)}, drawn_view(),
                       maybe([this] { return drawn_version(); })};
    if (chance())
      out.code = text(limits::code_bytes);
    out.hidden = chance();
    return out;
  }

  template <class Command>
  Command target() {
    Command out;
    if (chance())
      out.user = user_id{text(limits::id_bytes)};
    else
      out.participant = participant_id{text(limits::id_bytes)};
    return out;
  }

  session_request session(command_body body, bool durable) {
    session_request out;
    out.session = session_id{text(limits::id_bytes)};
    if (durable && chance())
      out.op = op_id{text(limits::op_id_bytes)};
    out.body = std::move(body);
    return out;
  }

  request_body join() {
    join_command what;
    what.live = live();
    what.create_kind = maybe([this] { return name(); });
    what.lease = maybe([this] {
      return millis{static_cast<std::int64_t>(
        below(static_cast<std::uint64_t>(limits::lease_most.count())))};
    });
    auto out = session(std::move(what), true);
    out.wanted = maybe([this] { return drawn_view(); });
    out.since = maybe([this] { return drawn_version(); });
    if (chance())
      out.code = text(limits::code_bytes);
    return out;
  }

  request_body set_live() {
    set_live_command what;
    for (auto& [key, content] : live())
      what.live.emplace(key, chance() ? std::optional{content} : std::nullopt);
    what.age = millis{number()};
    return session(std::move(what), false);
  }

  request_body get_roster() {
    get_roster_command what;
    what.after = maybe([this] { return drawn_version(); });
    what.limit
      = 1 + static_cast<std::uint32_t>(below(limits::roster_page_items));
    return session(what, false);
  }

  request_body set_member() {
    auto what = target<set_member_command>();
    what.role = maybe([this] { return name(); });
    if (chance()) {
      what.permissions = names(limits::permissions_per_member);
    } else {
      what.give = names(limits::permissions_per_member);
      what.take = names(limits::permissions_per_member);
    }
    return session(std::move(what), true);
  }

  template <class Command>
  void window(Command& what) {
    what.from = millis{number()};
    what.until = maybe([this] { return millis{number()}; });
    if (chance())
      what.user = user_id{text(limits::id_bytes)};
    what.newest_first = chance();
    if (chance())
      what.after = text(limits::cursor_bytes);
    what.limit
      = 1 + static_cast<std::uint32_t>(below(limits::history_page_items));
  }

  request_body get_history() {
    get_history_command what;
    what.what = static_cast<history_view>(below(history_views.size()));
    window(what);
    if (what.user.empty() && chance())
      what.participant = participant_id{text(limits::id_bytes)};
    what.bucket = millis{number()};
    return session(std::move(what), false);
  }

  request_body get_audit() {
    get_audit_command what;
    window(what);
    if (chance())
      what.action = name();
    return session(std::move(what), false);
  }

  request_body list_sessions() {
    list_sessions_command what;
    what.kind = maybe([this] { return name(); });
    what.occupied = maybe([this] { return chance(); });
    what.ended = maybe([this] { return chance(); });
    what.mine = chance();
    what.upcoming = chance();
    if (chance())
      what.after = session_id{text(limits::id_bytes)};
    what.limit = 1 + static_cast<std::uint32_t>(below(limits::list_page_items));
    return namespace_request{std::move(what)};
  }

  request_body body() {
    auto maybe_text = [this] { return chance() ? text(60) : std::string{}; };
    auto lease = [this] {
      return maybe([this] { return connection_id{source_(), source_()}; });
    };
    switch (below(38)) {
    case 0:
      return hello_request{maybe_text(), maybe_text()};
    case 1:
      return refresh_request{text(512)};
    case 2:
      return heartbeat_request{};
    case 3:
      return attach();
    case 4:
      return detach_request{session_id{text(limits::id_bytes)}};
    case 5:
      return session(leave_command{lease(), false}, false);
    case 6:
      return set_live();
    case 7:
      return get_roster();
    case 8:
      return session(create_command{name(), settings()}, true);
    case 9:
      return session(configure_command{settings()}, true);
    case 10:
      return session(end_command{}, true);
    case 11:
      return set_member();
    case 12:
      return session(target<kick_command>(), true);
    case 13:
      return session(target<transfer_host_command>(), true);
    case 14:
      return session(
        set_phase_command{maybe([this] { return name(); }),
                          maybe([this] { return name(); }),
                          maybe([this] { return millis{number()}; }),
                          chance() ? name() : std::string{}},
        true);
    case 15:
      return open_round();
    case 16:
      return session(close_round_command{name()}, true);
    case 17:
      return session(submit_command{name(), {fields(0)}}, true);
    case 18:
      return session(
        get_round_command{
          name(), maybe([this] { return participant_id{text(20)}; }),
          1 + static_cast<std::uint32_t>(below(limits::answers_page))},
        false);
    case 19:
      return session(start_barrier_command{name(), maybe([this] {
                                             return millis{number()};
                                           })},
                     true);
    case 20:
      return session(set_ready_command{chance()}, false);
    case 21:
      return session(set_reminder_command{chance(), millis{number()}}, true);
    case 22:
      return session(renew_command{lease()}, false);
    case 23:
      return session(invite_command{user_id{text(limits::id_bytes)},
                                    maybe([this] { return name(); })},
                     true);
    case 24:
      return session(target<uninvite_command>(), true);
    case 25:
      return session(withdraw_command{}, true);
    case 26:
      return ban();
    case 27:
      return session(target<unban_command>(), true);
    case 28:
      return session(page<get_members_command>(), false);
    case 29:
      return session(page<get_bans_command>(), false);
    case 30:
      return get_history();
    case 31:
      return get_audit();
    case 32:
      return list_sessions();
    case 33:
      return session(delete_command{}, true);
    case 34:
      return namespace_request{
        erase_user_command{0, user_id{text(limits::id_bytes)}, {}}};
    case 35:
      return session(get_course_command{}, false);
    case 36:
      return session(
        set_name_command{maybe([this] { return text(limits::id_bytes); })},
        true);
    default:
      return join();
    }
  }

  /// A map of anything, sorted as the decoder sorts it.
  datum::fields fields(std::size_t depth) {
    std::map<std::string, datum> all;
    for (auto left = below(4); left > 0; --left)
      all[text(20)] = tree(depth + 1);
    return {all.begin(), all.end()};
  }

  datum tree(std::size_t depth) {
    switch (below(depth < limits::answer_depth ? 6 : 4)) {
    case 0:
      return {chance()};
    case 1:
      return {chance() ? number() : -number()};
    case 2:
      return {static_cast<double>(number()) / 1'024.0 - 4.0};
    case 3:
      return {text(20)};
    case 4: {
      datum::list all;
      for (auto left = below(4); left > 0; --left)
        all.push_back(tree(depth + 1));
      return {std::move(all)};
    }
    default:
      return {fields(depth)};
    }
  }

  request_body open_round() {
    open_round_command what;
    what.round = name();
    auto& schema = what.rules.schema;
    schema.emplace_back();
    std::set<std::string> names;
    for (auto left = below(5); left > 0; --left) {
      auto type = static_cast<answer_type>(below(8));
      auto& rule = schema.emplace_back();
      do
        rule.name = name();
      while (!names.insert(rule.name).second);
      rule.type = type;
      rule.optional = chance();
      rule.self = chance();
      rule.least = maybe([this] { return static_cast<double>(below(100)); });
      rule.most
        = maybe([this] { return static_cast<double>(below(100)) + 0.5; });
      if (chance())
        rule.choices = {text(10), text(10)};
      if (type == answer_type::list || type == answer_type::participants) {
        rule.below = 1;
        schema.emplace_back().type = answer_type::number;
      }
    }
    schema[0].below = static_cast<std::uint16_t>(schema.size() - 1);
    for (auto left = below(limits::roles_per_round + 1); left > 0; --left)
      what.rules.roles.push_back(name());
    what.rules.revise = chance();
    what.rules.results = static_cast<results_policy>(below(3));
    what.rules.progress = static_cast<progress_policy>(below(2));
    return session(std::move(what), true);
  }

  std::mt19937_64& source_;
};

} // namespace

std::string encode_request(dialect language, const client_request& what) {
  return encoded(language, 256, [&](auto& to) {
    to.open_map();
    to.key("op");
    to.text(op_name(what));
    if (!std::holds_alternative<std::monostate>(what.id)) {
      to.key("id");
      write_request_id(to, what.id);
    }
    std::visit(body_writer<std::remove_reference_t<decltype(to)>>{to},
               what.body);
    to.close_map();
  });
}

client_request random_request(std::mt19937_64& draw) {
  return request_draw{draw}.request();
}

std::string from_hex(std::string_view digits) {
  auto value_of = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    out
      += static_cast<char>(value_of(digits[i]) * 16 + value_of(digits[i + 1]));
  return out;
}

std::string to_hex(std::string_view bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 0xF];
  }
  return out;
}

} // namespace rollcall::edge::test
