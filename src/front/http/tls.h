// The server's side of TLS: one context per host name, made when a client first asks for the name. I/O thread.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "front/certificates.h"

namespace brume::http {

struct SslContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextFree>;
struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, SslFree>;

class TlsContexts {
 public:
  explicit TlsContexts(CertificateSource& source);
  TlsContexts(const TlsContexts&) = delete;
  TlsContexts& operator=(const TlsContexts&) = delete;

  // A server's session on a connected, non-blocking socket. A client that names no host gets the certificate of
  // `local_address`. Neither name served: the handshake fails with unrecognized_name.
  Ssl start(int fd, const std::string& local_address);

 private:
  static int on_server_name(SSL* ssl, int* alert, void* self);
  static int on_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                     unsigned int in_size, void* self);
  SSL_CTX* context_for(const std::string& name);
  SslContext make_context();

  CertificateSource& source_;
  SslContext first_;  // what a session starts with, before the name is known
  std::unordered_map<std::string, SslContext> by_name_;
};

}  // namespace brume::http
