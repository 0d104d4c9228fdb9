#include <algorithm>

#include "gen/iam.h"
#include "services/iam/devices.h"
#include "services/iam/policy_checks.h"
#include "services/iam/qr_code.h"
#include "services/iam/render.h"

namespace brume::iam {
namespace {

// Whose devices are meant: the named user's, or the caller's own; empty for root.
std::string owner(const Iam& iam, const RequestContext& request, const opt<std::string>& name) {
  if (name) return get_user(iam, request, *name).name;
  if (request.principal.kind == Principal::Kind::user)
    if (const UserRecord* user = find_user(iam, request.principal.arn)) return user->name;
  if (request.principal.kind == Principal::Kind::root) return {};
  throw AwsError("ValidationError", "Must specify userName when calling with non-User credentials");
}

const DeviceRecord& get_device_of(const Iam& iam, const RequestContext& request, const std::string& serial,
                                  const std::string& user) {
  const DeviceRecord* device = iam.devices.find(global(request), serial);
  if (device == nullptr || device->enabled.ms == 0 || key_of(device->user) != key_of(user))
    throw no_such_entity_exception("MFA Device invalid for user.");
  return *device;
}

// "The MFA device requires two consecutive authentication codes."
std::int64_t consecutive(const DeviceRecord& device, const std::string& first, const std::string& second, Time now) {
  const std::optional<std::int64_t> step = step_of(device.seed, first, now, 0);
  if (!step || device_code(device.seed, *step + 1) != second)
    throw invalid_authentication_code_exception("Authentication code for device is not valid");
  return *step + 1;
}

template <class Change>
void modify(Iam& iam, Tx& tx, const RequestContext& request, const std::string& serial, Change&& change) {
  iam.devices.modify(tx, global(request), get_device(iam, request, serial).serial, change);
}

}  // namespace

CreateVirtualMFADeviceOutput create_virtual_mfa_device(Iam& iam, Tx& tx,
                                                       const Request<CreateVirtualMFADeviceInput>& request) {
  DeviceRecord device;
  device.serial = arn_of(request, "mfa", request.input.path.value_or("/"), *request.input.virtual_mfa_device_name);
  device.tags = read_tags(request.input.tags.get());
  check_tags(device.tags);
  if (iam.devices.find(global(request), device.serial) != nullptr)
    throw entity_already_exists_exception("MFADevice entity at the same path and name already exists.");
  device.seed.resize(40);
  iam.random.fill(device.seed.data(), device.seed.size());
  device.created = iam.clock.now();
  iam.devices.insert(tx, global(request), device.serial, device);
  CreateVirtualMFADeviceOutput output;
  VirtualMFADevice& shown = output.virtual_mfa_device.ensure();
  shown.serial_number = device.serial;
  const std::string seed = to_base32(device.seed);
  shown.base32_string_seed = seed;
  const std::string alias = account_of(iam, request.scope.account).alias;
  shown.qr_code_png = qr_code_png(
      provisioning_uri(*request.input.virtual_mfa_device_name, alias.empty() ? request.scope.account : alias, seed));
  if (!device.tags.empty()) shown.tags = tags_to<Tag>(device.tags);
  return output;
}

DeleteVirtualMFADeviceOutput delete_virtual_mfa_device(Iam& iam, Tx& tx,
                                                       const Request<DeleteVirtualMFADeviceInput>& request) {
  const DeviceRecord& device = get_device(iam, request, *request.input.serial_number);
  if (device.enabled.ms != 0) throw delete_conflict_exception("MFA VirtualDevice in use. Must deactivate first.");
  iam.devices.erase(tx, global(request), *request.input.serial_number);
  return {};
}

EnableMFADeviceOutput enable_mfa_device(Iam& iam, Tx& tx, const Request<EnableMFADeviceInput>& request) {
  const EnableMFADeviceInput& input = request.input;
  const UserRecord& user = get_user(iam, request, *input.user_name);
  const DeviceRecord& found = get_device(iam, request, *input.serial_number);
  if (found.enabled.ms != 0) throw entity_already_exists_exception("MFA Device is already in use.");
  if (devices_of(iam, request, user.name).size() >= kDevicesPerUser)
    throw limit_exceeded_exception("Cannot exceed quota for MFADevicesPerUser: " + std::to_string(kDevicesPerUser));
  const std::int64_t step = consecutive(found, *input.authentication_code1, *input.authentication_code2, request.now);
  modify(iam, tx, request, *input.serial_number, [&](DeviceRecord& device) {
    device.user = user.name;
    device.enabled = iam.clock.now();
    device.last_step = step;
  });
  return {};
}

DeactivateMFADeviceOutput deactivate_mfa_device(Iam& iam, Tx& tx, const Request<DeactivateMFADeviceInput>& request) {
  const std::string user = owner(iam, request, request.input.user_name);
  get_device_of(iam, request, *request.input.serial_number, user);
  modify(iam, tx, request, *request.input.serial_number, [](DeviceRecord& device) {
    device.user.clear();
    device.enabled = Time{};
  });
  return {};
}

ResyncMFADeviceOutput resync_mfa_device(Iam& iam, Tx& tx, const Request<ResyncMFADeviceInput>& request) {
  const ResyncMFADeviceInput& input = request.input;
  const UserRecord& user = get_user(iam, request, *input.user_name);
  const DeviceRecord& found = get_device_of(iam, request, *input.serial_number, user.name);
  const std::int64_t step = consecutive(found, *input.authentication_code1, *input.authentication_code2, request.now);
  modify(iam, tx, request, *input.serial_number, [&](DeviceRecord& device) { device.last_step = step; });
  return {};
}

GetMFADeviceOutput get_mfa_device(Iam& iam, Tx&, const Request<GetMFADeviceInput>& request) {
  const std::string user = owner(iam, request, request.input.user_name);
  const DeviceRecord& device = get_device_of(iam, request, *request.input.serial_number, user);
  GetMFADeviceOutput output;
  if (!user.empty()) output.user_name = user;
  output.serial_number = device.serial;
  output.enable_date = device.enabled;
  return output;
}

ListMFADevicesOutput list_mfa_devices(Iam& iam, Tx&, const Request<ListMFADevicesInput>& request) {
  auto found = devices_of(iam, request, owner(iam, request, request.input.user_name));
  ListMFADevicesOutput output;
  cut(iam, request, "ListMFADevices", found, [](const DeviceRecord* device) { return device->serial; }, output);
  output.mfa_devices.emplace();
  for (const DeviceRecord* device : found)
    output.mfa_devices->push_back(
        {.user_name = device->user, .serial_number = device->serial, .enable_date = device->enabled});
  return output;
}

ListVirtualMFADevicesOutput list_virtual_mfa_devices(Iam& iam, Tx&,
                                                     const Request<ListVirtualMFADevicesInput>& request) {
  const std::string wanted = request.input.assignment_status.value_or("Any");
  auto found = iam.devices.select(global(request), [&](const DeviceRecord& device) {
    return wanted == "Any" || (wanted == "Assigned") == (device.enabled.ms != 0);
  });
  ListVirtualMFADevicesOutput output;
  cut(iam, request, "ListVirtualMFADevices", found, [](const DeviceRecord* device) { return device->serial; }, output);
  output.virtual_mfa_devices.emplace();
  for (const DeviceRecord* device : found) {
    VirtualMFADevice shown;
    shown.serial_number = device->serial;
    if (device->enabled.ms != 0) {
      shown.enable_date = device->enabled;
      if (const UserRecord* user = iam.users.find(global(request), key_of(device->user)))
        shown.user = render_user(*user);
    }
    output.virtual_mfa_devices->push_back(std::move(shown));
  }
  return output;
}

TagMFADeviceOutput tag_mfa_device(Iam& iam, Tx& tx, const Request<TagMFADeviceInput>& request) {
  modify(iam, tx, request, *request.input.serial_number,
         [&](DeviceRecord& device) { put_tags(device.tags, read_tags(request.input.tags.get())); });
  return {};
}

UntagMFADeviceOutput untag_mfa_device(Iam& iam, Tx& tx, const Request<UntagMFADeviceInput>& request) {
  modify(iam, tx, request, *request.input.serial_number,
         [&](DeviceRecord& device) { remove_tags(device.tags, request.input.tag_keys.get()); });
  return {};
}

ListMFADeviceTagsOutput list_mfa_device_tags(Iam& iam, Tx&, const Request<ListMFADeviceTagsInput>& request) {
  auto tags = tags_to<Tag>(get_device(iam, request, *request.input.serial_number).tags);
  ListMFADeviceTagsOutput output;
  cut(iam, request, "ListMFADeviceTags", tags, [](const Tag& tag) { return *tag.key; }, output);
  output.tags = std::move(tags);
  return output;
}

}  // namespace brume::iam
