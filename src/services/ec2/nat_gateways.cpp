#include "services/ec2/nat_gateways.h"

#include "services/ec2/addresses.h"
#include "services/ec2/interfaces.h"

namespace brume::ec2 {

void nat_gateway_applied(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& id) {
  const NatGatewayRecord* gateway = ec2.nat_gateways.find(scope, id);
  if (gateway == nullptr || gateway->state != "pending") return;
  ec2.nat_gateways.modify(tx, scope, id, [&](NatGatewayRecord& record) {
    record.state = "available";
    record.available = ec2.clock.now();
  });
}

void nat_gateway_removed(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& id) {
  const NatGatewayRecord* gateway = ec2.nat_gateways.find(scope, id);
  if (gateway == nullptr || gateway->state != "deleting") return;
  if (const InterfaceRecord* interface = ec2.interfaces.find(scope, gateway->interface)) {
    erase_interface(ec2, tx, scope, *interface);
  }
  ec2.nat_gateways.modify(tx, scope, id, [&](NatGatewayRecord& record) {
    record.state = "deleted";
    record.deleted = ec2.clock.now();
  });
}

}  // namespace brume::ec2
