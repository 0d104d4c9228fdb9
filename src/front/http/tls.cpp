#include "front/http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace brume::http {
namespace {

constexpr std::size_t kContexts = 2048;  // names cached; more are made anew

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, BioFree>;

Bio memory_bio(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

bool use_certificate(SSL_CTX* context, const ServerCertificate& certificate) {
  const Bio chain = memory_bio(certificate.chain_pem);
  X509* leaf = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr);
  if (leaf == nullptr) return false;
  bool used = SSL_CTX_use_certificate(context, leaf) == 1;
  X509_free(leaf);
  while (X509* above = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr))
    if (SSL_CTX_add0_chain_cert(context, above) != 1) {
      X509_free(above);
      used = false;
    }
  const Bio key_text = memory_bio(certificate.key_pem);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr);
  used = used && key != nullptr && SSL_CTX_use_PrivateKey(context, key) == 1;
  EVP_PKEY_free(key);
  ERR_clear_error();  // reading past the last certificate leaves one
  return used;
}

// Which address was dialled is remembered in the session, for clients that name no host.
int local_address_index() {
  static const int index = SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* data, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(data); });
  return index;
}

}  // namespace

TlsContexts::TlsContexts(CertificateSource& source) : source_(source), first_(make_context()) {}

SslContext TlsContexts::make_context() {
  SslContext context(SSL_CTX_new(TLS_server_method()));
  BRUME_CHECK(context != nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_tlsext_servername_callback(context.get(), &TlsContexts::on_server_name);
  SSL_CTX_set_tlsext_servername_arg(context.get(), this);
  SSL_CTX_set_alpn_select_cb(context.get(), &TlsContexts::on_alpn, this);
  return context;
}

int TlsContexts::on_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                         unsigned int in_size, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size, kHttp11, sizeof kHttp11 - 1, in, in_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

int TlsContexts::on_server_name(SSL* ssl, int* alert, void* self) {
  const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const auto* local_address = static_cast<const std::string*>(SSL_get_ex_data(ssl, local_address_index()));
  const std::string name = asked != nullptr ? to_lower(asked) : *local_address;
  SSL_CTX* context = static_cast<TlsContexts*>(self)->context_for(name);
  if (context == nullptr) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  SSL_set_SSL_CTX(ssl, context);
  return SSL_TLSEXT_ERR_OK;
}

SSL_CTX* TlsContexts::context_for(const std::string& name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second.get();
  try {
    const std::optional<ServerCertificate> certificate = source_.certificate_for(name);
    if (!certificate) return nullptr;
    SslContext context = make_context();
    if (!use_certificate(context.get(), *certificate)) {
      log::error("front", "The certificate of " + name + " cannot be used.");
      return nullptr;
    }
    // Sessions hold a reference to their context: clearing the cache does not end them.
    if (by_name_.size() >= kContexts) by_name_.clear();
    return by_name_.emplace(name, std::move(context)).first->second.get();
  } catch (const std::exception& failure) {
    log::error("front", "No certificate for " + name + ": " + failure.what());
    return nullptr;  // OpenSSL's C frames are above: nothing may be thrown through them
  }
}

Ssl TlsContexts::start(int fd, const std::string& local_address) {
  Ssl ssl(SSL_new(first_.get()));
  BRUME_CHECK(ssl != nullptr);
  SSL_set_ex_data(ssl.get(), local_address_index(), new std::string(local_address));
  SSL_set_fd(ssl.get(), fd);
  SSL_set_accept_state(ssl.get());
  return ssl;
}

}  // namespace brume::http
