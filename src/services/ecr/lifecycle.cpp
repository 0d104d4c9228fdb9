// Lifecycle policies: read, checked, evaluated. Follows "Lifecycle policy properties in Amazon ECR".
#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "aws/filters.h"
#include "services/ecr/ecr.h"

namespace brume::ecr {
namespace {

namespace json = boost::json;

struct Rule {
  std::int64_t priority = 0;
  std::string tag_status, count_type;
  std::vector<std::string> prefixes, patterns;
  std::int64_t count = 0;
};

std::vector<std::string> strings(const json::object& object, std::string_view name) {
  std::vector<std::string> list;
  if (const json::value* value = object.if_contains(name); value != nullptr && value->is_array())
    for (const json::value& item : value->as_array())
      if (item.is_string()) list.emplace_back(item.as_string());
  return list;
}

std::string string_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

// Reads one rule, or returns why it is none.
std::string read_rule(const json::value& value, Rule& rule) {
  const json::object* object = value.if_object();
  const json::value* selection_value = object == nullptr ? nullptr : object->if_contains("selection");
  const json::object* selection = selection_value == nullptr ? nullptr : selection_value->if_object();
  if (selection == nullptr) return "object has missing required properties ([\"selection\"])";
  const json::value* priority = object->if_contains("rulePriority");
  if (priority == nullptr || !priority->is_int64() || priority->as_int64() < 1)
    return "rulePriority must be a positive integer";
  rule.priority = priority->as_int64();
  rule.tag_status = string_member(*selection, "tagStatus");
  rule.count_type = string_member(*selection, "countType");
  rule.prefixes = strings(*selection, "tagPrefixList");
  rule.patterns = strings(*selection, "tagPatternList");
  const json::value* count = selection->if_contains("countNumber");
  if (count == nullptr || !count->is_int64() || count->as_int64() < 1) return "countNumber must be a positive integer";
  rule.count = count->as_int64();
  if (rule.tag_status != "tagged" && rule.tag_status != "untagged" && rule.tag_status != "any")
    return "tagStatus must be tagged, untagged or any";
  if (rule.tag_status == "tagged" && rule.prefixes.empty() && rule.patterns.empty())
    return "tagPrefixList or tagPatternList is required when tagStatus is tagged";
  if (rule.count_type != "imageCountMoreThan" && rule.count_type != "sinceImagePushed")
    return "countType " + rule.count_type + " is not served";
  if (rule.count_type == "sinceImagePushed" && string_member(*selection, "countUnit") != "days")
    return "countUnit must be days";
  const json::value* action = object->if_contains("action");
  if (action == nullptr || !action->is_object() || string_member(action->as_object(), "type") != "expire")
    return "action.type must be expire";
  return {};
}

std::string read_rules(const std::string& document, std::vector<Rule>& rules) {
  boost::system::error_code error;
  const json::value parsed = json::parse(document, error);
  const json::object* object = parsed.if_object();
  const json::value* list = error || object == nullptr ? nullptr : object->if_contains("rules");
  if (list == nullptr || !list->is_array() || list->as_array().empty()) return "the policy needs a list of rules";
  for (const json::value& item : list->as_array()) {
    if (std::string problem = read_rule(item, rules.emplace_back()); !problem.empty()) return problem;
  }
  std::ranges::sort(rules, {}, &Rule::priority);
  for (std::size_t i = 1; i < rules.size(); ++i)
    if (rules[i].priority == rules[i - 1].priority) return "rulePriority must be unique";
  return {};
}

// An image is selected by a prefix list when one of its tags has one of the prefixes ("all" of the listed prefixes are
// needed in one rule), by a pattern list likewise.
bool selects(const Rule& rule, const LifecycleImage& image) {
  if (rule.tag_status == "any") return true;
  if (rule.tag_status == "untagged") return image.tags.empty();
  const auto has = [&](auto&& matches) { return std::ranges::any_of(image.tags, matches); };
  for (const std::string& prefix : rule.prefixes)
    if (!has([&](const std::string& tag) { return tag.starts_with(prefix); })) return false;
  for (const std::string& pattern : rule.patterns)
    if (!has([&](const std::string& tag) { return matches_wildcard(pattern, tag); })) return false;
  return !image.tags.empty();
}

}  // namespace

std::string lifecycle_problem(const std::string& document) {
  std::vector<Rule> rules;
  return read_rules(document, rules);
}

std::vector<std::string> expired_images(const std::string& document, std::vector<LifecycleImage> images, Time now) {
  std::vector<Rule> rules;
  if (!read_rules(document, rules).empty()) return {};
  std::ranges::sort(images, std::greater{}, &LifecycleImage::pushed_at);
  std::set<std::string> claimed;  // an image that one rule selected is not judged by a later one
  std::vector<std::string> expired;
  for (const Rule& rule : rules) {
    std::int64_t kept = 0;
    std::vector<std::string> mine;
    for (const LifecycleImage& image : images) {
      if (claimed.contains(image.digest) || !selects(rule, image)) continue;
      mine.push_back(image.digest);
      const std::int64_t age_days = (now - image.pushed_at).ms / days(1).ms;  // compared so, no count overflows
      const bool expires = rule.count_type == "imageCountMoreThan" ? ++kept > rule.count : age_days >= rule.count;
      if (expires) expired.push_back(image.digest);
    }
    claimed.insert(mine.begin(), mine.end());
  }
  return expired;
}

void apply_lifecycle(Ecr& ecr, Tx& tx, const Scope& scope, const std::string& name) {
  const RepositoryRecord* repository = ecr.repositories.find(scope, name);
  if (repository == nullptr || repository->lifecycle_policy.empty()) return;
  std::vector<LifecycleImage> images;
  ecr.images.for_each(scope, [&](const ImageRecord& image) {
    if (image.repository == name) images.push_back({image.digest, image.tags, image.pushed_at});
  });
  const Time now = ecr.needs.clock.now();
  for (const std::string& digest : expired_images(repository->lifecycle_policy, std::move(images), now))
    delete_image(ecr, tx, scope, *ecr.images.find(scope, name + "@" + digest));
  ecr.repositories.modify(tx, scope, name, [&](RepositoryRecord& changed) { changed.lifecycle_evaluated_at = now; });
}

}  // namespace brume::ecr
