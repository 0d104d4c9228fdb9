#include "services/ec2/addresses.h"

#include "services/ec2/cidr.h"

namespace brume::ec2 {

namespace {

constexpr Cidr kPool{0xc6130000, 16};  // 198.19.0.0/16
// Public addresses belong to nobody's account or region.
const Scope kEverywhere{"global", "global"};

}  // namespace

std::string take_public_address(Ec2& ec2, Tx& tx, const Scope& scope, const std::string& holder) {
  // From a random place on, skipping the network's own and the broadcast address.
  const std::uint64_t count = kPool.size() - 2;
  const std::uint64_t start = ec2.random.below(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string address = address_text(kPool.first() + 1 + static_cast<IpAddress>((start + i) % count));
    if (find_public_address(ec2, address) != nullptr) continue;
    ec2.public_addresses.insert(tx, kEverywhere, address,
                                {.account = scope.account, .region = scope.region, .holder = holder});
    return address;
  }
  throw AwsError("InsufficientAddressCapacity", "There are no public addresses left.");
}

const PublicAddressRecord* find_public_address(const Ec2& ec2, const std::string& address) {
  return ec2.public_addresses.find(kEverywhere, address);
}

void give_back_public_address(Ec2& ec2, Tx& tx, const std::string& address) {
  ec2.public_addresses.erase(tx, kEverywhere, address);
}

const AddressRecord* elastic_ip_of(const Ec2& ec2, const Scope& scope, const std::string& interface_id,
                                   const std::string& private_ip) {
  const auto found = ec2.addresses.select(scope, [&](const AddressRecord& address) {
    return address.interface == interface_id && address.private_ip == private_ip;
  });
  return found.empty() ? nullptr : found.front();
}

void disassociate(Ec2& ec2, Tx& tx, const Scope& scope, const AddressRecord& address) {
  if (const InterfaceRecord* interface = ec2.interfaces.find(scope, address.interface)) {
    ec2.touch(tx, scope, interface->vpc);
  }
  ec2.addresses.modify(tx, scope, std::string(address.id), [](AddressRecord& record) {
    record.association.clear();
    record.interface.clear();
    record.private_ip.clear();
  });
}

}  // namespace brume::ec2
