// Where the front door gets the certificate for a host name that a client asks for. Implemented over the instance's
// certificate authority by app.
#pragma once

#include <optional>
#include <string>

namespace brume {

struct ServerCertificate {
  std::string chain_pem;  // the leaf first
  std::string key_pem;
};

class CertificateSource {
 public:
  virtual ~CertificateSource() = default;
  // For a host name or an IP address ("127.0.0.1"); nullopt: this instance does not serve that name. I/O thread.
  virtual std::optional<ServerCertificate> certificate_for(const std::string& name) = 0;
};

}  // namespace brume
