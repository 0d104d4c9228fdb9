// S3's records show a request as it was sent: the names of its queries and headers, and a body as XML reads as JSON.
#include <algorithm>
#include <boost/json.hpp>

#include "core/scope.h"
#include "core/text.h"
#include "services/cloudtrail/service_forms.h"
#include "services/cloudtrail/value_json.h"

namespace brume::cloudtrail {
namespace {

namespace json = boost::json;
using model::Kind;
using model::Location;
using Storage = json::storage_ptr;

constexpr std::string_view kNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";

// Queries and headers are texts.
json::value text_of(const model::Member& member, const void* value, const Storage& storage) {
  if (is_secret(member)) return hidden(storage);
  const json::value scalar = scalar_json(*member.type, value, storage);
  return scalar.is_string() ? scalar : json::value(json::serialize(scalar), storage);
}

json::value element(const model::Type& type, const void* value, int depth, const Storage& storage);

// One element is itself, several are an array.
json::value elements(const model::Type& list, const void* value, int depth, const Storage& storage) {
  json::array all(storage);
  const std::size_t size = list.ops->size(value);
  for (std::size_t i = 0; i < size; ++i)
    all.push_back(element(*list.element.type, list.ops->at(value, i), depth + 1, storage));
  if (all.size() == 1) return all.front();
  return all.empty() ? json::value("", storage) : json::value(std::move(all), storage);
}

json::value element(const model::Type& type, const void* value, int depth, const Storage& storage) {
  if (depth > kDeepest) return "...";
  if (type.kind != Kind::structure) return scalar_json(type, value, storage);
  json::object object(storage);
  for (const model::Member& member : type.members) {
    const void* each = member.get(value);
    if (each == nullptr) continue;
    const std::string_view name = member.wire_name();
    if (is_secret(member)) {
      object[name] = hidden(storage);
    } else if (member.type->kind != Kind::list) {
      object[name] = element(*member.type, each, depth + 1, storage);
    } else if (member.flattened || member.type->flattened) {
      object[name] = elements(*member.type, each, depth, storage);
    } else {
      const std::string_view each_name = member.type->element.location_name;
      json::object inner(storage);
      inner[each_name.empty() ? "member" : each_name] = elements(*member.type, each, depth, storage);
      object[name] = std::move(inner);
    }
  }
  return object;
}

// What an operation's address always has: "?policy", "?list-type=2".
void add_fixed_queries(std::string_view uri, json::object& out) {
  const std::size_t at = uri.find('?');
  if (at == std::string_view::npos) return;
  for (const std::string_view query : split(uri.substr(at + 1), '&')) {
    const std::size_t equals = query.find('=');
    out[query.substr(0, equals)] = equals == std::string_view::npos ? std::string_view() : query.substr(equals + 1);
  }
}

void add_body(const AuditRecord& record, const model::Member& member, const void* value, json::object& out) {
  const Storage& storage = out.storage();
  if (member.type->kind == Kind::structure) {
    // The keys of many objects, or the parts of one: not shown.
    if (record.operation_name == "DeleteObjects" || record.operation_name == "CompleteMultipartUpload") return;
    json::value body = element(*member.type, value, 0, storage);
    body.get_object()["xmlns"] = kNamespace;
    out[member.wire_name()] = std::move(body);
  } else if (member.name == "Policy") {
    const auto& text = *static_cast<const std::string*>(value);
    boost::system::error_code wrong;
    json::value policy = json::parse(text, wrong, storage);
    out["bucketPolicy"] = wrong ? scalar_json(*member.type, value, storage) : std::move(policy);
  }
}

std::string input_text(const AuditRecord& record, std::string_view name) {
  const model::Type& type = record.input->type();
  if (type.find(name) == nullptr) return {};
  const auto values = model::strings_at(type, record.input->get(), name);
  return values.empty() ? std::string() : values.front();
}

}  // namespace

json::value s3_request(const AuditRecord& record, const Storage& storage) {
  const model::Type& type = record.input->type();
  json::object out(storage);
  if (record.operation != nullptr) add_fixed_queries(record.operation->uri, out);
  for (std::size_t i = 0; i < type.members.size(); ++i) {
    const model::Member& member = type.members[i];
    const void* value = member.get(record.input->get());
    if (value == nullptr) continue;
    if (static_cast<std::int16_t>(i) == type.payload)
      add_body(record, member, value, out);
    else if (member.location == Location::uri)
      out[member.name == "Bucket" ? "bucketName" : lower_camel(member.name)] = text_of(member, value, storage);
    else if (member.location == Location::query && member.type->kind != Kind::list)
      out[member.wire_name()] = text_of(member, value, storage);
    else if (member.location == Location::header && member.wire_name().starts_with("x-amz-") &&
             member.type->kind != Kind::list && member.name != "MFA")
      out[member.wire_name()] = text_of(member, value, storage);
  }
  if (!record.context.host.empty()) out["Host"] = record.context.host;
  return out.empty() ? json::value(nullptr) : json::value(std::move(out), storage);
}

json::value s3_response(const AuditRecord& record, const Storage& storage) {
  json::object out(storage);
  for (const model::Member& member : record.output->type().members) {
    const void* value = member.get(static_cast<const void*>(record.output->get()));
    if (value != nullptr && member.location == Location::header && member.wire_name().starts_with("x-amz-"))
      out[member.wire_name()] = text_of(member, value, storage);
  }
  return out.empty() ? json::value(nullptr) : json::value(std::move(out), storage);
}

json::value s3_resources(const AuditRecord& record, const Storage& storage) {
  const std::string bucket = input_text(record, "Bucket"), key = input_text(record, "Key");
  if (bucket.empty()) return nullptr;
  const std::string arn = "arn:" + std::string(partition_of(record.context.scope.region)) + ":s3:::" + bucket;
  json::array out(storage);
  if (!key.empty())
    out.push_back(json::object({{"type", "AWS::S3::Object"}, {"ARN", arn + "/" + key}}, storage));
  else if (record.operation_name.starts_with("ListObject"))
    out.push_back(json::object({{"type", "AWS::S3::Object"}, {"ARNPrefix", arn + "/"}}, storage));
  const std::string& owner = record.resource_account.empty() ? record.context.scope.account : record.resource_account;
  out.push_back(json::object({{"accountId", owner}, {"type", "AWS::S3::Bucket"}, {"ARN", arn}}, storage));
  return out;
}

}  // namespace brume::cloudtrail
