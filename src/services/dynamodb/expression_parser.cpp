// From text to expressions.
#include <cctype>

#include "core/text.h"
#include "services/dynamodb/expression.h"

namespace brume::dynamodb {

Placeholders::Placeholders(const std::map<std::string, std::string>& names, const Item& values)
    : names_(names), values_(values) {
  for (auto& [name, value] : values_) normalize(value);
}

const std::string& Placeholders::name(const std::string& placeholder, std::string_view kind) {
  const auto found = names_.find(placeholder);
  if (found == names_.end())
    throw validation(
        "Invalid " + std::string(kind) +
        ": An expression attribute name used in the document path is not defined; attribute name: " + placeholder);
  used_.insert(placeholder);
  return found->second;
}

const AttributeValue& Placeholders::value(const std::string& placeholder, std::string_view kind) {
  const auto found = values_.find(placeholder);
  if (found == values_.end())
    throw validation(
        "Invalid " + std::string(kind) +
        ": An expression attribute value used in expression is not defined; attribute value: " + placeholder);
  used_.insert(placeholder);
  return found->second;
}

void Placeholders::check_all_used() const {
  for (const auto& [name, to] : names_)
    if (!used_.contains(name))
      throw validation("Value provided in ExpressionAttributeNames unused in expressions: keys: {" + name + "}");
  for (const auto& [name, value] : values_)
    if (!used_.contains(name))
      throw validation("Value provided in ExpressionAttributeValues unused in expressions: keys: {" + name + "}");
}

namespace {

constexpr std::size_t kLongest = 4096;  // "Expression length: 4 KB"
constexpr int kDeepest = 64;

struct Token {
  enum class Kind { name, placeholder_name, placeholder_value, number, symbol, end } kind = Kind::end;
  std::string text;
};

std::vector<Token> tokenize(std::string_view text, std::string_view kind) {
  if (text.size() > kLongest)
    throw validation("Invalid " + std::string(kind) + ": Expression size has exceeded the maximum allowed size");
  std::vector<Token> tokens;
  std::size_t i = 0;
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; };
  while (i < text.size()) {
    const char c = text[i];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    Token token;
    if (c == '#' || c == ':' || std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_') {
      while (end < text.size() && is_word(text[end]) && (c == '#' || c == ':' || text[end] != '-')) ++end;
      token.kind = c == '#'   ? Token::Kind::placeholder_name
                   : c == ':' ? Token::Kind::placeholder_value
                              : Token::Kind::name;
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
      token.kind = Token::Kind::number;
    } else {
      const std::string_view two = text.substr(i, 2);
      if (two == "<>" || two == "<=" || two == ">=")
        end = i + 2;
      else if (std::string_view("=<>(),.[]+-").find(c) == std::string_view::npos)
        throw validation("Invalid " + std::string(kind) + ": Syntax error; token: \"" + c + "\", near: \"" +
                         std::string(text.substr(i, 10)) + "\"");
      token.kind = Token::Kind::symbol;
    }
    token.text = text.substr(i, end - i);
    tokens.push_back(std::move(token));
    i = end;
  }
  tokens.push_back({});
  return tokens;
}

class Parser {
 public:
  Parser(std::string_view text, Placeholders& placeholders, std::string_view kind)
      : tokens_(tokenize(text, kind)), placeholders_(placeholders), kind_(kind) {
    if (tokens_.size() == 1) throw validation("Invalid " + kind_ + ": The expression can not be empty;");
  }

  ConditionTree condition() {
    ConditionTree parsed = any(0);
    expect_end();
    return parsed;
  }
  Paths projection() {
    Paths paths;
    do paths.push_back(path());
    while (take_symbol(","));
    expect_end();
    return paths;
  }
  UpdateTree update() {
    UpdateTree parsed;
    std::set<std::string> sections;
    while (peek().kind != Token::Kind::end) {
      const std::string section = word();
      if (!sections.insert(section).second)
        throw validation("Invalid UpdateExpression: The \"" + section +
                         "\" section can only be used once in an update expression;");
      do parsed.clauses.push_back(clause(section));
      while (take_symbol(","));
    }
    check_overlaps(parsed);
    return parsed;
  }

 private:
  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  Token next() { return tokens_[std::min(at_++, tokens_.size() - 1)]; }
  [[noreturn]] void fail() const {
    throw validation("Invalid " + kind_ + ": Syntax error; token: \"" + (peek().text.empty() ? "<EOF>" : peek().text) +
                     "\", near: \"" + (at_ > 0 ? tokens_[at_ - 1].text + " " : "") + peek().text + "\"");
  }
  void expect_end() const {
    if (peek().kind != Token::Kind::end) fail();
  }
  bool take_symbol(std::string_view symbol) {
    if (peek().kind != Token::Kind::symbol || peek().text != symbol) return false;
    ++at_;
    return true;
  }
  void expect(std::string_view symbol) {
    if (!take_symbol(symbol)) fail();
  }
  bool take_word(std::string_view wanted) {
    if (peek().kind != Token::Kind::name || !equals_ignoring_case(peek().text, wanted)) return false;
    ++at_;
    return true;
  }
  std::string word() {
    if (peek().kind != Token::Kind::name) fail();
    std::string text = next().text;
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
  }

  Path path() {
    Path path;
    do {
      const Token token = next();
      if (token.kind == Token::Kind::placeholder_name)
        path.push_back({placeholders_.name(token.text, kind_), 0});
      else if (token.kind == Token::Kind::name)
        path.push_back({token.text, 0});
      else
        fail();
      while (take_symbol("[")) {
        std::int64_t index = 0;
        if (peek().kind != Token::Kind::number || !parse_int(next().text, index)) fail();
        path.push_back({{}, static_cast<std::size_t>(index)});
        expect("]");
      }
    } while (take_symbol("."));
    return path;
  }

  Operand operand() {
    if (peek().kind == Token::Kind::placeholder_value)
      return {.kind = Operand::Kind::value, .value = placeholders_.value(next().text, kind_)};
    if (peek().kind == Token::Kind::name && peek(1).text == "(") return function();
    return {.kind = Operand::Kind::path, .path = path()};
  }
  Operand function() {
    const std::string name = next().text;
    expect("(");
    Operand parsed;
    if (name == "size")
      parsed.kind = Operand::Kind::size;
    else if (name == "if_not_exists")
      parsed.kind = Operand::Kind::if_not_exists;
    else if (name == "list_append")
      parsed.kind = Operand::Kind::list_append;
    else
      throw validation("Invalid " + kind_ + ": Invalid function name; function: " + name);
    do parsed.parts.push_back(operand());
    while (take_symbol(","));
    expect(")");
    const std::size_t wanted = parsed.kind == Operand::Kind::size ? 1 : 2;
    if (parsed.parts.size() != wanted)
      throw validation("Invalid " + kind_ +
                       ": Incorrect number of operands for operator or function; operator or function: " + name);
    if (parsed.kind == Operand::Kind::if_not_exists) require_path(parsed.parts[0], name);
    return parsed;
  }
  void require_path(const Operand& operand, const std::string& function) const {
    if (operand.kind != Operand::Kind::path)
      throw validation("Invalid " + kind_ +
                       ": Operator or function requires a document path; operator or function: " + function);
  }

  ConditionTree any(int depth) { return joined(ConditionTree::Kind::any, "OR", depth); }
  ConditionTree joined(ConditionTree::Kind kind, std::string_view word, int depth) {
    if (depth > kDeepest) throw validation("Invalid " + kind_ + ": The expression is nested too deeply");
    const auto part = [&] {
      return kind == ConditionTree::Kind::any ? joined(ConditionTree::Kind::all, "AND", depth + 1) : negated(depth + 1);
    };
    ConditionTree first = part();
    if (!take_word(word)) return first;
    ConditionTree list{.kind = kind, .parts = {std::move(first)}};
    do list.parts.push_back(part());
    while (take_word(word));
    return list;
  }
  ConditionTree negated(int depth) {
    if (depth > kDeepest) throw validation("Invalid " + kind_ + ": The expression is nested too deeply");
    if (take_word("NOT")) return {.kind = ConditionTree::Kind::negation, .parts = {negated(depth + 1)}};
    if (take_symbol("(")) {
      ConditionTree inner = any(depth + 1);
      expect(")");
      return inner;
    }
    return comparison();
  }
  ConditionTree comparison() {
    static const std::map<std::string, std::pair<ConditionTree::Kind, std::size_t>> kFunctions = {
        {"attribute_exists", {ConditionTree::Kind::attribute_exists, 1}},
        {"attribute_not_exists", {ConditionTree::Kind::attribute_not_exists, 1}},
        {"attribute_type", {ConditionTree::Kind::attribute_type, 2}},
        {"begins_with", {ConditionTree::Kind::begins_with, 2}},
        {"contains", {ConditionTree::Kind::contains, 2}}};
    if (peek().kind == Token::Kind::name && peek(1).text == "(" && kFunctions.contains(peek().text)) {
      const std::string name = next().text;
      const auto& [kind, count] = kFunctions.at(name);
      ConditionTree parsed{.kind = kind};
      expect("(");
      do parsed.operands.push_back(operand());
      while (take_symbol(","));
      expect(")");
      if (parsed.operands.size() != count)
        throw validation("Invalid " + kind_ +
                         ": Incorrect number of operands for operator or function; operator or function: " + name);
      if (name.starts_with("attribute_")) require_path(parsed.operands[0], name);
      return parsed;
    }
    ConditionTree parsed{.operands = {operand()}};
    if (take_word("BETWEEN")) {
      parsed.kind = ConditionTree::Kind::between;
      parsed.operands.push_back(operand());
      if (!take_word("AND")) fail();
      parsed.operands.push_back(operand());
      return parsed;
    }
    if (take_word("IN")) {
      parsed.kind = ConditionTree::Kind::in;
      expect("(");
      do parsed.operands.push_back(operand());
      while (take_symbol(","));
      expect(")");
      return parsed;
    }
    static const std::map<std::string, ConditionTree::Kind> kOperators = {
        {"=", ConditionTree::Kind::equal},   {"<>", ConditionTree::Kind::not_equal},
        {"<", ConditionTree::Kind::less},    {"<=", ConditionTree::Kind::less_equal},
        {">", ConditionTree::Kind::greater}, {">=", ConditionTree::Kind::greater_equal}};
    const auto found = peek().kind == Token::Kind::symbol ? kOperators.find(peek().text) : kOperators.end();
    if (found == kOperators.end()) fail();
    ++at_;
    parsed.kind = found->second;
    parsed.operands.push_back(operand());
    return parsed;
  }

  UpdateTree::Clause clause(const std::string& section) {
    UpdateTree::Clause parsed{.path = path()};
    if (section == "REMOVE") {
      parsed.kind = UpdateTree::Clause::Kind::remove;
      return parsed;
    }
    if (section == "ADD" || section == "DELETE") {
      parsed.kind = section == "ADD" ? UpdateTree::Clause::Kind::add : UpdateTree::Clause::Kind::erase;
      parsed.operand = operand();
      return parsed;
    }
    if (section != "SET") throw validation("Invalid UpdateExpression: Syntax error; token: \"" + section + "\"");
    expect("=");
    parsed.operand = operand();
    for (const auto& [symbol, kind] : {std::pair{"+", Operand::Kind::plus}, std::pair{"-", Operand::Kind::minus}}) {
      if (!take_symbol(symbol)) continue;
      Operand sum{.kind = kind};
      sum.parts.push_back(std::move(parsed.operand));
      sum.parts.push_back(operand());
      parsed.operand = std::move(sum);
      break;
    }
    return parsed;
  }

  static void check_overlaps(const UpdateTree& update) {
    for (std::size_t i = 0; i < update.clauses.size(); ++i)
      for (std::size_t j = i + 1; j < update.clauses.size(); ++j) {
        const Path& a = update.clauses[i].path;
        const Path& b = update.clauses[j].path;
        const std::size_t common = std::min(a.size(), b.size());
        if (std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(common), b.begin()))
          throw validation(
              "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of "
              "these paths; path one: [" +
              a.front().name + "], path two: [" + b.front().name + "]");
      }
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  Placeholders& placeholders_;
  std::string kind_;
};

}  // namespace

ConditionTree parse_condition(std::string_view text, Placeholders& placeholders, std::string_view kind) {
  return Parser(text, placeholders, kind).condition();
}
UpdateTree parse_update(std::string_view text, Placeholders& placeholders) {
  return Parser(text, placeholders, "UpdateExpression").update();
}
Paths parse_projection(std::string_view text, Placeholders& placeholders) {
  return Parser(text, placeholders, "ProjectionExpression").projection();
}

}  // namespace brume::dynamodb
