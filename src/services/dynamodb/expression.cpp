// Expressions applied to items.
#include "services/dynamodb/expression.h"

#include <algorithm>

namespace brume::dynamodb {
namespace {

const AttributeValue* step_into(const AttributeValue& value, const PathStep& step) {
  if (!step.name.empty()) {
    if (!value.m) return nullptr;
    const auto found = value.m->find(step.name);
    return found == value.m->end() ? nullptr : &found->second;
  }
  return value.l && step.index < value.l->size() ? &(*value.l)[step.index] : nullptr;
}

std::optional<AttributeValue> evaluate(const Operand& operand, const Item& item) {
  if (operand.kind == Operand::Kind::value) return operand.value;
  if (operand.kind == Operand::Kind::path) {
    const AttributeValue* found = find(item, operand.path);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }
  if (operand.kind == Operand::Kind::size) {
    const auto value = evaluate(operand.parts[0], item);
    if (!value) return std::nullopt;
    std::size_t size = 0;
    if (value->s)
      size = value->s->size();
    else if (value->b)
      size = value->b->size();
    else if (value->l)
      size = value->l->size();
    else if (value->m)
      size = value->m->size();
    else if (value->ss || value->ns || value->bs)
      size = value->ss.get().size() + value->ns.get().size() + value->bs.get().size();
    else
      return std::nullopt;
    return number_value(std::to_string(size));
  }
  return std::nullopt;
}

bool contains(const AttributeValue& whole, const AttributeValue& part) {
  if (whole.s && part.s) return whole.s->find(*part.s) != std::string::npos;
  if (whole.b && part.b) return whole.b->find(*part.b) != std::string::npos;
  const auto in = [](const opt<std::vector<std::string>>& set, const opt<std::string>& element) {
    return set && element && std::ranges::find(*set, *element) != set->end();
  };
  if (in(whole.ss, part.s) || in(whole.ns, part.n) || in(whole.bs, part.b)) return true;
  return whole.l && std::ranges::any_of(*whole.l, [&](const AttributeValue& element) { return equal(element, part); });
}

bool compares(ConditionTree::Kind kind, const AttributeValue& a, const AttributeValue& b) {
  if (kind == ConditionTree::Kind::equal) return equal(a, b);
  if (kind == ConditionTree::Kind::not_equal) return !equal(a, b);
  const std::optional<int> order = compare(a, b);
  if (!order) return false;
  switch (kind) {
    case ConditionTree::Kind::less:
      return *order < 0;
    case ConditionTree::Kind::less_equal:
      return *order <= 0;
    case ConditionTree::Kind::greater:
      return *order > 0;
    default:
      return *order >= 0;
  }
}

bool holds_on_values(const ConditionTree& condition, const Item& item) {
  std::vector<std::optional<AttributeValue>> values;
  for (const Operand& operand : condition.operands) values.push_back(evaluate(operand, item));
  if (condition.kind == ConditionTree::Kind::attribute_exists) return values[0].has_value();
  if (condition.kind == ConditionTree::Kind::attribute_not_exists) return !values[0].has_value();
  // An attribute that is not there differs from everything.
  if (condition.kind == ConditionTree::Kind::not_equal && (!values[0] || !values[1]))
    return values[0].has_value() != values[1].has_value();
  if (!values[0]) return false;
  const AttributeValue& first = *values[0];
  switch (condition.kind) {
    case ConditionTree::Kind::in:
      return std::any_of(values.begin() + 1, values.end(),
                         [&](const auto& value) { return value && equal(first, *value); });
    case ConditionTree::Kind::between:
      return values[1] && values[2] && compares(ConditionTree::Kind::greater_equal, first, *values[1]) &&
             compares(ConditionTree::Kind::less_equal, first, *values[2]);
    case ConditionTree::Kind::attribute_type:
      return values[1] && values[1]->s && type_of(first) == *values[1]->s;
    case ConditionTree::Kind::begins_with:
      return values[1] && ((first.s && values[1]->s && first.s->starts_with(*values[1]->s)) ||
                           (first.b && values[1]->b && first.b->starts_with(*values[1]->b)));
    case ConditionTree::Kind::contains:
      return values[1] && contains(first, *values[1]);
    default:
      return values[1] && compares(condition.kind, first, *values[1]);
  }
}

AttributeValue evaluate_for_set(const Operand& operand, const Item& before) {
  const auto part = [&](std::size_t i) { return evaluate_for_set(operand.parts[i], before); };
  switch (operand.kind) {
    case Operand::Kind::if_not_exists: {
      const AttributeValue* found = find(before, operand.parts[0].path);
      return found != nullptr ? *found : part(1);
    }
    case Operand::Kind::list_append: {
      AttributeValue joined = part(0);
      const AttributeValue tail = part(1);
      if (!joined.l || !tail.l)
        throw validation(
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: "
            "list_append");
      joined.l->insert(joined.l->end(), tail.l->begin(), tail.l->end());
      return joined;
    }
    case Operand::Kind::plus:
    case Operand::Kind::minus: {
      const AttributeValue a = part(0);
      const AttributeValue b = part(1);
      if (!a.n || !b.n) throw validation("An operand in the update expression has an incorrect data type");
      return number_value(add_numbers(*a.n, operand.kind == Operand::Kind::plus ? *b.n : negate_number(*b.n)));
    }
    default: {
      auto value = evaluate(operand, before);
      if (!value) throw validation("The provided expression refers to an attribute that does not exist in the item");
      return *value;
    }
  }
}

// The container that the last step of the path is in; throws when the way does not lead there.
AttributeValue* parent_of(Item& item, const Path& path) {
  const auto root = item.find(path.front().name);
  AttributeValue* value = root == item.end() ? nullptr : &root->second;
  for (std::size_t i = 1; i + 1 < path.size() && value != nullptr; ++i)
    value = const_cast<AttributeValue*>(step_into(*value, path[i]));
  const PathStep& last = path.back();
  if (value == nullptr || (last.name.empty() ? !value->l.has_value() : !value->m.has_value()))
    throw validation("The document path provided in the update expression is invalid for update");
  return value;
}

void set_at(Item& item, const Path& path, AttributeValue value) {
  if (path.size() == 1) {
    item[path[0].name] = std::move(value);
    return;
  }
  AttributeValue* parent = parent_of(item, path);
  const PathStep& last = path.back();
  if (!last.name.empty())
    (*parent->m)[last.name] = std::move(value);
  else if (last.index < parent->l->size())
    (*parent->l)[last.index] = std::move(value);
  else
    parent->l->push_back(std::move(value));
}

void remove_at(Item& item, const Path& path) {
  if (path.size() == 1) {
    item.erase(path[0].name);
    return;
  }
  AttributeValue* parent = parent_of(item, path);
  const PathStep& last = path.back();
  if (!last.name.empty())
    parent->m->erase(last.name);
  else if (last.index < parent->l->size())
    parent->l->erase(parent->l->begin() + static_cast<std::ptrdiff_t>(last.index));
}

// The set member of a value: "ADD" and "DELETE" work on sets.
opt<std::vector<std::string>>* set_of(AttributeValue& value) {
  if (value.ss) return &value.ss;
  if (value.ns) return &value.ns;
  return value.bs ? &value.bs : nullptr;
}

void add_at(Item& item, const Path& path, AttributeValue value) {
  const AttributeValue* present = find(item, path);
  if (present == nullptr) return set_at(item, path, std::move(value));
  AttributeValue sum = *present;
  if (sum.n && value.n) {
    sum.n = add_numbers(*sum.n, *value.n);
  } else if (auto* set = set_of(sum); set != nullptr && type_of(sum) == type_of(value)) {
    for (const std::string& element : **set_of(value))
      if (std::ranges::find(**set, element) == (*set)->end()) (*set)->push_back(element);
  } else {
    throw validation("An operand in the update expression has an incorrect data type");
  }
  set_at(item, path, std::move(sum));
}

void delete_at(Item& item, const Path& path, AttributeValue value) {
  const AttributeValue* present = find(item, path);
  if (present == nullptr) return;
  AttributeValue rest = *present;
  auto* set = set_of(rest);
  if (set == nullptr || type_of(rest) != type_of(value))
    throw validation("An operand in the update expression has an incorrect data type");
  for (const std::string& element : **set_of(value)) std::erase(**set, element);
  if ((*set)->empty()) return remove_at(item, path);
  set_at(item, path, std::move(rest));
}

}  // namespace

const AttributeValue* find(const Item& item, const Path& path) {
  const auto root = item.find(path.front().name);
  const AttributeValue* value = root == item.end() ? nullptr : &root->second;
  for (std::size_t i = 1; i < path.size() && value != nullptr; ++i) value = step_into(*value, path[i]);
  return value;
}

bool holds(const ConditionTree& condition, const Item& item) {
  const auto part = [&](const ConditionTree& inner) { return holds(inner, item); };
  switch (condition.kind) {
    case ConditionTree::Kind::all:
      return std::ranges::all_of(condition.parts, part);
    case ConditionTree::Kind::any:
      return std::ranges::any_of(condition.parts, part);
    case ConditionTree::Kind::negation:
      return !part(condition.parts[0]);
    default:
      return holds_on_values(condition, item);
  }
}

void apply(const UpdateTree& update, Item& item) {
  const Item before = item;
  // Elements are removed from the end of their lists, so that an index means what it meant in the item as it was.
  std::vector<const UpdateTree::Clause*> removals;
  for (const UpdateTree::Clause& clause : update.clauses) {
    switch (clause.kind) {
      case UpdateTree::Clause::Kind::set:
        set_at(item, clause.path, evaluate_for_set(clause.operand, before));
        break;
      case UpdateTree::Clause::Kind::add:
        add_at(item, clause.path, evaluate_for_set(clause.operand, before));
        break;
      case UpdateTree::Clause::Kind::erase:
        delete_at(item, clause.path, evaluate_for_set(clause.operand, before));
        break;
      case UpdateTree::Clause::Kind::remove:
        removals.push_back(&clause);
        break;
    }
  }
  std::ranges::sort(removals, std::greater{},
                    [](const UpdateTree::Clause* clause) { return clause->path.back().index; });
  for (const UpdateTree::Clause* clause : removals)
    if (find(item, clause->path) != nullptr) remove_at(item, clause->path);
}

Item project(const Paths& projection, const Item& item) {
  Item result;
  for (const Path& path : projection) {
    const AttributeValue* found = find(item, path);
    if (found == nullptr) continue;
    // The way to the value is rebuilt: maps by name, lists with their chosen elements in order.
    AttributeValue* place = &result[path.front().name];
    for (std::size_t i = 1; i < path.size(); ++i) {
      if (!path[i].name.empty())
        place = &place->m.ensure()[path[i].name];
      else
        place = &place->l.ensure().emplace_back();
    }
    *place = *found;
  }
  return result;
}

}  // namespace brume::dynamodb
