#include "front/http/tls.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <vector>

#include "front/http/testing.h"

namespace brume::http {
namespace {

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

ServerCertificate self_signed(const std::string& name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* leaf = X509_new();
  X509_set_version(leaf, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(leaf), 1);
  X509_gmtime_adj(X509_getm_notBefore(leaf), -3600);
  X509_gmtime_adj(X509_getm_notAfter(leaf), 3600);
  X509_set_pubkey(leaf, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(leaf), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(leaf, X509_get_subject_name(leaf));
  X509_sign(leaf, key, EVP_sha256());
  ServerCertificate certificate;
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, leaf);
  certificate.chain_pem = text_of(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  certificate.key_pem = text_of(bio);
  X509_free(leaf);
  EVP_PKEY_free(key);
  return certificate;
}

class TestSource final : public CertificateSource {
 public:
  std::optional<ServerCertificate> certificate_for(const std::string& name) override {
    asked.push_back(name);
    if (name.ends_with("amazonaws.com") || name == "127.0.0.1") return self_signed(name);
    return std::nullopt;
  }
  std::vector<std::string> asked;
};

// A client's session on a RawClient's socket.
class TlsClient {
 public:
  TlsClient(RawClient& client, const char* name, std::string_view alpn = {})
      : context_(SSL_CTX_new(TLS_client_method())) {
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), client.fd());
    if (name != nullptr) SSL_set_tlsext_host_name(ssl_.get(), name);
    if (!alpn.empty())
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                          static_cast<unsigned int>(alpn.size()));
    connected_ = SSL_connect(ssl_.get()) == 1;
  }
  bool connected() const { return connected_; }
  std::string certificate_name() const {
    X509* leaf = SSL_get_peer_certificate(ssl_.get());
    char text[256] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, text, sizeof text);
    X509_free(leaf);
    return text;
  }
  std::string alpn() const {
    const unsigned char* data = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &data, &size);
    return {reinterpret_cast<const char*>(data), size};
  }
  std::string exchange(std::string_view request) {
    SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size()));
    std::string answer;
    char bytes[16384];
    for (int got = 0; (got = SSL_read(ssl_.get(), bytes, sizeof bytes)) > 0;)
      answer.append(bytes, static_cast<std::size_t>(got));
    return answer;
  }

 private:
  SslContext context_;
  Ssl ssl_;
  bool connected_ = false;
};

void answer_security(const std::shared_ptr<Exchange>& exchange) {
  exchange->reply({.body = Body::of(exchange->peer().secure ? "secure" : "plain")});
}
constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

TEST(Tls, GivesEachNameItsCertificateOnTheSamePortAsPlainHttp) {
  TestSource source;
  TestServer server(answer_security, {}, &source);
  for (int round = 0; round < 2; ++round) {
    for (const char* name : {"sts.eu-west-1.amazonaws.com", "Bucket.S3.amazonaws.com"}) {
      RawClient raw(server.port());
      TlsClient client(raw, name);
      ASSERT_TRUE(client.connected());
      EXPECT_TRUE(client.exchange(kRequest).ends_with("secure"));
    }
  }
  // Minted once per name, which is compared without case.
  EXPECT_EQ(source.asked, (std::vector<std::string>{"sts.eu-west-1.amazonaws.com", "bucket.s3.amazonaws.com"}));
  RawClient plain(server.port());
  plain.send(kRequest);
  EXPECT_EQ(plain.read_answer().body, "plain");
}

TEST(Tls, UsesTheDialledAddressWithoutAName) {
  TestSource source;
  TestServer server(answer_security, {}, &source);
  RawClient raw(server.port());
  TlsClient client(raw, nullptr);
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.certificate_name(), "127.0.0.1");
}

TEST(Tls, RefusesNamesThatAreNotServed) {
  TestSource source;
  TestServer server(answer_security, {}, &source);
  RawClient raw(server.port());
  EXPECT_FALSE(TlsClient(raw, "example.com").connected());
}

TEST(Tls, SpeaksHttp11Only) {
  TestSource source;
  TestServer server(answer_security, {}, &source);
  RawClient both(server.port());
  TlsClient client(both, "sts.amazonaws.com", "\x02h2\x08http/1.1");
  ASSERT_TRUE(client.connected());
  EXPECT_EQ(client.alpn(), "http/1.1");
  RawClient only(server.port());
  EXPECT_FALSE(TlsClient(only, "sts.amazonaws.com", "\x02h2").connected());
}

TEST(Tls, StreamsAFile) {
  TestSource source;
  std::string path;
  TestServer server(
      [&path](const std::shared_ptr<Exchange>& exchange) {
        Body body;
        body.file = path;
        body.size = 3 << 20;
        exchange->reply({.body = std::move(body)});
      },
      {}, &source);
  path = server.directory() + "/object";
  const std::string content(3 << 20, 'c');
  std::ofstream(path) << content;
  RawClient raw(server.port());
  TlsClient client(raw, "s3.amazonaws.com");
  ASSERT_TRUE(client.connected());
  EXPECT_TRUE(client.exchange(kRequest).ends_with("\r\n\r\n" + content));
}

TEST(UnixSocket, IsForItsOwnerOnly) {
  TestDirectory directory;
  const std::string path = directory.path() + "/admin.sock";
  const Fd socket = listen_unix(path);
  EXPECT_TRUE(socket);
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_TRUE(listen_unix(path));  // an abandoned one is replaced
}

}  // namespace
}  // namespace brume::http
