// The network plane with its sockets served: what the daemon listens on inside a VPC is closed before the VPC goes,
// since an open socket keeps a namespace alive.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "planes/network/network.h"

namespace brume::app {

class ServedNetwork final : public network::Network {
 public:
  using Close = std::function<void(const std::string& vpc_id)>;
  explicit ServedNetwork(std::unique_ptr<network::Network> plane) : plane_(std::move(plane)) {}
  // Called before a VPC is removed.
  void on_remove(Close close) { close_ = std::move(close); }

  void remove(const std::string& vpc_id, network::Done done) override {
    if (close_) close_(vpc_id);
    plane_->remove(vpc_id, std::move(done));
  }
  void recover(network::Done done) override { plane_->recover(std::move(done)); }
  void apply(network::Vpc vpc, network::Done done) override { plane_->apply(std::move(vpc), std::move(done)); }
  void counters(const std::string& vpc_id, std::function<void(network::Counters)> done) override {
    plane_->counters(vpc_id, std::move(done));
  }
  void flows(const std::string& vpc_id, std::function<void(network::Flows)> done) override {
    plane_->flows(vpc_id, std::move(done));
  }
  std::string namespace_path(const std::string& sandbox) const override { return plane_->namespace_path(sandbox); }
  std::string internet_namespace_path() const override { return plane_->internet_namespace_path(); }
  std::string router_namespace_path(const std::string& vpc_id) const override {
    return plane_->router_namespace_path(vpc_id);
  }
  void on_listener(std::function<void(network::Listener)> callback) override {
    plane_->on_listener(std::move(callback));
  }
  void set_egress(bool allowed, network::Done done) override { plane_->set_egress(allowed, std::move(done)); }
  void enable_real_internet(bool enabled, network::Done done) override {
    plane_->enable_real_internet(enabled, std::move(done));
  }
  void dial(const std::string& vpc_id, const std::string& address, int port,
            std::function<void(int, std::string)> done) override {
    plane_->dial(vpc_id, address, port, std::move(done));
  }
  void listen_internet(const std::string& address, int port, std::function<void(int, std::string)> done) override {
    plane_->listen_internet(address, port, std::move(done));
  }
  void remove_all(network::Done done) override { plane_->remove_all(std::move(done)); }

 private:
  std::unique_ptr<network::Network> plane_;
  Close close_;
};

}  // namespace brume::app
