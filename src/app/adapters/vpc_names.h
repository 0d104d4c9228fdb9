// EC2's names in the zone of the names plane.
#pragma once

#include "planes/names/names.h"
#include "services/ec2/needs.h"

namespace brume::app {

class VpcNames final : public ec2::Names {
 public:
  explicit VpcNames(names::Zone& zone) : zone_(zone) {}
  void put(const std::string& view, const std::string& name, const std::string& address) override {
    zone_.put(view, name, {{.type = names::RecordType::a, .value = address}});
  }
  void remove(const std::string& view, const std::string& name) override { zone_.put(view, name, {}); }

 private:
  names::Zone& zone_;
};

}  // namespace brume::app
