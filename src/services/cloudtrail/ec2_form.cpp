// EC2's records have two forms. Operations from before 2015 have that of its XML interface of then: names in lower
// camel case, lists as {"items": […]}, an empty one as {}, and in requests the lists' own names ("instancesSet"). Later
// ones show their XML as JSON: {"CreateNatGatewayRequest": {"SubnetId": …}}, list elements numbered by "tag". Found
// from the records that AWS's documents and public collections of detection rules show.
#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "services/cloudtrail/service_forms.h"
#include "services/cloudtrail/value_json.h"

namespace brume::cloudtrail {
namespace {

namespace json = boost::json;
using model::Kind;
using Storage = json::storage_ptr;

// Lists of requests whose name is not that of their elements with "Set" after it.
struct SetName {
  std::string_view member, set, item;  // by the model; of the list and of its elements in a record
  bool always = true;                  // shown as {} when not given
};
constexpr std::array kSetNames = {
    SetName{"InstanceIds", "instancesSet", "instanceId"},
    SetName{"VpcIds", "vpcSet", "vpcId"},
    SetName{"SubnetIds", "subnetSet", "subnetId"},
    SetName{"DhcpOptionsIds", "dhcpOptionsSet", "dhcpOptionsId"},
    SetName{"VpnGatewayIds", "vpnGatewaySet", "vpnGatewayId"},
    SetName{"RouteTableIds", "routeTableIdSet", "routeTableId"},
    SetName{"InternetGatewayIds", "internetGatewayIdSet", "internetGatewayId"},
    SetName{"NetworkAclIds", "networkAclIdSet", "networkAclId"},
    SetName{"NetworkInterfaceIds", "networkInterfaceIdSet", "networkInterfaceId"},
    SetName{"VpcPeeringConnectionIds", "vpcPeeringConnectionIdSet", "vpcPeeringConnectionId"},
    SetName{"GroupNames", "securityGroupSet", "groupName"},
    SetName{"GroupIds", "securityGroupIdSet", "groupId"},
    SetName{"Groups", "groupSet", "groupId"},
    SetName{"PrivateIpAddresses", "privateIpAddressesSet", "privateIpAddress"},
    SetName{"AllocationIds", "allocationIdsSet", "allocationId"},
    SetName{"PublicIps", "publicIpsSet", "publicIp"},
    SetName{"ZoneNames", "availabilityZoneSet", "zoneName"},
    SetName{"ZoneIds", "availabilityZoneIdSet", "zoneId"},
    SetName{"RegionNames", "regionSet", "regionName"},
    SetName{"AttributeNames", "accountAttributeNameSet", "attributeName"},
    SetName{"Filters", "filterSet", ""},
    SetName{"IpPermissions", "ipPermissions", ""},
    SetName{"UserIdGroupPairs", "groups", ""},
    SetName{"IpRanges", "ipRanges", ""},
    SetName{"Ipv6Ranges", "ipv6Ranges", ""},
    SetName{"PrefixListIds", "prefixListIds", ""},
    SetName{"Resources", "resourcesSet", "resourceId", false},
    SetName{"Tags", "tagSet", "", false},
    SetName{"TagSpecifications", "tagSpecificationSet", "", false}};

const SetName* set_name(const model::Member& member) {
  const auto found = std::ranges::find(kSetNames, member.name, &SetName::member);
  return found == kSetNames.end() ? nullptr : &*found;
}

bool is_newer(std::string_view operation) {
  constexpr std::string_view kNouns[] = {"NatGateway",       "VpcEndpoint",  "FlowLogs",
                                         "PrefixList",       "VpcCidrBlock", "SecurityGroupRule",
                                         "SecurityGroupRef", "GroupsForVpc", "EgressOnlyInternetGateway",
                                         "CreateDefault",    "VpcTenancy",   "AddressesAttribute"};
  return std::ranges::any_of(kNouns,
                             [&](std::string_view noun) { return operation.find(noun) != std::string_view::npos; });
}

std::string upper_camel(std::string_view name) {
  std::string text(name);
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

// Of each element of a list what `render` makes of it.
template <class Render>
json::array elements(const model::Type& list, const void* value, const Storage& storage, const Render& render) {
  json::array out(storage);
  const std::size_t size = value == nullptr ? 0 : list.ops->size(value);
  for (std::size_t i = 0; i < size; ++i) out.push_back(render(*list.element.type, list.ops->at(value, i)));
  return out;
}

// The form of before 2015.
class Sets {
 public:
  Sets(std::string_view operation, const Storage& storage) : operation_(operation), storage_(storage) {}

  json::object request(const model::Type& type, const void* value, int depth = 0) const {
    json::object out(storage_);
    if (depth > kDeepest) return out;
    for (const model::Member& member : type.members) {
      const void* each = member.get(value);
      const SetName* named = member.type->kind == Kind::list ? set_name(member) : nullptr;
      if (each == nullptr) {
        if (is_always_shown(member, named)) out[named != nullptr ? named->set : request_name(member)] = json::object();
      } else if (is_secret(member)) {
        out[request_name(member)] = hidden(storage_);
      } else if (member.type->kind == Kind::structure) {
        out[request_name(member)] = request(*member.type, each, depth + 1);
      } else if (member.type->kind != Kind::list) {
        out[request_name(member)] = scalar_json(*member.type, each, storage_, Dates::milliseconds);
      } else if (type.name == "TagSpecification") {
        out["tags"] = request_elements(*member.type, each, "", depth);
      } else {
        const bool texts = member.type->element.type->kind != Kind::structure;
        const std::string item = named != nullptr ? std::string(named->item) : request_name(member);
        const std::string name = named != nullptr ? std::string(named->set) : item + (texts ? "Set" : "");
        out[name] = items(request_elements(*member.type, each, texts ? item : "", depth));
      }
    }
    return out;
  }

  json::object response(const model::Type& type, const void* value, int depth = 0) const {
    json::object out(storage_);
    if (depth > kDeepest) return out;
    for (const model::Member& member : type.members) {
      const void* each = member.get(value);
      const std::string name = member.wire_name() == "return" ? "_return" : lower_camel(member.wire_name());
      const bool list = member.type->kind == Kind::list;
      if (each == nullptr) {
        // What lies inside has its empty lists, as its XML has.
        if (list && depth > 0 && name.ends_with("Set") && !name.ends_with("PrefixSet")) out[name] = json::object();
      } else if (is_secret(member)) {
        out[name] = hidden(storage_);
      } else if (member.type->kind == Kind::structure) {
        out[name] = response(*member.type, each, depth + 1);
      } else {
        out[name] = list ? items(response_elements(*member.type, each, depth))
                         : scalar_json(*member.type, each, storage_, Dates::milliseconds);
      }
    }
    return out;
  }

 private:
  json::value items(json::array elements) const {
    json::object out(storage_);
    if (!elements.empty()) out["items"] = std::move(elements);
    return out;
  }

  json::array request_elements(const model::Type& list, const void* value, std::string_view item, int depth) const {
    return elements(list, value, storage_, [&](const model::Type& type, const void* each) -> json::value {
      if (type.kind == Kind::structure) return request(type, each, depth + 1);
      return json::object({{item, scalar_json(type, each, storage_, Dates::milliseconds)}}, storage_);
    });
  }

  json::array response_elements(const model::Type& list, const void* value, int depth) const {
    return elements(list, value, storage_, [&](const model::Type& type, const void* each) -> json::value {
      if (type.kind == Kind::structure) return response(type, each, depth + 1);
      return scalar_json(type, each, storage_, Dates::milliseconds);
    });
  }

  bool is_entry() const { return operation_.find("NetworkAclEntry") != std::string_view::npos; }

  std::string request_name(const model::Member& member) const {
    if (member.name == "IcmpTypeCode") return "icmpTypeCode";
    if (member.name == "Protocol" && is_entry()) return "aclProtocol";
    return lower_camel(member.wire_name());
  }

  bool is_always_shown(const model::Member& member, const SetName* named) const {
    if (named != nullptr) return named->always && !operation_.starts_with("Modify");
    return is_entry() && member.type->kind == Kind::structure;
  }

  std::string_view operation_;
  const Storage& storage_;
};

// The form of since: the XML, read as JSON.
class Xml {
 public:
  explicit Xml(const Storage& storage) : storage_(storage) {}

  // Its elements are repeated, each with its number.
  json::value request(const model::Type& type, const void* value, int depth = 0) const {
    if (type.kind != Kind::structure) return scalar_json(type, value, storage_);
    json::object out(storage_);
    for (const model::Member& member : type.members) {
      const void* each = member.get(value);
      if (each == nullptr || depth > kDeepest) continue;
      const std::string name = upper_camel(member.wire_name());
      if (is_secret(member))
        out[name] = hidden(storage_);
      else if (member.type->kind != Kind::list)
        out[name] = request(*member.type, each, depth + 1);
      else if (member.type->ops->size(each) > 0)
        out[name] = numbered(*member.type, each, depth);
    }
    return out.empty() ? json::value("", storage_) : json::value(std::move(out), storage_);
  }

  json::value response(const model::Type& type, const void* value, int depth = 0) const {
    if (type.kind != Kind::structure) return scalar_json(type, value, storage_);
    json::object out(storage_);
    for (const model::Member& member : type.members) {
      const void* each = member.get(value);
      const bool list = member.type->kind == Kind::list;
      const std::string name = lower_camel(member.wire_name());
      if (depth > kDeepest || (each == nullptr && !(list && depth == 0))) continue;
      if (is_secret(member))
        out[name] = hidden(storage_);
      else
        out[name] = list ? set(*member.type, each, depth) : response(*member.type, each, depth + 1);
    }
    return out;
  }

 private:
  json::value numbered(const model::Type& list, const void* value, int depth) const {
    std::size_t tag = 0;
    return one_or_all(elements(list, value, storage_, [&](const model::Type& type, const void* element) {
      json::value each = request(type, element, depth + 1);
      json::object one(storage_);
      if (each.is_object())
        one = std::move(each.get_object());
      else
        one["content"] = std::move(each);
      one["tag"] = ++tag;
      return one;
    }));
  }

  json::value set(const model::Type& list, const void* value, int depth) const {
    json::array all = elements(list, value, storage_, [&](const model::Type& type, const void* each) {
      return response(type, each, depth + 1);
    });
    if (all.empty()) return json::value("", storage_);
    json::object out(storage_);
    out["item"] = one_or_all(std::move(all));
    return out;
  }

  json::value one_or_all(json::array all) const {
    return all.size() == 1 ? json::value(std::move(all.front()), storage_) : json::value(std::move(all), storage_);
  }

  const Storage& storage_;
};

// EC2's own answers end the namespace with a slash that its model lacks.
std::string name_space(const model::Service& service) {
  std::string text(service.xml_namespace);
  if (!text.empty() && !text.ends_with('/')) text += '/';
  return text;
}

}  // namespace

json::value ec2_request(const AuditRecord& record, const Storage& storage) {
  const model::Type& type = record.input->type();
  const void* value = record.input->get();
  json::object out(storage);
  if (!is_newer(record.operation_name)) {
    out = Sets(record.operation_name, storage).request(type, value);
    return out.empty() ? json::value(nullptr) : json::value(std::move(out), storage);
  }
  out[record.operation_name + "Request"] = Xml(storage).request(type, value);
  return out;
}

json::value ec2_response(const AuditRecord& record, const Storage& storage) {
  const model::Type& type = record.output->type();
  const void* value = record.output->get();
  json::object out(storage);
  out["requestId"] = record.context.request_id;
  const bool newer = is_newer(record.operation_name);
  json::value answer = newer ? Xml(storage).response(type, value)
                             : json::value(Sets(record.operation_name, storage).response(type, value));
  for (auto& [name, each] : answer.get_object()) out[name] = std::move(each);
  // Operations that answer nothing else answer true; so does one whose model does not say it.
  if (type.members.empty() || record.operation_name == "CreateSecurityGroup") out[newer ? "return" : "_return"] = true;
  if (!newer) return out;
  out["xmlns"] = name_space(*record.service);
  json::object wrapped(storage);
  wrapped[record.operation_name + "Response"] = std::move(out);
  return wrapped;
}

}  // namespace brume::cloudtrail
