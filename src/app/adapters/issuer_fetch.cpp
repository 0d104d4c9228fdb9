#include "app/adapters/issuer_fetch.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "app/instance.h"
#include "core/text.h"
#include "planes/names/message.h"

namespace brume::app {
namespace {

using Document = sts::Issuers::Document;

constexpr int kTimeoutSeconds = 5;  // of a look-up's steps, and of a whole exchange with a provider
constexpr std::size_t kLargestAnswer = std::size_t{256} * 1024;

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};

// A connected socket, blocking with a deadline, closed at the end.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {
    fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) & ~O_NONBLOCK);
    const timeval limit{.tv_sec = kTimeoutSeconds, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(fd_); }
  int fd() const { return fd_; }

  bool send_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  bool receive(std::string& bytes, std::size_t size) const {
    bytes.resize(size);
    std::size_t have = 0;
    while (have < size) {
      const ssize_t got = recv(fd_, bytes.data() + have, size - have, 0);
      if (got <= 0) return false;
      have += static_cast<std::size_t>(got);
    }
    return true;
  }

 private:
  int fd_;
};

// DNS over TCP: one question, one answer, each behind its length.
std::string look_up(const Socket& socket, const std::string& host) {
  const std::string query = names::write_query(1, host, names::RecordType::a);
  const std::string length = {static_cast<char>(query.size() >> 8), static_cast<char>(query.size() & 0xFF)};
  std::string head, answer;
  if (!socket.send_all(length + query) || !socket.receive(head, 2)) return {};
  const std::size_t size =
      static_cast<std::size_t>(static_cast<unsigned char>(head[0])) << 8 | static_cast<unsigned char>(head[1]);
  if (!socket.receive(answer, size)) return {};
  const auto parsed = names::parse_response(answer);
  if (!parsed) return {};
  for (const names::Record& record : parsed->records)
    if (record.type == names::RecordType::a) return record.value;
  return {};
}

std::string thumbprint(X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(certificate, EVP_sha1(), digest, &size) != 1) return {};
  return to_hex({reinterpret_cast<char*>(digest), size});
}

// Whether the server's own certificate is vouched for by this one of those that it showed.
bool vouches(X509* anchor, X509* leaf, STACK_OF(X509) * shown, const std::string& host) {
  const std::unique_ptr<X509_STORE, Freer<X509_STORE_free>> store(X509_STORE_new());
  const std::unique_ptr<X509_STORE_CTX, Freer<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  if (X509_STORE_add_cert(store.get(), anchor) != 1) return false;
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  if (X509_STORE_CTX_init(context.get(), store.get(), leaf, shown) != 1) return false;
  X509_VERIFY_PARAM_set1_host(X509_STORE_CTX_get0_param(context.get()), host.c_str(), host.size());
  return X509_verify_cert(context.get()) == 1;
}

void read_certificates(SSL* tls, const std::string& host, Document& document) {
  document.trusted = SSL_get_verify_result(tls) == X509_V_OK;
  STACK_OF(X509)* shown = SSL_get_peer_cert_chain(tls);
  if (shown == nullptr || sk_X509_num(shown) == 0) return;
  X509* leaf = sk_X509_value(shown, 0);
  for (int i = 0; i < sk_X509_num(shown) && i < 10; ++i) {
    X509* certificate = sk_X509_value(shown, i);
    if (vouches(certificate, leaf, shown, host)) document.thumbprints.push_back(thumbprint(certificate));
  }
}

Document split_answer(Document document, const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos || !answer.starts_with("HTTP/1.") || answer.size() < 12) {
    document.problem = "the answer is no HTTP";
    return document;
  }
  std::int64_t status = 0;
  parse_int(std::string_view(answer).substr(9, 3), status);
  document.status = static_cast<int>(status);
  document.body = answer.substr(end + 4);
  return document;
}

// A call of TLS's on a socket that does not block, again until it is done; what it returned, or -1 at `end`.
template <class Call>
int within(SSL* tls, std::chrono::steady_clock::time_point end, const Call& call) {
  while (true) {
    const int result = call();
    if (result > 0) return result;
    const int error = SSL_get_error(tls, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return result;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    pollfd waiting{SSL_get_fd(tls), static_cast<short>(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
    if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) <= 0) return -1;
  }
}

Document get(const Socket& socket, const std::string& host, const std::string& path, const std::string& authority) {
  Document document;
  const std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>> context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_default_verify_paths(context.get());
  SSL_CTX_load_verify_locations(context.get(), authority.c_str(), nullptr);
  const std::unique_ptr<SSL, Freer<SSL_free>> tls(SSL_new(context.get()));
  SSL_set_tlsext_host_name(tls.get(), host.c_str());
  SSL_set1_host(tls.get(), host.c_str());
  SSL_set_fd(tls.get(), socket.fd());
  // Of the whole, so that a provider that sends a byte now and then keeps no worker.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(kTimeoutSeconds);
  fcntl(socket.fd(), F_SETFL, fcntl(socket.fd(), F_GETFL) | O_NONBLOCK);
  if (within(tls.get(), end, [&] { return SSL_connect(tls.get()); }) != 1) {
    document.problem = "the TLS handshake failed";
    return document;
  }
  read_certificates(tls.get(), host, document);
  // HTTP/1.0: the answer ends with the connection, and is never in chunks.
  const std::string request =
      "GET " + path + " HTTP/1.0\r\nHost: " + host + "\r\nAccept: application/json\r\nConnection: close\r\n\r\n";
  if (within(tls.get(), end, [&] { return SSL_write(tls.get(), request.data(), static_cast<int>(request.size())); }) <=
      0) {
    document.problem = "the request could not be sent";
    return document;
  }
  std::string answer;
  char buffer[16'384];
  const auto read = [&] { return SSL_read(tls.get(), buffer, sizeof buffer); };
  for (int got = 0; (got = within(tls.get(), end, read)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(got));
    if (answer.size() > kLargestAnswer) {
      document.problem = "the answer is too large";
      return document;
    }
  }
  if (std::chrono::steady_clock::now() >= end) {
    document.problem = "the answer did not come to its end in time";
    return document;
  }
  return split_answer(std::move(document), answer);
}

struct Url {
  std::string host, path = "/";
  int port = 443;
};

std::optional<Url> read_url(const std::string& text) {
  if (!text.starts_with("https://") || text.find_first_of(" \r\n@") != std::string::npos) return std::nullopt;
  Url url;
  const std::size_t slash = text.find('/', 8);
  url.host = text.substr(8, slash == std::string::npos ? slash : slash - 8);
  if (slash != std::string::npos) url.path = text.substr(slash);
  if (const std::size_t colon = url.host.find(':'); colon != std::string::npos) {
    std::int64_t port = 0;
    if (!parse_int(std::string_view(url.host).substr(colon + 1), port) || port < 1 || port > 65'535)
      return std::nullopt;
    url.port = static_cast<int>(port);
    url.host.resize(colon);
  }
  if (url.host.empty()) return std::nullopt;
  return url;
}

}  // namespace

void IssuerFetch::fetch(const std::string& text, std::function<void(Document)> done) {
  const std::optional<Url> url = read_url(text);
  if (!url) return done({.problem = text + " is no address of a web page"});
  network_.dial("", kDnsAddress, 53, [this, url, done](int fd, const std::string& error) {
    if (fd < 0) return done({.problem = "the name " + url->host + " cannot be looked up: " + error});
    auto address = std::make_shared<std::string>();  // from the job to what follows it
    workers_.run([fd, url, address] { *address = look_up(Socket(fd), url->host); },
                 [this, url, address, done] {
                   if (address->empty()) return done({.problem = "there is no host " + url->host});
                   connect(url->host, url->port, url->path, *address, done);
                 });
  });
}

void IssuerFetch::connect(const std::string& host, int port, const std::string& path, const std::string& address,
                          const Done& done) {
  network_.dial("", address, port, [this, host, path, done](int fd, const std::string& error) {
    if (fd < 0) return done({.problem = error});
    auto document = std::make_shared<Document>();  // from the job to what follows it
    workers_.run(
        [fd, host, path, document, authority = authority_path_] { *document = get(Socket(fd), host, path, authority); },
        [document, done] { done(std::move(*document)); });
  });
}

}  // namespace brume::app
