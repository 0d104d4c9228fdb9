#include "planes/names/authority.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <list>
#include <map>
#include <mutex>

#include "core/error.h"
#include "core/system.h"
#include "core/text.h"

namespace brume::names {
namespace {

constexpr std::size_t kMostLeaves = 4096;
// RFC 5280 4.1.2.5: a certificate without an end. The cloud's clock may be advanced by any number of years, under open
// connections, stored contexts and clients that keep what they have seen.
constexpr const char* kNoEnd = "99991231235959Z";

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using X509Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;

[[noreturn]] void fail(const std::string& what) {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  throw PlaneError(PlaneError::Kind::permanent, what + (code == 0 ? std::string() : ": " + std::string(text.data())));
}

void check(bool good, const char* what) {
  if (!good) fail(what);
}

Key make_key() {
  Key key(EVP_EC_gen("P-256"));
  check(key != nullptr, "making a P-256 key");
  return key;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string key_pem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  check(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "writing a key");
  return text_of(bio.get());
}

std::string certificate_pem_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  check(PEM_write_bio_X509(bio.get(), certificate) == 1, "writing a certificate");
  return text_of(bio.get());
}

Key read_key(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  check(key != nullptr, "reading the key of the certificate authority");
  return key;
}

X509Certificate read_certificate(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  X509Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  check(certificate != nullptr, "reading the certificate of the certificate authority");
  return certificate;
}

void add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  check(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, "adding an extension");
}

void add_name_entry(X509_NAME* name, const char* field, const std::string& value) {
  check(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                                   static_cast<int>(value.size()), -1, 0) == 1,
        "naming a certificate");
}

// The parts that every certificate has: version, a random serial, its time from yesterday on, its key. Valid by the
// cloud's clock and by the machine's, whichever a client goes by.
X509Certificate blank(EVP_PKEY* key, const Clock& clock) {
  X509Certificate certificate(X509_new());
  check(certificate != nullptr, "making a certificate");
  std::array<unsigned char, 16> serial{};
  check(RAND_bytes(serial.data(), static_cast<int>(serial.size())) == 1, "randomness");
  serial[0] &= 0x7f;  // RFC 5280: positive
  serial[0] |= 0x40;
  BIGNUM* number = BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr);
  const bool numbered = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get())) != nullptr;
  BN_free(number);
  const Time start = std::min(clock.now(), clock.machine_now()) - days(1);
  check(numbered && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
            ASN1_TIME_set(X509_getm_notBefore(certificate.get()), start.seconds()) != nullptr &&
            ASN1_TIME_set_string(X509_getm_notAfter(certificate.get()), kNoEnd) == 1 &&
            X509_set_pubkey(certificate.get(), key) == 1,
        "filling a certificate");
  return certificate;
}

X509Certificate make_authority(EVP_PKEY* key, const Clock& clock) {
  X509Certificate certificate = blank(key, clock);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  add_name_entry(name, "O", "Brume");
  // Two instances' authorities must differ by name, or a client that trusts both may pick the wrong one.
  std::array<unsigned char, 4> tag{};
  check(RAND_bytes(tag.data(), static_cast<int>(tag.size())) == 1, "randomness");
  add_name_entry(name, "CN", "Brume local CA " + to_hex({reinterpret_cast<const char*>(tag.data()), tag.size()}));
  check(X509_set_issuer_name(certificate.get(), name) == 1, "naming the issuer");
  X509* self = certificate.get();
  add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(self, self, NID_subject_key_identifier, "hash");
  check(X509_sign(self, key, EVP_sha256()) != 0, "signing");
  return certificate;
}

bool is_address(const std::string& name) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

bool is_host_name(const std::string& name) {
  if (name.empty() || name.size() > 253) return false;
  for (std::string_view label : split(name, '.')) {
    if (label.empty() || label.size() > 63) return false;
    for (char c : label)
      if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
            (c == '*' && label.size() == 1)))
        return false;
  }
  return true;
}

std::string alternative_names(const std::string& name) {
  // On 4566 a client may dial either (DECISIONS 15).
  if (name == "localhost" || name == "127.0.0.1") return "DNS:localhost,IP:127.0.0.1,IP:::1";
  return (is_address(name) ? "IP:" : "DNS:") + name;
}

// Written beside and renamed, so that a crash leaves the whole file or none.
void write_file(const std::string& path, const std::string& text, mode_t mode) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) throw_errno("creating " + fresh);
  const bool written = ::fchmod(descriptor, mode) == 0 &&
                       ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(descriptor) == 0;
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  if (!written || ::rename(fresh.c_str(), path.c_str()) != 0) throw_errno("writing " + path);
}

class FileAuthority final : public Authority {
 public:
  FileAuthority(const std::string& directory, const Clock& clock) : clock_(clock), path_(directory + "/ca.pem") {
    const std::string key_path = directory + "/ca-key.pem";
    const bool has_key = std::filesystem::exists(key_path), has_certificate = std::filesystem::exists(path_);
    if (!has_key && has_certificate)
      fail(path_ + " is there but its key, " + key_path + ", is not: restore it, or remove " + path_ +
           " to get a new authority");
    std::filesystem::create_directories(directory);
    if (!has_key) write_file(key_path, key_pem(make_key().get()), 0600);
    key_ = read_key(read_file(key_path));
    if (!has_certificate) write_file(path_, certificate_pem_of(make_authority(key_.get(), clock_).get()), 0644);
    pem_ = read_file(path_);
    certificate_ = read_certificate(pem_);
    if (X509_check_private_key(certificate_.get(), key_.get()) != 1)
      fail(path_ + " and " + key_path + " do not belong together");
  }

  const std::string& certificate_pem() const override { return pem_; }
  const std::string& certificate_path() const override { return path_; }

  Certificate leaf(const std::string& requested) override {
    const std::string name = to_lower(requested);
    if (!is_address(name) && !is_host_name(name))
      throw PlaneError(PlaneError::Kind::permanent, "not a host name: " + requested);
    const std::lock_guard lock(mutex_);
    const auto known = leaves_.find(name);
    if (known != leaves_.end()) {
      order_.splice(order_.begin(), order_, known->second.place);
      return known->second.certificate;
    }
    // Clients choose the names: the one that was used longest ago makes room.
    if (leaves_.size() >= kMostLeaves) {
      leaves_.erase(order_.back());
      order_.pop_back();
    }
    Certificate made = mint(name);
    order_.push_front(name);
    leaves_[name] = {made, order_.begin()};
    return made;
  }

 private:
  Certificate mint(const std::string& name) const {
    const Key key = make_key();
    const X509Certificate certificate = blank(key.get(), clock_);
    X509* leaf = certificate.get();
    if (name.size() <= 64) add_name_entry(X509_get_subject_name(leaf), "CN", name);  // X.520's ub-common-name
    check(X509_set_issuer_name(leaf, X509_get_subject_name(certificate_.get())) == 1, "naming the issuer");
    add_extension(leaf, certificate_.get(), NID_basic_constraints, "critical,CA:FALSE");
    add_extension(leaf, certificate_.get(), NID_key_usage, "critical,digitalSignature");
    add_extension(leaf, certificate_.get(), NID_ext_key_usage, "serverAuth");
    // RFC 5280 4.2.1.6: critical when the subject is empty.
    add_extension(leaf, certificate_.get(), NID_subject_alt_name,
                  (name.size() > 64 ? "critical," : "") + alternative_names(name));
    add_extension(leaf, certificate_.get(), NID_subject_key_identifier, "hash");
    add_extension(leaf, certificate_.get(), NID_authority_key_identifier, "keyid");
    check(X509_sign(leaf, key_.get(), EVP_sha256()) != 0, "signing");
    return {certificate_pem_of(leaf) + pem_, key_pem(key.get())};
  }

  struct Leaf {
    Certificate certificate;
    std::list<std::string>::iterator place;
  };
  const Clock& clock_;
  std::string path_, pem_;
  Key key_;
  X509Certificate certificate_;
  std::mutex mutex_;
  std::map<std::string, Leaf> leaves_;
  std::list<std::string> order_;  // most recently used first
};

}  // namespace

std::unique_ptr<Authority> open_authority(const std::string& directory, const Clock& clock) {
  return std::make_unique<FileAuthority>(directory, clock);
}

std::unique_ptr<Authority> open_authority(const std::string& directory) {
  static const SystemClock kClock;
  return open_authority(directory, kClock);
}

}  // namespace brume::names
