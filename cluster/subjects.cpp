#include "cluster/subjects.hpp"

#include "actors/base/base64url.hpp"
#include "actors/base/hash.hpp"

#include <algorithm>
#include <charconv>

namespace rollcall::cluster {

namespace {

constexpr std::size_t cluster_id_bytes = 32;
constexpr std::size_t token_hash_bytes = 16;

bool is_token_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// Three digits keep streams sorted where people list them.
std::string three_digits(partition_id partition) {
  auto text = std::to_string(partition);
  return text.size() < 3 ? std::string(3 - text.size(), '0') + text : text;
}

} // namespace

result<std::string> check_cluster_id(std::string_view text) {
  if (text.empty() || text.size() > cluster_id_bytes
      || !std::all_of(text.begin(), text.end(), is_token_char))
    return fail(errc::bad_request,
                "a cluster's id is 1 to 32 of letters, digits, _ and -",
                "cluster");
  return std::string{text};
}

std::string subject_token(std::string_view text) {
  auto digest = sha256(text);
  return base64url_encode(
    {reinterpret_cast<const char*>(digest.data()), token_hash_bytes});
}

subjects::subjects(std::string_view cluster)
  : cluster_(check_cluster_id(cluster) ? std::string{cluster}
                                       : subject_token(cluster)) {
  // nop
}

std::string subjects::node_inbox(const node_id& node) const {
  auto text = node.name;
  text += '\0';
  text += std::to_string(node.incarnation);
  return "rc." + cluster_ + ".n." + subject_token(text);
}

std::string subjects::everybody() const {
  return "rc." + cluster_ + ".all";
}

std::string subjects::stream(stream_id of) const {
  return "RC_" + cluster_ + "_" + three_digits(of.partition) + "_"
         + std::to_string(of.generation);
}

std::uint64_t subjects::generation_in(std::string_view name,
                                      partition_id partition) const {
  const auto front = "RC_" + cluster_ + "_" + three_digits(partition) + "_";
  std::uint64_t out = 0;
  if (!name.starts_with(front))
    return 0;
  name.remove_prefix(front.size());
  auto [end, bad]
    = std::from_chars(name.data(), name.data() + name.size(), out);
  return bad == std::errc{} && end == name.data() + name.size() ? out : 0;
}

std::string subjects::prefix(stream_id of) const {
  return "rcj." + cluster_ + "." + three_digits(of.partition) + "."
         + std::to_string(of.generation) + ".";
}

std::string subjects::journals(partition_id partition) const {
  return "rcj." + cluster_ + "." + three_digits(partition) + ".>";
}

std::string subjects::journal(stream_id of) const {
  return prefix(of) + ">";
}

std::string subjects::claim(stream_id of) const {
  return prefix(of) + "e";
}

std::string subjects::base(stream_id of, std::uint64_t number) const {
  return prefix(of) + "b." + std::to_string(number);
}

std::string subjects::seeded(stream_id of) const {
  return prefix(of) + "i";
}

std::string subjects::seal(stream_id of) const {
  return prefix(of) + "x";
}

std::string subjects::key(stream_id of, std::string_view key) const {
  return prefix(of) + "s." + subject_token(key);
}

std::string subjects::key_part(stream_id of, std::string_view text,
                               std::size_t part) const {
  auto out = key(of, text);
  return part == 0 ? out : out + "." + std::to_string(part);
}

std::string subjects::group_part(stream_id of, std::uint64_t slot,
                                 std::size_t part) const {
  return prefix(of) + "g." + std::to_string(slot) + "." + std::to_string(part);
}

std::string subjects::groups(stream_id of) const {
  return prefix(of) + "g.>";
}

std::string subjects::journal_probe() const {
  return "rcj." + cluster_ + ".probe";
}

} // namespace rollcall::cluster
