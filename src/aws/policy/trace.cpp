#include "aws/policy/trace.h"

#include <algorithm>
#include <set>

#include "core/text.h"

namespace brume::policy {
namespace {

std::vector<std::string> texts_of(const std::vector<Pattern>& patterns) {
  std::vector<std::string> texts;
  for (const Pattern& pattern : patterns) texts.push_back(pattern.text());
  return texts;
}

bool any_matches(const std::vector<Pattern>& patterns, std::string_view value, const Keys& keys) {
  return std::ranges::any_of(patterns, [&](const Pattern& pattern) { return pattern.matches(value, keys); });
}

std::string text_of(const PrincipalPattern& pattern) {
  switch (pattern.kind) {
    case PrincipalPattern::Kind::everyone:
      return "*";
    case PrincipalPattern::Kind::account:
      return "account " + pattern.value;
    case PrincipalPattern::Kind::aws:
      break;
    case PrincipalPattern::Kind::service:
      return "service " + pattern.value;
    case PrincipalPattern::Kind::federated:
      return "federated " + pattern.value;
  }
  return pattern.value;
}

std::vector<std::string> names_of(const Principal& principal) {
  std::vector<std::string> names = {principal.kind == Principal::Kind::anonymous ? "anonymous" : principal.arn};
  if (!principal.role_arn.empty()) names.push_back(principal.role_arn);
  return names;
}

ElementTrace trace_principals(const Statement& statement, const Principal& principal) {
  ElementTrace element{.element = statement.not_principals ? "NotPrincipal" : "Principal"};
  element.matched = grant_for(statement, principal) != Grant::none;
  for (const PrincipalPattern& pattern : statement.principals) element.wanted.push_back(text_of(pattern));
  element.given = names_of(principal);
  return element;
}

// Reads JSON as far as it must to know where things end; the text has been parsed before.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  TextPosition position() const { return position_; }
  void skip_space() {
    while (!at_end() && std::string_view(" \t\r\n").find(peek()) != std::string_view::npos) step();
  }
  void step() {
    if (at_end()) return;
    const bool new_line = text_[at_] == '\n';
    // Columns count characters: the further bytes of one do not.
    if ((static_cast<unsigned char>(text_[at_]) & 0xC0) != 0x80) ++position_.column;
    if (new_line) position_ = {position_.line + 1, 1};
    ++at_;
  }
  std::string string() {
    std::string value;
    step();
    while (!at_end() && peek() != '"') {
      if (peek() == '\\') step();
      value += peek();
      step();
    }
    step();
    return value;
  }
  void skip_value() {
    skip_space();
    int depth = 0;
    do {
      if (peek() == '"') {
        string();
      } else {
        if (peek() == '{' || peek() == '[') ++depth;
        if (peek() == '}' || peek() == ']') --depth;
        step();
      }
      if (depth == 0 && (at_end() || std::string_view(",}] \t\r\n").find(peek()) != std::string_view::npos)) return;
    } while (!at_end());
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  TextPosition position_;
};

}  // namespace

StatementTrace trace(const Statement& statement, std::size_t index, PolicyKind kind, const Question& question) {
  StatementTrace traced{.sid = statement.sid, .index = index, .effect = statement.effect};
  if (kind == PolicyKind::resource || kind == PolicyKind::endpoint)
    traced.elements.push_back(trace_principals(statement, question.principal));
  const Keys& keys = question.keys;
  traced.elements.push_back({statement.not_actions ? "NotAction" : "Action",
                             any_matches(statement.actions, to_lower(question.action), keys) != statement.not_actions,
                             texts_of(statement.actions),
                             {std::string(question.action)}});
  if (!statement.resources.empty())
    traced.elements.push_back({statement.not_resources ? "NotResource" : "Resource",
                               any_matches(statement.resources, question.resource, keys) != statement.not_resources,
                               texts_of(statement.resources),
                               {std::string(question.resource)}});
  for (const Condition& condition : statement.conditions) {
    traced.elements.push_back({"Condition " + operator_name(condition.op()) + " " + condition.key(),
                               condition.holds(keys), condition.texts(), keys.find(condition.lower_key()).list()});
  }
  traced.applied = std::ranges::all_of(traced.elements, &ElementTrace::matched);
  return traced;
}

std::vector<std::string> context_keys(const Document& document) {
  std::set<std::string> keys;
  for (const Statement& statement : document.statements) {
    for (const Pattern& resource : statement.resources)
      for (std::string& name : resource.variable_names()) keys.insert(std::move(name));
    for (const Condition& condition : statement.conditions) {
      keys.insert(condition.key());
      for (const std::string& text : condition.texts())
        for (std::string& name : Pattern(text, {.variables = document.version == "2012-10-17"}).variable_names())
          keys.insert(std::move(name));
    }
  }
  return {keys.begin(), keys.end()};
}

std::vector<TextRange> statement_ranges(std::string_view text) {
  std::vector<TextRange> ranges;
  Scanner scanner(text);
  const auto one = [&] {
    scanner.skip_space();
    const TextPosition start = scanner.position();
    scanner.skip_value();
    ranges.push_back({start, scanner.position()});
    scanner.skip_space();
  };
  scanner.skip_space();
  scanner.step();
  while (!scanner.at_end()) {
    scanner.skip_space();
    if (scanner.peek() != '"') return {};
    const std::string name = scanner.string();
    scanner.skip_space();
    scanner.step();  // the colon
    scanner.skip_space();
    if (name != "Statement") {
      scanner.skip_value();
    } else if (scanner.peek() == '[') {
      do {
        scanner.step();
        one();
      } while (scanner.peek() == ',');
      return ranges;
    } else {
      one();
      return ranges;
    }
    scanner.skip_space();
    if (scanner.peek() != ',') return {};
    scanner.step();
  }
  return {};
}

}  // namespace brume::policy
