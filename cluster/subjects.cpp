#include "cluster/subjects.hpp"

#include "actors/base/base64url.hpp"
#include "actors/base/hash.hpp"

#include <algorithm>

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

std::string subjects::stream(partition_id partition) const {
  return "RC_" + cluster_ + "_" + three_digits(partition);
}

std::string subjects::prefix(partition_id partition) const {
  return "rcj." + cluster_ + "." + three_digits(partition) + ".";
}

std::string subjects::journal(partition_id partition) const {
  return prefix(partition) + ">";
}

std::string subjects::claim(partition_id partition) const {
  return prefix(partition) + "e";
}

std::string subjects::key(partition_id partition, std::string_view key) const {
  return prefix(partition) + "s." + subject_token(key);
}

std::string subjects::key_part(partition_id partition, std::string_view text,
                               std::size_t part) const {
  auto out = key(partition, text);
  return part == 0 ? out : out + "." + std::to_string(part);
}

std::string subjects::group_part(partition_id partition, std::uint64_t slot,
                                 std::size_t part) const {
  return prefix(partition) + "g." + std::to_string(slot) + "."
         + std::to_string(part);
}

std::string subjects::groups(partition_id partition) const {
  return prefix(partition) + "g.>";
}

std::string subjects::journal_probe() const {
  return "rcj." + cluster_ + ".probe";
}

} // namespace rollcall::cluster
