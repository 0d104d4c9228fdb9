// The names of all of AWS's operations, so that what is not served is refused by name (models/operations.txt).
// Immutable after its first use: any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "front/protocols/protocol.h"

namespace brume::protocols {

struct KnownOperation {
  std::string_view name;
  std::string_view method, uri;  // of REST services; empty for the others
};

struct KnownService {
  std::string_view id;               // as AWS's SDKs name it: "elbv2"
  std::string_view signing_name;     // in the credential scope
  std::string_view endpoint_prefix;  // in host names
  std::string_view target_prefix;    // of X-Amz-Target; empty: none
  std::vector<Protocol> protocols;
  std::vector<KnownOperation> operations;
};

std::span<const KnownService> all_services();
const KnownService* service_by_id(std::string_view id);
const KnownService* service_by_target(std::string_view target_prefix);
// Several services share a signing name ("es", "execute-api").
std::vector<const KnownService*> services_by_signing_name(std::string_view signing_name);
const KnownService* service_by_endpoint(std::string_view endpoint_prefix);

// For requests of services that are not served at all: which of AWS's operations a request means. The service is the
// first of `candidates` that has it; nullopt if none does.
struct KnownRequest {
  const KnownService* service = nullptr;
  Protocol protocol = Protocol::query;
  Lookup lookup;  // of kind `known`
};
std::optional<KnownRequest> find_known(std::span<const KnownService* const> candidates, const WireRequest& request);

}  // namespace brume::protocols
