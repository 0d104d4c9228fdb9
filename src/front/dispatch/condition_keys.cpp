#include "front/dispatch/condition_keys.h"

#include "core/text.h"

namespace brume::front {
namespace {

using model::Kind;
using model::Member;
using model::Type;

void add_key(ConditionKeys& keys, const std::string& key) { keys.emplace("aws:TagKeys", key); }

void add_tag(ConditionKeys& keys, const std::string& key, const std::string& value) {
  add_key(keys, key);
  keys.emplace("aws:RequestTag/" + key, value);
}

// The text of a structure's member, whose name some services write in lower case; null: there is none.
const std::string* text_of(const Type& type, const void* object, std::string_view name) {
  for (const Member& member : type.members)
    if (equals_ignoring_case(member.name, name) && member.type->kind == Kind::string)
      return static_cast<const std::string*>(member.get(object));
  return nullptr;
}

// One {Key, Value}. A tag without a value (DeleteTags) gives no aws:RequestTag.
void add_structure(ConditionKeys& keys, const Type& type, const void* tag) {
  const std::string* key = text_of(type, tag, "Key");
  const std::string* value = text_of(type, tag, "Value");
  if (key == nullptr) return;
  if (value != nullptr)
    add_tag(keys, *key, *value);
  else
    add_key(keys, *key);
}

// Tags in each form that AWS's services have: a list of {Key, Value}, a map, or a list of keys.
void add_tags(ConditionKeys& keys, const Type& type, const void* tags) {
  if (type.kind == Kind::map && type.element.type->kind == Kind::string) {
    type.ops->each(tags, &keys, [](void* context, const std::string& key, const void* value) {
      add_tag(*static_cast<ConditionKeys*>(context), key, *static_cast<const std::string*>(value));
    });
  }
  if (type.kind != Kind::list) return;
  const Type& element = *type.element.type;
  const std::size_t size = type.ops->size(tags);
  for (std::size_t i = 0; i < size; ++i) {
    const void* each = type.ops->at(tags, i);
    if (element.kind == Kind::structure) add_structure(keys, element, each);
    if (element.kind == Kind::string) add_key(keys, *static_cast<const std::string*>(each));
  }
}

// EC2's TagSpecifications: tags for each type of resource that the operation makes.
void add_specifications(ConditionKeys& keys, const Type& type, const void* specifications) {
  if (type.kind != Kind::list || type.element.type->kind != Kind::structure) return;
  const Member* member = type.element.type->find("Tags");
  if (member == nullptr) return;
  const std::size_t size = type.ops->size(specifications);
  for (std::size_t i = 0; i < size; ++i)
    if (const void* tags = member->get(type.ops->at(specifications, i))) add_tags(keys, *member->type, tags);
}

}  // namespace

ConditionKeys tag_keys(const Type& type, const void* input) {
  ConditionKeys keys;
  for (const Member& member : type.members) {
    const void* value = member.get(input);
    if (value == nullptr) continue;
    if (equals_ignoring_case(member.name, "Tags") || equals_ignoring_case(member.name, "TagKeys"))
      add_tags(keys, *member.type, value);
    else if (member.name == "TagSpecifications")
      add_specifications(keys, *member.type, value);
  }
  return keys;
}

// "Actions, resources, and condition keys for Amazon S3": these of the two actions, and of no other that is served.
ConditionKeys listing_keys(std::string_view action, const Type& type, const void* input) {
  ConditionKeys keys;
  if (action != "s3:ListBucket" && action != "s3:ListBucketVersions") return keys;
  constexpr std::pair<std::string_view, std::string_view> kMembers[] = {
      {"Prefix", "s3:prefix"}, {"Delimiter", "s3:delimiter"}, {"MaxKeys", "s3:max-keys"}};
  for (const auto& [member, key] : kMembers) {
    if (type.find(member) == nullptr) continue;  // HeadBucket
    for (std::string& value : model::strings_at(type, input, member)) keys.emplace(key, std::move(value));
  }
  return keys;
}

}  // namespace brume::front
