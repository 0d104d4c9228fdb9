// Fetches what identity providers publish, over HTTPS from the internet namespace: names are asked of this cloud's own
// DNS there, certificates are judged by the public authorities and this cloud's own. Called on the control thread;
// reading and handshakes are on workers.
#pragma once

#include <functional>
#include <string>

#include "core/runtime.h"
#include "planes/network/network.h"
#include "services/sts/needs.h"

namespace brume::app {

class IssuerFetch final : public sts::Issuers {
 public:
  IssuerFetch(network::Network& network, Workers& workers, std::string authority_path)
      : network_(network), workers_(workers), authority_path_(std::move(authority_path)) {}
  void fetch(const std::string& url, std::function<void(Document)> done) override;

 private:
  using Done = std::function<void(Document)>;
  void connect(const std::string& host, int port, const std::string& path, const std::string& address,
               const Done& done);

  network::Network& network_;
  Workers& workers_;
  std::string authority_path_;
};

}  // namespace brume::app
