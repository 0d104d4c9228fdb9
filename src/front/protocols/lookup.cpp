#include <algorithm>
#include <tuple>

#include "core/text.h"
#include "front/protocols/catalogue.h"
#include "front/protocols/codec.h"
#include "front/protocols/form.h"
#include "front/protocols/uri_pattern.h"

namespace brume::protocols {
namespace {

using model::Location;

std::string find_parameter(std::string_view text, std::string_view name) {
  for (const std::string_view part : split(text, '&'))
    if (part.size() > name.size() && part.starts_with(name) && part[name.size()] == '=')
      return percent_decode(part.substr(name.size() + 1), true).value_or(std::string());
  return {};
}

std::string action_of(const WireRequest& request) {
  std::string action = find_parameter(request.query, "Action");
  return action.empty() ? find_parameter(request.body, "Action") : action;
}

// "DynamoDB_20120810.GetItem": the part before and the part after the last dot.
std::pair<std::string_view, std::string_view> target_of(const WireRequest& request) {
  const std::string_view target = request.header("X-Amz-Target");
  const std::size_t dot = target.rfind('.');
  if (dot == std::string_view::npos) return {{}, target};
  return {target.substr(0, dot), target.substr(dot + 1)};
}

// "/service/Name/operation/GetItem"
std::string_view cbor_operation_of(const WireRequest& request) {
  const std::size_t at = request.path.rfind("/operation/");
  return at == std::string_view::npos ? std::string_view() : request.path.substr(at + 11);
}

// How well a REST operation fits a request; the greatest wins. Its URI's own parameters count first, so that
// "GET /bucket?inventory" is never taken for a listing of the bucket.
struct Fit {
  int query_literals = 0;
  int missing_members = 0;  // required ones in the query and headers that the request lacks
  int present_members = 0;
  int literal_segments = 0;
  bool greedy = false;
  auto operator<=>(const Fit& other) const {
    return std::tuple(query_literals, -missing_members, present_members, literal_segments, !greedy) <=>
           std::tuple(other.query_literals, -other.missing_members, other.present_members, other.literal_segments,
                      !other.greedy);
  }
  bool operator==(const Fit&) const = default;
};

std::optional<Fit> fit_uri(std::string_view method, std::string_view uri, const WireRequest& request,
                           const Parameters& query) {
  if (method != request.method) return std::nullopt;
  // Most operations of S3 differ by their query alone.
  const auto literals = match_query(uri, query);
  if (!literals) return std::nullopt;
  const auto path = match_path(uri, request.path, nullptr);
  if (!path) return std::nullopt;
  return Fit{.query_literals = *literals, .literal_segments = path->literal_segments, .greedy = path->greedy};
}

void count_members(const model::Operation& operation, const WireRequest& request, const Parameters& query, Fit& fit) {
  for (const Member& member : operation.input->members) {
    if (!member.required) continue;
    bool present = false;
    if (member.location == Location::query)
      present = std::ranges::any_of(query, [&](const auto& each) { return each.first == member.wire_name(); });
    else if (member.location == Location::header)
      present = request.header(member.wire_name()).data() != nullptr;
    else
      continue;
    ++(present ? fit.present_members : fit.missing_members);
  }
}

Lookup find_rest(const model::Service& service, const WireRequest& request) {
  const auto query = parse_form(request.query).value_or(Parameters());
  Lookup best;
  Fit best_fit;
  for (const model::Operation& operation : service.operations) {
    auto fit = fit_uri(operation.method, operation.uri, request, query);
    if (!fit) continue;
    count_members(operation, request, query, *fit);
    if (best.kind != Lookup::Kind::unknown && *fit <= best_fit) continue;
    best = {Lookup::Kind::served, &operation, std::string(operation.name)};
    best_fit = *fit;
  }
  const KnownService* known = service_by_id(service.id);
  if (known == nullptr) return best;
  for (const KnownOperation& operation : known->operations) {
    const auto fit = fit_uri(operation.method, operation.uri, request, query);
    // Of an operation that is not served only the URI is known: it must say more than the best served one's.
    const auto said = [](const Fit& each) {
      return std::tuple(each.query_literals, each.literal_segments, !each.greedy);
    };
    if (!fit || (best.kind != Lookup::Kind::unknown && said(*fit) <= said(best_fit))) continue;
    if (service.find(operation.name) != nullptr) continue;  // asked last: hardly any gets so far
    best = {Lookup::Kind::known, nullptr, std::string(operation.name)};
    best_fit = *fit;
  }
  return best;
}

Lookup find_named(const model::Service& service, std::string_view name) {
  if (const model::Operation* operation = service.find(name))
    return {Lookup::Kind::served, operation, std::string(name)};
  const KnownService* known = service_by_id(service.id);
  const bool exists =
      known != nullptr && std::ranges::find(known->operations, name, &KnownOperation::name) != known->operations.end();
  return {exists ? Lookup::Kind::known : Lookup::Kind::unknown, nullptr, std::string(name)};
}

bool is_form(const WireRequest& request) {
  return request.header("Content-Type").starts_with("application/x-www-form-urlencoded");
}

bool is_cbor(const WireRequest& request) { return request.header("Smithy-Protocol") == "rpc-v2-cbor"; }

}  // namespace

std::string_view WireRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key.size() == name.size() && equals_ignoring_case(key, name)) return value;
  return {};
}

std::optional<Protocol> protocol_of(const model::Service& service, const WireRequest& request) {
  const auto first_of = [&](std::initializer_list<Protocol> wanted) -> std::optional<Protocol> {
    for (const Protocol protocol : service.protocols)
      if (std::ranges::find(wanted, protocol) != wanted.end()) return protocol;
    return std::nullopt;
  };
  if (is_cbor(request)) return first_of({Protocol::rpc_v2_cbor});
  if (request.header("X-Amz-Target").data() != nullptr && service.speaks(Protocol::json)) return Protocol::json;
  if (is_form(request) || !action_of(request).empty())
    if (const auto protocol = first_of({Protocol::query, Protocol::ec2})) return protocol;
  if (const auto protocol = first_of({Protocol::rest_json, Protocol::rest_xml})) return protocol;
  return first_of({Protocol::query, Protocol::ec2, Protocol::json});
}

Protocol guess_protocol(const WireRequest& request) {
  if (is_cbor(request)) return Protocol::rpc_v2_cbor;
  if (request.header("X-Amz-Target").data() != nullptr) return Protocol::json;
  if (is_form(request) || !find_parameter(request.query, "Action").empty()) return Protocol::query;
  return Protocol::rest_json;
}

Lookup find_operation(const model::Service& service, Protocol protocol, const WireRequest& request) {
  switch (protocol) {
    case Protocol::query:
    case Protocol::ec2:
      return find_named(service, action_of(request));
    case Protocol::json: {
      const auto [prefix, name] = target_of(request);
      if (prefix != service.target_prefix) return {Lookup::Kind::unknown, nullptr, std::string(name)};
      return find_named(service, name);
    }
    case Protocol::rpc_v2_cbor:
      return find_named(service, cbor_operation_of(request));
    case Protocol::rest_json:
    case Protocol::rest_xml:
      return find_rest(service, request);
  }
  return {};
}

std::optional<KnownRequest> find_known(std::span<const KnownService* const> candidates, const WireRequest& request) {
  const Protocol guessed = guess_protocol(request);
  std::string name;
  if (guessed == Protocol::query) name = action_of(request);
  if (guessed == Protocol::json) name = target_of(request).second;
  if (guessed == Protocol::rpc_v2_cbor) name = cbor_operation_of(request);
  const auto query = parse_form(request.query).value_or(Parameters());
  std::optional<KnownRequest> best;
  Fit best_fit;
  for (const KnownService* service : candidates) {
    for (const KnownOperation& operation : service->operations) {
      std::optional<Fit> fit;
      if (!name.empty() && operation.name == name) fit = Fit{.query_literals = 100};
      if (name.empty() && !operation.method.empty()) fit = fit_uri(operation.method, operation.uri, request, query);
      if (!fit || (best && *fit <= best_fit)) continue;
      const bool rest = !operation.method.empty();
      const auto spoken = rest ? service->protocols.front() : guessed;
      const bool ec2 = guessed == Protocol::query && service->protocols.front() == Protocol::ec2;
      best = KnownRequest{
          service, ec2 ? Protocol::ec2 : spoken, {Lookup::Kind::known, nullptr, std::string(operation.name)}};
      best_fit = *fit;
    }
  }
  return best;
}

}  // namespace brume::protocols
