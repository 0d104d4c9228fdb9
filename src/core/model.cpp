#include "core/model.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/time.h"

namespace brume::model {

const Member* Type::find(std::string_view member_name) const {
  for (const Member& member : members)
    if (member.name == member_name) return &member;
  return nullptr;
}

const Operation* Service::find(std::string_view operation_name) const {
  const auto found = std::ranges::lower_bound(operations, operation_name, {}, &Operation::name);
  return found != operations.end() && found->name == operation_name ? &*found : nullptr;
}

const ErrorShape* Service::find_error(std::string_view wire_code) const {
  const auto by_code = std::ranges::find(errors, wire_code, &ErrorShape::code);
  if (by_code != errors.end()) return &*by_code;
  const auto by_name = std::ranges::find(errors, wire_code, &ErrorShape::name);
  return by_name != errors.end() ? &*by_name : nullptr;
}

bool Service::speaks(Protocol protocol) const { return std::ranges::find(protocols, protocol) != protocols.end(); }

namespace {

// "Objects[]" of "Objects[].Key": the name, whether its elements are meant, and what follows the dot.
struct Step {
  std::string_view name, rest;
  bool each = false;
};

Step first_step(std::string_view path) {
  Step step;
  const std::size_t dot = path.find('.');
  step.name = path.substr(0, dot);
  if (dot != std::string_view::npos) step.rest = path.substr(dot + 1);
  if (step.name.ends_with("[]")) {
    step.each = true;
    step.name.remove_suffix(2);
  }
  return step;
}

std::string number_text(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

void add_scalar(const Type& type, const void* value, std::vector<std::string>& out) {
  switch (type.kind) {
    case Kind::string:
    case Kind::blob:
    case Kind::document:
      out.push_back(*static_cast<const std::string*>(value));
      return;
    case Kind::integer:
      out.push_back(std::to_string(*static_cast<const std::int64_t*>(value)));
      return;
    case Kind::number:
      out.push_back(number_text(*static_cast<const double*>(value)));
      return;
    case Kind::boolean:
      out.emplace_back(*static_cast<const bool*>(value) ? "true" : "false");
      return;
    case Kind::timestamp:
      out.push_back(iso8601(*static_cast<const Time*>(value)));
      return;
    case Kind::stream:
    case Kind::structure:
    case Kind::list:
    case Kind::map:
      break;
  }
  BRUME_CHECK(false && "a path must end at a scalar");
}

void collect(const Type& type, const void* value, std::string_view path, std::vector<std::string>& out) {
  if (path.empty()) return add_scalar(type, value, out);
  const Step step = first_step(path);
  const Member* member = type.find(step.name);
  BRUME_CHECK(member != nullptr);
  const void* found = member->get(value);
  if (found == nullptr) return;
  const Type& found_type = *member->type;
  if (!step.each) return collect(found_type, found, step.rest, out);
  if (found_type.kind == Kind::map) {
    found_type.ops->each(found, &out, [](void* context, const std::string& key, const void*) {
      static_cast<std::vector<std::string>*>(context)->push_back(key);
    });
    return;
  }
  const std::size_t size = found_type.ops->size(found);
  for (std::size_t i = 0; i < size; ++i)
    collect(*found_type.element.type, found_type.ops->at(found, i), step.rest, out);
}

bool is_scalar(Kind kind) {
  return kind != Kind::structure && kind != Kind::list && kind != Kind::map && kind != Kind::stream;
}

}  // namespace

std::vector<std::string> strings_at(const Type& type, const void* object, std::string_view path) {
  std::vector<std::string> out;
  collect(type, object, path, out);
  return out;
}

bool has_path(const Type& type, std::string_view path) {
  if (path.empty()) return is_scalar(type.kind);
  const Step step = first_step(path);
  const Member* member = type.find(step.name);
  if (member == nullptr) return false;
  if (!step.each) return has_path(*member->type, step.rest);
  if (member->type->kind == Kind::map) return step.rest.empty();
  return member->type->kind == Kind::list && has_path(*member->type->element.type, step.rest);
}

}  // namespace brume::model
