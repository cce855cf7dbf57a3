#include "edge/net/client_address.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace rollcall::edge {

namespace {

constexpr std::array<unsigned char, 12> mapped_prefix{0, 0, 0, 0, 0,    0,
                                                      0, 0, 0, 0, 0xFF, 0xFF};

bool is_mapped(const std::array<unsigned char, 16>& bytes) noexcept {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin());
}

} // namespace

client_address client_address::from(const sockaddr& address) noexcept {
  client_address result;
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    std::copy(mapped_prefix.begin(), mapped_prefix.end(), result.bytes.begin());
    std::memcpy(result.bytes.data() + mapped_prefix.size(), &v4.sin_addr, 4);
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    std::memcpy(result.bytes.data(), &v6.sin6_addr, result.bytes.size());
  }
  return result;
}

client_address client_address::network() const noexcept {
  auto result = *this;
  if (!is_mapped(bytes))
    std::fill(result.bytes.begin() + 8, result.bytes.end(),
              static_cast<unsigned char>(0));
  return result;
}

std::string client_address::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  const auto v4 = is_mapped(bytes);
  const auto* from = bytes.data() + (v4 ? mapped_prefix.size() : 0);
  const auto* text = ::inet_ntop(v4 ? AF_INET : AF_INET6, from, buffer.data(),
                                 static_cast<socklen_t>(buffer.size()));
  return text == nullptr ? std::string{} : std::string{text};
}

std::size_t
address_table::hash::operator()(const client_address& key) const noexcept {
  return std::hash<std::string_view>{}(std::string_view{
    reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()});
}

address_table::verdict address_table::enter(const client_address& address) {
  const auto key = address.network();
  std::lock_guard guard{mutex_};
  auto found = counts_.find(key);
  if (found == counts_.end()) {
    if (counts_.size() >= limits::tracked_addresses)
      return verdict::flooding;
    found = counts_.emplace(key, 0).first;
  }
  auto& count = found->second;
  if (count >= limit_ + slack_)
    return verdict::flooding;
  ++count;
  return count > limit_ ? verdict::over_limit : verdict::admitted;
}

void address_table::leave(const client_address& address) {
  std::lock_guard guard{mutex_};
  auto found = counts_.find(address.network());
  if (found != counts_.end() && --found->second == 0)
    counts_.erase(found);
}

std::size_t address_table::networks() const {
  std::lock_guard guard{mutex_};
  return counts_.size();
}

} // namespace rollcall::edge
