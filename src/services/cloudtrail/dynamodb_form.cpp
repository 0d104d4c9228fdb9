// DynamoDB's records of items: keys are seen, other attributes by their names only ("Understanding DynamoDB log file
// entries": "Non key attribute values … will not appear in logs of actions using the classic API").
#include <boost/json.hpp>

#include "services/cloudtrail/service_forms.h"
#include "services/cloudtrail/value_json.h"

namespace brume::cloudtrail {
namespace {

namespace json = boost::json;
using model::Kind;
using Storage = json::storage_ptr;

bool is_attribute(const model::Type& type) { return type.name == "AttributeValue"; }
// The values of an expression, and other attributes that are no key's.
bool is_never_seen(const model::Type& type) {
  return is_attribute(type) || type.name == "ExpressionAttributeValueMap" ||
         (type.kind == Kind::list && is_attribute(*type.element.type));
}

json::value shown(const model::Type& type, const void* value, int depth, const Storage& storage);

// A key's attribute is a text, a number or bytes: itself, without the name of its kind.
json::value key_attribute(const model::Type& type, const void* value, const Storage& storage) {
  for (const model::Member& member : type.members)
    if (const void* each = member.get(value); each != nullptr && member.type->kind != Kind::structure)
      return scalar_json(*member.type, each, storage);
  return nullptr;
}

json::value map(const model::Type& type, const void* value, int depth, const Storage& storage) {
  struct Context {
    const model::Type& element;
    bool is_item, is_key;
    int depth;
    const Storage& storage;
    json::array names;
    json::object values;
  };
  const model::Type& element = *type.element.type;
  const bool is_key = type.name == "Key";
  Context context{element,
                  is_attribute(element) && !is_key,
                  is_key,
                  depth + 1,
                  storage,
                  json::array(storage),
                  json::object(storage)};
  type.ops->each(value, &context, [](void* pointer, const std::string& name, const void* each) {
    auto& of = *static_cast<Context*>(pointer);
    if (of.is_item)
      of.names.emplace_back(name);
    else
      of.values[name] =
          of.is_key ? key_attribute(of.element, each, of.storage) : shown(of.element, each, of.depth, of.storage);
  });
  return context.is_item ? json::value(std::move(context.names), storage)
                         : json::value(std::move(context.values), storage);
}

json::value shown(const model::Type& type, const void* value, int depth, const Storage& storage) {
  if (depth > kDeepest) return "...";
  if (type.kind == Kind::map) return map(type, value, depth, storage);
  if (type.kind == Kind::list) {
    json::array all(storage);
    for (std::size_t i = 0, size = type.ops->size(value); i < size; ++i)
      all.push_back(shown(*type.element.type, type.ops->at(value, i), depth + 1, storage));
    return all;
  }
  if (type.kind != Kind::structure) return scalar_json(type, value, storage);
  json::object object(storage);
  for (const model::Member& member : type.members)
    if (const void* each = member.get(value); each != nullptr && !is_never_seen(*member.type))
      object[lower_camel(member.name)] =
          is_secret(member) ? hidden(storage) : shown(*member.type, each, depth + 1, storage);
  return object;
}

}  // namespace

json::value dynamodb_items_request(const AuditRecord& record, const Storage& storage) {
  return shown(record.input->type(), record.input->get(), 0, storage);
}

}  // namespace brume::cloudtrail
