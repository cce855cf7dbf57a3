#include "cluster/stream_api.hpp"

#include "actors/base/base64url.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <charconv>

namespace rollcall::cluster {

namespace {

using rapidjson::Value;

constexpr std::int64_t second_ns = 1'000'000'000;
// At least the longest time over which a message may be sent again.
constexpr std::int64_t duplicate_window = 30 * second_ns;
constexpr std::size_t error_answer_most = 1'024;
constexpr std::int64_t consumer_idle = 10 * second_ns;

// A JSON object as it is written.
class object {
public:
  object() : to_(text_) {
    to_.StartObject();
  }

  object& add(const char* key, std::string_view value) {
    to_.Key(key);
    to_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
    return *this;
  }

  object& add(const char* key, std::int64_t value) {
    to_.Key(key);
    to_.Int64(value);
    return *this;
  }

  object& add(const char* key, std::uint64_t value) {
    to_.Key(key);
    to_.Uint64(value);
    return *this;
  }

  object& flag(const char* key, bool value) {
    to_.Key(key);
    to_.Bool(value);
    return *this;
  }

  object& raw(const char* key, const std::string& json, rapidjson::Type type) {
    to_.Key(key);
    to_.RawValue(json.data(), json.size(), type);
    return *this;
  }

  std::string end() {
    to_.EndObject();
    return {text_.GetString(), text_.GetSize()};
  }

private:
  rapidjson::StringBuffer text_;
  rapidjson::Writer<rapidjson::StringBuffer> to_;
};

// Null for whatever is not there.
const Value& member(const Value& of, const char* key) {
  static const Value none;
  if (!of.IsObject())
    return none;
  auto found = of.FindMember(key);
  return found == of.MemberEnd() ? none : found->value;
}

std::string text(const Value& value) {
  return value.IsString()
           ? std::string{value.GetString(), value.GetStringLength()}
           : std::string{};
}

std::uint64_t number(const Value& value) {
  return value.IsUint64() ? value.GetUint64() : 0;
}

bool truth(const Value& value) {
  return value.IsBool() && value.GetBool();
}

// Parses and fills in the error; false when there is nothing more to read.
bool parse(rapidjson::Document& to, std::string_view json, stream_answer& out) {
  to.Parse(json.data(), json.size());
  if (to.HasParseError() || !to.IsObject()) {
    out.error = -1;
    out.description = "the server's answer is not JSON";
    return false;
  }
  const auto& error = member(to, "error");
  if (!error.IsObject())
    return true;
  out.description = text(member(error, "description"));
  out.error = static_cast<int>(number(member(error, "err_code")));
  if (out.error == 0)
    out.error = -1;
  return false;
}

// "wrong last sequence: 17"
std::uint64_t number_at_end(std::string_view text) {
  auto digits = text.substr(text.find_last_not_of("0123456789") + 1);
  std::uint64_t out = 0;
  auto [end, bad]
    = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return bad == std::errc{} ? out : 0;
}

// The server writes padded base64 with the other two characters.
bool decode_base64(std::string from, std::string& to) {
  while (from.ends_with('='))
    from.pop_back();
  for (auto& c : from)
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  auto decoded = base64url_decode(from);
  if (!decoded)
    return false;
  to = std::move(*decoded);
  return true;
}

} // namespace

std::string create_stream_request(const stream_settings& wanted) {
  return object{}
    .add("name", wanted.name)
    .add("description", wanted.marker)
    .raw("subjects", "[\"" + wanted.subjects + "\"]", rapidjson::kArrayType)
    .add("retention", "limits")
    .add("storage", "file")
    .add("num_replicas", std::int64_t{wanted.replicas})
    .add("max_msgs_per_subject", std::int64_t{1})
    .add("max_msgs", std::int64_t{-1})
    .add("max_consumers", std::int64_t{-1})
    .add("max_bytes", wanted.max_bytes)
    .add("max_msg_size", wanted.max_message_bytes)
    .add("max_age", std::int64_t{0})
    // A full journal refuses; "old" would forget values that are in force.
    .add("discard", "new")
    .add("duplicate_window", duplicate_window)
    .flag("deny_purge", true)
    .flag("deny_delete", false)
    .flag("allow_rollup_hdrs", false)
    .end();
}

std::string message_at_request(std::uint64_t sequence) {
  return object{}.add("seq", sequence).end();
}

std::string last_message_request(std::string_view subject) {
  return object{}.add("last_by_subj", subject).end();
}

std::string next_message_request(std::string_view filter, std::uint64_t first) {
  return object{}.add("seq", first).add("next_by_subj", filter).end();
}

std::string consumer_request(std::string_view stream, std::string_view filter,
                             std::uint64_t first) {
  auto config = object{}
                  .add("deliver_policy", "by_start_sequence")
                  .add("opt_start_seq", first)
                  .add("ack_policy", "none")
                  .add("filter_subject", filter)
                  .add("replay_policy", "instant")
                  .add("inactive_threshold", consumer_idle)
                  .add("num_replicas", std::int64_t{1})
                  .flag("mem_storage", true)
                  .end();
  return object{}
    .add("stream_name", stream)
    .raw("config", config, rapidjson::kObjectType)
    .end();
}

std::string stream_names_request(std::string_view subject) {
  return object{}.add("subject", subject).end();
}

bool is_between_leaders(std::string_view json) {
  // What is long has more than an error.
  if (json.size() > error_answer_most)
    return false;
  rapidjson::Document from;
  stream_answer out;
  (void)parse(from, json, out);
  return out.error == stream_error::no_meta_leader
         || out.error == stream_error::not_the_leader;
}

names_answer parse_names_answer(std::string_view json) {
  names_answer out;
  rapidjson::Document from;
  if (!parse(from, json, out))
    return out;
  const auto& names = member(from, "streams");
  // "There is none" must have been said, and all of them.
  if (!member(from, "total").IsUint64()
      || number(member(from, "total"))
           != (names.IsArray() ? names.GetArray().Size() : 0)) {
    out.error = -1;
    return out;
  }
  if (!names.IsArray())
    return out;
  for (const auto& one : names.GetArray())
    out.names.push_back(text(one));
  return out;
}

publish_answer parse_publish_answer(std::string_view json) {
  publish_answer out;
  rapidjson::Document from;
  if (!parse(from, json, out)) {
    if (out.error == stream_error::wrong_last_sequence)
      out.last_sequence = number_at_end(out.description);
    return out;
  }
  out.sequence = number(member(from, "seq"));
  out.duplicate = truth(member(from, "duplicate"));
  if (out.sequence == 0)
    out.error = -1;
  return out;
}

info_answer parse_info_answer(std::string_view json) {
  info_answer out;
  rapidjson::Document from;
  if (!parse(from, json, out))
    return out;
  const auto& config = member(from, "config");
  const auto& limit = member(config, "max_msgs_per_subject");
  out.marker = text(member(config, "description"));
  out.messages_per_subject = limit.IsInt64() ? limit.GetInt64() : 0;
  out.discard = text(member(config, "discard"));
  out.deny_purge = truth(member(config, "deny_purge"));
  out.last_sequence = number(member(member(from, "state"), "last_seq"));
  out.leader = text(member(member(from, "cluster"), "leader"));
  return out;
}

message_answer parse_message_answer(std::string_view json) {
  message_answer out;
  rapidjson::Document from;
  if (!parse(from, json, out))
    return out;
  const auto& message = member(from, "message");
  out.subject = text(member(message, "subject"));
  out.sequence = number(member(message, "seq"));
  if (out.sequence == 0
      || !decode_base64(text(member(message, "data")), out.data))
    out.error = -1;
  return out;
}

consumer_answer parse_consumer_answer(std::string_view json) {
  consumer_answer out;
  rapidjson::Document from;
  if (!parse(from, json, out))
    return out;
  out.name = text(member(from, "name"));
  out.pending = number(member(from, "num_pending"));
  if (out.name.empty())
    out.error = -1;
  return out;
}

} // namespace rollcall::cluster
