#include "front/protocols/validate.h"

#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>

#include "core/text.h"
#include "front/protocols/codec.h"

namespace brume::protocols {

std::string lower_camel(std::string_view name) {
  std::string text(name);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

namespace {

// Java's \uXXXX is RE2's \x{XXXX}.
std::string re2_pattern(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 5 < pattern.size() && pattern[i + 1] == 'u') {
      out += "\\x{" + std::string(pattern.substr(i + 2, 4)) + "}";
      i += 5;
    } else if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      out += pattern.substr(i++, 2);
    } else {
      out += pattern[i];
    }
  }
  return out;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

namespace {

// Null: it cannot be compiled.
const RE2* compiled_pattern(std::string_view pattern) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<RE2>, std::less<>> compiled;
  const std::lock_guard lock(mutex);
  auto found = compiled.find(pattern);
  if (found == compiled.end()) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    auto made = std::make_unique<RE2>(re2_pattern(pattern), options);
    found = compiled.emplace(std::string(pattern), std::move(made)).first;
  }
  return found->second->ok() ? found->second.get() : nullptr;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  const RE2* expression = compiled_pattern(pattern);
  return expression == nullptr || RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *expression);
}

bool contains_pattern(std::string_view pattern, std::string_view text) {
  const RE2* expression = compiled_pattern(pattern);
  return expression == nullptr || RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *expression);
}

namespace {

// Where the validator is: frames on its own stack, from a value up to the input. Paths are only written for a
// violation.
struct Place {
  const Place* up = nullptr;
  const Member* member = nullptr;    // this frame is a member of a structure,
  std::size_t index = 0;             // or an element of a list, from 1,
  const std::string* key = nullptr;  // or a value of a map

  // 'attributeDefinitions.1.member.attributeName'
  std::string path() const {
    if (member != nullptr) return (up != nullptr ? up->path() + "." : std::string()) + lower_camel(member->name);
    return up->path() + "." + (key != nullptr ? *key : std::to_string(index)) + ".member";
  }
  // "TagSpecification.1.ResourceType"
  std::string wire_path() const {
    if (member == nullptr) return up->wire_path() + "." + (key != nullptr ? *key : std::to_string(index));
    std::string name(member->query_name.empty() ? member->wire_name() : member->query_name);
    if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 'a' + 'A');
    return up != nullptr ? up->wire_path() + "." + name : name;
  }
  const Member& nearest_member() const { return member != nullptr ? *member : up->nearest_member(); }
  const Member& outermost_member() const { return up != nullptr ? up->outermost_member() : *member; }
};

using Broken = std::vector<std::pair<Violation::Kind, std::string>>;

bool fits(double size, const model::Constraints& limits) {
  return !(limits.has_min && size < limits.min) && !(limits.has_max && size > limits.max);
}

void check_size(double size, std::string_view what, const model::Constraints& limits, Broken& out) {
  if (fits(size, limits)) return;
  const std::string subject = "Member must have " + std::string(what);
  if (limits.has_min && size < limits.min)
    out.emplace_back(Violation::Kind::too_small, subject + " greater than or equal to " + format_number(limits.min));
  if (limits.has_max && size > limits.max)
    out.emplace_back(Violation::Kind::too_large, subject + " less than or equal to " + format_number(limits.max));
}

void check_string(const model::Constraints& limits, const std::string& text, Broken& out) {
  check_size(static_cast<double>(characters(text)), "length", limits, out);
  if (!limits.pattern.empty() && !matches_pattern(limits.pattern, text))
    out.emplace_back(Violation::Kind::pattern,
                     "Member must satisfy regular expression pattern: " + std::string(limits.pattern));
  if (!limits.values.empty() && std::ranges::find(limits.values, std::string_view(text)) == limits.values.end()) {
    const std::vector<std::string> names(limits.values.begin(), limits.values.end());
    out.emplace_back(Violation::Kind::enumeration, "Member must satisfy enum value set: [" + join(names, ", ") + "]");
  }
}

// The constraints of a scalar's shape that its value breaks.
Broken broken(const Type& type, const void* value) {
  Broken out;
  if (type.constraints == nullptr) return out;
  const model::Constraints& limits = *type.constraints;
  switch (type.kind) {
    case Kind::string:
      check_string(limits, *static_cast<const std::string*>(value), out);
      break;
    case Kind::blob:
      check_size(static_cast<double>(static_cast<const std::string*>(value)->size()), "length", limits, out);
      break;
    case Kind::integer:
      check_size(static_cast<double>(*static_cast<const std::int64_t*>(value)), "value", limits, out);
      break;
    case Kind::number:
      check_size(*static_cast<const double*>(value), "value", limits, out);
      break;
    default:
      break;
  }
  return out;
}

std::string shown(const Member& member, const Type& type, const void* value) {
  if (member.sensitive || type.sensitive) return "***";
  return format_scalar(type, TimestampFormat::iso8601, value);
}

class Validator {
 public:
  Validator(std::vector<Violation>& out, std::size_t limit) : out_(out), limit_(limit) {}

  void members(const Type& type, const void* object, const Place* up) {
    for (const Member& member : type.members) {
      if (out_.size() >= limit_) return;
      const Place place{.up = up, .member = &member};
      if (const void* value = member.get(object))
        any(*member.type, value, place);
      else if (member.required && !member.idempotency_token)
        add(Violation::Kind::missing, place, {}, "Member must not be null");
    }
  }

 private:
  void add(Violation::Kind kind, const Place& place, std::string value, std::string constraint) {
    if (out_.size() >= limit_) return;
    out_.push_back({kind, &place.nearest_member(), place.path(), place.wire_path(), std::move(value),
                    std::move(constraint), place.outermost_member().location == model::Location::body});
  }

  void any(const Type& type, const void* value, const Place& place) {
    switch (type.kind) {
      case Kind::structure:
        return members(type, value, &place);
      case Kind::list:
        return list(type, value, place);
      case Kind::map:
        return map(type, value, place);
      case Kind::stream:
        return;
      default:
        break;
    }
    for (auto& [kind, text] : broken(type, value))
      add(kind, place, shown(place.nearest_member(), type, value), std::move(text));
  }

  void sized(const Type& type, std::size_t size, const Place& place, std::string_view text) {
    if (type.constraints == nullptr) return;
    Broken problems;
    check_size(static_cast<double>(size), "length", *type.constraints, problems);
    for (auto& [kind, constraint] : problems) add(kind, place, std::string(text), std::move(constraint));
  }

  // Scalars inside containers are reported at the container: "Member must satisfy constraint: [...]".
  void inner(std::string_view subject, const Broken& problems, const Place& place, std::string text) {
    std::vector<std::string> texts;
    for (const auto& [kind, constraint] : problems) texts.push_back(constraint);
    add(problems.front().first, place, std::move(text),
        std::string(subject) + " must satisfy constraint: [" + join(texts, ", ") + "]");
  }

  // "[a, b]", as AWS's messages show a list of scalars.
  static std::string list_text(const Type& type, const void* value, const Place& place) {
    std::vector<std::string> texts;
    const Type& element = *type.element.type;
    const std::size_t size = std::min<std::size_t>(type.ops->size(value), 100);
    for (std::size_t i = 0; i < size && is_scalar(element.kind); ++i)
      texts.push_back(shown(place.nearest_member(), element, type.ops->at(value, i)));
    return "[" + join(texts, ", ") + "]";
  }

  void list(const Type& type, const void* value, const Place& place) {
    const std::size_t size = type.ops->size(value);
    const Type& element = *type.element.type;
    if (type.constraints != nullptr && !fits(static_cast<double>(size), *type.constraints))
      sized(type, size, place, list_text(type, value, place));
    for (std::size_t i = 0; i < size && out_.size() < limit_; ++i) {
      const void* each = type.ops->at(value, i);
      if (is_scalar(element.kind)) {
        const Broken problems = broken(element, each);
        if (!problems.empty()) return inner("Member", problems, place, list_text(type, value, place));
      } else {
        any(element, each, Place{.up = &place, .index = i + 1});
      }
    }
  }

  void map(const Type& type, const void* value, const Place& place) {
    sized(type, type.ops->size(value), place, "{}");
    struct Context {
      Validator& validator;
      const Type& type;
      const Place& place;
    } context{*this, type, place};
    type.ops->each(value, &context, [](void* pointer, const std::string& key, const void* each) {
      auto& [self, map_type, at] = *static_cast<Context*>(pointer);
      const Type& element = *map_type.element.type;
      const Broken key_problems = broken(*map_type.key.type, &key);
      if (!key_problems.empty()) self.inner("Map keys", key_problems, at, "{" + key + "}");
      if (!is_scalar(element.kind)) return self.any(element, each, Place{.up = &at, .key = &key});
      const Broken problems = broken(element, each);
      if (!problems.empty())
        self.inner("Map value", problems, at, "{" + key + "=" + shown(at.nearest_member(), element, each) + "}");
    });
  }

  std::vector<Violation>& out_;
  std::size_t limit_;
};

}  // namespace

std::vector<Violation> find_violations(const Type& type, const void* value, std::size_t limit) {
  std::vector<Violation> violations;
  Validator(violations, limit).members(type, value, nullptr);
  return violations;
}

std::string validation_message(const std::vector<Violation>& violations) {
  std::string text = std::to_string(violations.size()) +
                     (violations.size() == 1 ? " validation error detected: " : " validation errors detected: ");
  for (std::size_t i = 0; i < violations.size(); ++i) {
    const Violation& each = violations[i];
    if (i != 0) text += "; ";
    text += each.kind == Violation::Kind::missing ? "Value null" : "Value '" + each.value + "'";
    text += " at '" + each.path + "' failed to satisfy constraint: " + each.constraint;
  }
  return text;
}

}  // namespace brume::protocols
