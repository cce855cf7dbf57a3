// TLS, with a certificate made on the spot.

#include "unit/edge/net_harness.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

namespace rollcall::edge::test {
namespace {

/// A self-signed certificate and its key in a directory of their own.
class certificate {
public:
  certificate() {
    std::string name
      = (std::filesystem::temp_directory_path() / "rollcall-tls-XXXXXX")
          .string();
    folder_ = ::mkdtemp(name.data());
    auto* key = EVP_EC_gen("P-256");
    auto* cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3'600);
    X509_set_pubkey(cert, key);
    auto* subject = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(
      subject, "CN", MBSTRING_ASC,
      reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(cert, subject);
    EXPECT_GT(X509_sign(cert, key, EVP_sha256()), 0);
    auto* file = std::fopen(cert_path().c_str(), "w");
    PEM_write_X509(file, cert);
    std::fclose(file);
    file = std::fopen(key_path().c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
  }

  certificate(const certificate&) = delete;
  certificate& operator=(const certificate&) = delete;

  ~certificate() {
    std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] std::string cert_path() const {
    return (folder_ / "cert.pem").string();
  }

  [[nodiscard]] std::string key_path() const {
    return (folder_ / "key.pem").string();
  }

  [[nodiscard]] server_config config() const {
    server_config result;
    result.tls_certificate = cert_path();
    result.tls_key = key_path();
    return result;
  }

private:
  std::filesystem::path folder_;
};

TEST(NetTls, CarriesTheWholeProtocol) {
  const certificate made;
  net_harness net{made.config()};
  ASSERT_FALSE(net.failed) << net.failed->message;
  auto client = net.connect(true);
  ASSERT_TRUE(client.connected());
  const auto granted = client.upgrade();
  ASSERT_EQ(granted.status, 101U);
  client.send_text(R"({"op":"heartbeat","id":1})");
  EXPECT_EQ(client.read_frame()->payload, R"({"re":1,"ok":true})");
  client.send_frame(opcode::close, "\x03\xe8");
  EXPECT_EQ(client.read_close(), 1000);
  EXPECT_TRUE(client.ended());
  EXPECT_TRUE(eventually([&] { return net.record.gone().size() == 1; }));
  EXPECT_TRUE(net.record.gone()[0].goodbye);
}

TEST(NetTls, MovesMoreThanARecordBothWays) {
  const certificate made;
  net_harness net{made.config()};
  auto client = net.connect(true);
  ASSERT_EQ(client.upgrade().status, 101U);
  client.send_text(R"({"op":"heartbeat","id":1})");
  (void)client.read_frame();
  // Inwards: 60 kB in one frame, four records.
  const std::string padding(60'000, ' ');
  client.send_text(padding + R"({"op":"heartbeat","id":2})");
  EXPECT_EQ(client.read_frame()->payload, R"({"re":2,"ok":true})");
  // Outwards: more than the kernel takes at once.
  const std::string big(3'000'000, 'x');
  net.sink->deliver(net.last(), make_frame(dialect::json, big));
  net.sink->deliver(net.last(), make_frame(dialect::json, "after"));
  EXPECT_EQ(client.read_frame()->payload, big);
  EXPECT_EQ(client.read_frame()->payload, "after");
}

TEST(NetTls, RefusesPlainTextAndSecuresHeaders) {
  const certificate made;
  net_harness net{made.config()};
  auto plain = net.connect(false);
  plain.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(plain.ended());
  auto secure = net.connect(true);
  secure.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto answer = secure.read_http();
  EXPECT_EQ(answer.status, 200U);
  EXPECT_FALSE(answer.header("Strict-Transport-Security").empty());
}

TEST(NetTls, CutsASlowReader) {
  const certificate made;
  auto config = made.config();
  config.queue = {32 << 10, 128 << 10};
  config.send_buffer = 4'096;
  config.close_timeout = millis{100};
  net_harness net{config};
  net_client slow{net.sink->port(), true, true};
  ASSERT_EQ(slow.upgrade().status, 101U);
  const auto chunk = make_frame(dialect::json, std::string(2'000, 'x'));
  EXPECT_TRUE(eventually([&] {
    net.sink->deliver(net.last(), chunk);
    return net.record.gone().size() == 1;
  }));
  EXPECT_TRUE(eventually([&] { return net.stats().sockets == 0; }));
}

TEST(NetTls, ReadsPausedInputToItsEnd) {
  const certificate made;
  auto config = made.config();
  config.frames = {2'000, 20};
  net_harness net{config};
  auto client = net.connect(true);
  ASSERT_EQ(client.upgrade().status, 101U);
  std::string burst;
  for (int i = 0; i < 300; ++i)
    burst += client_frame(opcode::pong, "x");
  client.send(burst
              + client_frame(opcode::text, R"({"op":"heartbeat","id":1})"));
  EXPECT_EQ(client.read_frame()->payload, R"({"re":1,"ok":true})");
  EXPECT_GE(net.stats().throttled, 1U);
}

TEST(NetTls, LeavesUnreadWhatComesBeforeItAnswered) {
  const certificate made;
  auto config = made.config();
  // One request is more than the burst: its client is left unread for a while
  // and then looked at again, with the answer still owed.
  config.frames = {20, 5};
  config.shutdown_drain = millis{50};
  std::mutex mutex;
  std::vector<http_responder> owed;
  server_hooks hooks;
  hooks.http = [&](std::shared_ptr<const http_request>, http_responder answer) {
    std::lock_guard guard{mutex};
    owed.push_back(std::move(answer));
    return true;
  };
  net_harness net{config, hooks};
  auto client = net.connect(true);
  const timeval stuck{1, 0};
  ::setsockopt(client.fd(), SOL_SOCKET, SO_SNDTIMEO, &stuck, sizeof stuck);
  ASSERT_TRUE(client.send("GET /v1/x HTTP/1.1\r\nHost: a\r\n\r\n"));
  ASSERT_TRUE(eventually([&] {
    std::lock_guard guard{mutex};
    return !owed.empty();
  }));
  // No multiple of a record, so that half of one waits inside the TLS layer.
  const std::string flood(60'000, 'x');
  for (int i = 0; i < 512 && client.send(flood); ++i)
    continue;
  EXPECT_LE(net.stats().bytes_in, 5 * flood.size());
}

TEST(NetTls, AnswersAllThatWasAskedAhead) {
  const certificate made;
  auto config = made.config();
  config.queue = {32 << 10, 128 << 10};
  config.send_buffer = 4'096;
  config.frames = {1e6, 1e6};
  net_harness net{config};
  net_client client{net.sink->port(), true, true};
  std::string asked;
  for (int i = 0; i < 40; ++i)
    asked += "GET /style.css HTTP/1.1\r\nHost:a\r\n\r\n";
  client.send(asked);
  for (int i = 0; i < 40; ++i)
    ASSERT_EQ(client.read_http().status, 200U) << i;
}

TEST(NetTls, NamesAKeyThatDoesNotFit) {
  const certificate one;
  const certificate other;
  auto config = one.config();
  config.tls_key = other.key_path();
  const net_harness net{config};
  ASSERT_TRUE(net.failed);
  EXPECT_EQ(net.failed->field, "tls.key");
}

} // namespace
} // namespace rollcall::edge::test
