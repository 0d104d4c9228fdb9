// The host names of AWS that are this cloud: published in DNS, given certificates.
#pragma once

#include <string>

#include "front/certificates.h"
#include "planes/names/names.h"

namespace brume::app {

// Every endpoint of the served services in every region, S3's and ECR's wildcard names, checkip.amazonaws.com.
void publish_endpoints(names::Zone& zone, const std::string& address);

// Leaves of this instance's authority for AWS's names, for localhost and its subdomains, and for loopback addresses.
class Certificates final : public CertificateSource {
 public:
  explicit Certificates(names::Authority& authority) : authority_(authority) {}
  std::optional<ServerCertificate> certificate_for(const std::string& name) override;

 private:
  names::Authority& authority_;
};

}  // namespace brume::app
