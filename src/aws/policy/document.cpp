#include "aws/policy/document.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <span>

#include "aws/policy/json_tree.h"
#include "core/text.h"

namespace brume::policy {
namespace {

// Thrown and caught within this file only: a parser of fifty ways to be wrong reads better with one way out.
struct Refusal {
  Problem problem;
};

[[noreturn]] void refuse(std::string message, std::string detail = {}) {
  throw Refusal{{std::move(message), std::move(detail)}};
}

// IAM has one sentence for most faults of an identity policy; trust and resource policies name the field.
class Parser {
 public:
  explicit Parser(Grammar grammar) : grammar_(grammar) {}
  Document parse(std::string_view text);

 private:
  bool identity() const { return grammar_ == Grammar::identity; }
  bool trust() const { return grammar_ == Grammar::trust; }
  [[noreturn]] void syntax(const std::string& detail) const { refuse("Syntax errors in policy.", detail); }
  // `named` is what the newer grammars say, identity policies have their one sentence.
  [[noreturn]] void fault(const std::string& named) const {
    if (identity()) syntax(named);
    refuse(named);
  }

  // IAM reads an identity policy in passes: syntax, version, its older parser, then the statements. What a later pass
  // finds is kept until the earlier ones have nothing to say.
  enum class Pass { version, legacy, identifiers, statements };
  void object(Pass pass, int rank, std::string message, std::string detail = {}) {
    if (!identity()) refuse(std::move(message), std::move(detail));
    const std::array<std::size_t, 3> place = {static_cast<std::size_t>(pass), document_.statements.size(),
                                              static_cast<std::size_t>(rank)};
    if (found_ && found_place_ <= place) return;
    found_place_ = place;
    found_ = Problem{std::move(message), std::move(detail)};
  }
  void parse_effect(const Node& node, Statement& statement);
  void parse_version(const Node* node);
  Statement parse_statement(const Node& node);
  void parse_principals(const Node* node, Statement& statement) const;
  void add_principal(const std::string& type, const std::string& value, Statement& statement) const;
  void parse_actions(const Node& node, Statement& statement);
  void check_action(const std::string& action);
  void parse_resources(const Node& node, Statement& statement);
  void check_resource(const std::string& resource);
  void parse_conditions(const Node& node, Statement& statement);
  std::vector<std::string> strings(const Node& node, std::string_view element) const;

  Grammar grammar_;
  Document document_;
  bool variables_ = false;
  std::optional<Problem> found_;
  std::array<std::size_t, 3> found_place_{};
};

constexpr std::string_view kPartitions[] = {"aws",       "aws-cn",    "aws-us-gov", "aws-iso",
                                            "aws-iso-b", "aws-iso-e", "aws-iso-f",  "aws-eusc"};

bool has_wildcard(std::string_view text) { return text.find_first_of("*?") != std::string_view::npos; }

bool is_account_id(std::string_view text) {
  return text.size() == 12 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_alphanumeric(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); });
}

// AIDA…, AROA…: what AWS puts in place of a principal that is gone.
bool is_unique_id(std::string_view text) {
  return text.size() >= 16 && text.size() <= 128 && text.starts_with('A') && is_alphanumeric(text);
}

constexpr std::string_view kDocumentElements[] = {"Version", "Id", "Statement"};
constexpr std::string_view kStatementElements[] = {"Sid",       "Effect",   "Principal",   "NotPrincipal", "Action",
                                                   "NotAction", "Resource", "NotResource", "Condition"};

// The first of the object's elements that the grammar does not have; empty when all are known.
std::string unknown_element(const Node& object, std::span<const std::string_view> known) {
  for (const Member& member : object.members)
    if (std::ranges::find(known, member.name) == known.end()) return member.name;
  return {};
}

std::vector<std::string> Parser::strings(const Node& node, std::string_view element) const {
  if (node.is_string()) return {node.text};
  if (!node.is_array()) fault("Invalid value for field " + std::string(element));
  std::vector<std::string> list;
  for (const Node& item : node.items) {
    if (!item.is_string()) fault("Invalid value for field " + std::string(element));
    list.push_back(item.text);
  }
  return list;
}

void Parser::parse_version(const Node* node) {
  if (node != nullptr) {
    if (!node->is_string() || (node->text != "2012-10-17" && node->text != "2008-10-17"))
      fault("Invalid policy version");
    document_.version = node->text;
  }
  variables_ = document_.version == "2012-10-17";
  if (identity() && !variables_) object(Pass::version, 0, "Policy document must be version 2012-10-17 or greater.");
}

Document Parser::parse(std::string_view text) {
  std::string problem;
  if (text.size() > kMaxDocumentBytes) fault("The policy is longer than any policy may be.");
  const std::optional<Node> root = read_json(text, kMaxDepth, problem);
  if (!root || !root->is_object()) {
    if (identity()) syntax(problem);
    refuse(trust() ? "This policy contains invalid Json" : "Policies must be valid JSON and the first byte must be '{'",
           problem);
  }
  if (const std::string unknown = unknown_element(*root, kDocumentElements); !unknown.empty())
    fault("Unknown field " + unknown);
  if (const Node* id = root->find("Id")) {
    if (!id->is_string()) fault("Invalid value for field Id");
    document_.id = id->text;
  }
  const Node* statements = root->find("Statement");
  if (statements == nullptr) fault("Missing required field Statement");
  parse_version(root->find("Version"));
  if (statements->is_object()) {
    document_.statements.push_back(parse_statement(*statements));
  } else {
    if (!statements->is_array()) fault("Invalid value for field Statement");
    if (statements->items.empty()) fault("Could not parse the policy: Statement is empty!");
    for (const Node& node : statements->items) document_.statements.push_back(parse_statement(node));
  }
  std::set<std::string_view> sids;
  for (const Statement& statement : document_.statements)
    if (!statement.sid.empty() && !sids.insert(statement.sid).second)
      object(Pass::identifiers, 0, "Statement IDs (SID) in a single policy must be unique.", statement.sid);
  if (found_) throw Refusal{*std::move(found_)};
  return std::move(document_);
}

Statement Parser::parse_statement(const Node& node) {
  if (!node.is_object()) fault("Invalid value for field Statement");
  if (const std::string unknown = unknown_element(node, kStatementElements); !unknown.empty())
    fault("Unknown field " + unknown);
  for (std::string_view element : {"Principal", "Action", "Resource"})
    if (node.find(element) != nullptr && node.find("Not" + std::string(element)) != nullptr)
      fault("Policy statement must not contain both " + std::string(element) + " and Not" + std::string(element));
  Statement statement;
  if (const Node* sid = node.find("Sid")) {
    if (!sid->is_string()) fault("Invalid value for field Sid");
    statement.sid = sid->text;
    if ((identity() || trust()) && !is_alphanumeric(statement.sid))
      refuse(
          "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
          "[0-9A-Za-z]*");
  }
  parse_effect(node, statement);
  parse_principals(node.find("Principal"), statement);
  if (const Node* principals = node.find("NotPrincipal")) {
    if (trust()) refuse("Has prohibited field NotPrincipal");
    parse_principals(principals, statement);
    statement.not_principals = true;
  }
  if (!identity() && node.find("Principal") == nullptr && node.find("NotPrincipal") == nullptr)
    refuse("Missing required field Principal");
  parse_actions(node, statement);
  parse_resources(node, statement);
  if (const Node* conditions = node.find("Condition")) parse_conditions(*conditions, statement);
  return statement;
}

void Parser::parse_effect(const Node& node, Statement& statement) {
  const Node* effect = node.find("Effect");
  if (effect == nullptr) fault("Missing required field Effect");
  const bool allow = equals_ignoring_case(effect->text, "Allow"), deny = equals_ignoring_case(effect->text, "Deny");
  const bool exact = effect->text == "Allow" || effect->text == "Deny";
  if (!effect->is_string() || (!allow && !deny) || (!exact && !identity())) fault("Invalid effect: " + effect->text);
  if (!exact) object(Pass::legacy, 0, "The policy failed legacy parsing", effect->text);
  statement.effect = allow ? Effect::allow : Effect::deny;
}

void Parser::parse_principals(const Node* node, Statement& statement) const {
  if (node == nullptr) return;
  if (identity()) refuse("Policy document should not specify a principal.");
  if (node->is_string()) {
    if (node->text != "*") refuse("Invalid principal in policy");
    statement.principals.push_back({PrincipalPattern::Kind::everyone, "*"});
    return;
  }
  if (!node->is_object() || node->members.empty()) refuse("Invalid principal in policy");
  for (const Member& member : node->members) {
    const std::vector<std::string> values = strings(member.value, "Principal");
    if (values.empty()) refuse("Invalid principal in policy");
    for (const std::string& value : values) add_principal(member.name, value, statement);
  }
}

void Parser::add_principal(const std::string& type, const std::string& value, Statement& statement) const {
  using Kind = PrincipalPattern::Kind;
  const auto invalid = [&] { refuse("Invalid principal in policy: \"" + type + "\":\"" + value + "\""); };
  if (type == "Service") {
    const bool known = value.ends_with(".amazonaws.com") || value.ends_with(".amazonaws.com.cn");
    if (!known || has_wildcard(value)) invalid();
    statement.principals.push_back({Kind::service, value});
  } else if (type == "Federated") {
    if (value.empty() || has_wildcard(value)) invalid();
    statement.principals.push_back({Kind::federated, value});
  } else if (type == "CanonicalUser") {
    refuse("CanonicalUser principals are not served by Brume: name the account by its id or ARN instead.");
  } else if (type != "AWS") {
    invalid();
  } else if (value == "*") {
    statement.principals.push_back({Kind::everyone, "*"});
  } else if (is_account_id(value)) {
    statement.principals.push_back({Kind::account, value});
  } else if (is_unique_id(value)) {
    statement.principals.push_back({Kind::aws, value});
  } else {
    const std::vector<std::string_view> parts = split(value, ':');
    // "You cannot use a wildcard to match part of a principal name or ARN."
    if (parts.size() != 6 || parts[0] != "arn" || (parts[2] != "iam" && parts[2] != "sts") || has_wildcard(value))
      invalid();
    if (!is_account_id(parts[4]) && parts[4] != "cloudfront") invalid();
    if (parts[2] == "iam" && parts[5] == "root")
      statement.principals.push_back({Kind::account, std::string(parts[4])});
    else
      statement.principals.push_back({Kind::aws, value});
  }
}

void Parser::check_action(const std::string& action) {
  if (action == "*") return;
  const std::size_t colon = action.find(':');
  if (colon == std::string::npos)
    return object(Pass::statements, 1, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
                  action);
  if (action.find(':', colon + 1) != std::string::npos)
    return object(Pass::statements, 4, "Actions/Condition can contain only one colon.", action);
  const std::string_view vendor = std::string_view(action).substr(0, colon);
  const bool valid = !vendor.empty() && std::ranges::all_of(vendor, [](char c) {
    return is_alphanumeric({&c, 1}) || c == '-' || c == '.' || c == '_';
  });
  if (!valid) return object(Pass::statements, 4, "Vendor " + std::string(vendor) + " is not valid", action);
  if (trust() && !equals_ignoring_case(vendor, "sts"))
    refuse("AssumeRole policy may only specify STS AssumeRole actions.", action);
}

void Parser::parse_actions(const Node& node, Statement& statement) {
  const Node* actions = node.find("Action");
  if (actions == nullptr) {
    actions = node.find("NotAction");
    statement.not_actions = actions != nullptr;
    if (statement.not_actions && trust()) refuse("Has prohibited field NotAction");
  }
  const std::vector<std::string> list = actions == nullptr ? std::vector<std::string>() : strings(*actions, "Action");
  if (list.empty())
    return object(Pass::statements, 0,
                  identity() ? "Policy statement must contain actions." : "Missing required field Action");
  for (const std::string& action : list) {
    check_action(action);
    if (trust() && action == "*") refuse("AssumeRole policy may only specify STS AssumeRole actions.");
    statement.actions.emplace_back(action, Pattern::Rules{.wildcards = true, .lower = true});
  }
}

constexpr std::string_view kIamPaths[] = {"user/",
                                          "federated-user/",
                                          "role/",
                                          "group/",
                                          "instance-profile/",
                                          "mfa/",
                                          "server-certificate/",
                                          "policy/",
                                          "sms-mfa/",
                                          "saml-provider/",
                                          "oidc-provider/",
                                          "report/",
                                          "access-report/"};

void Parser::check_resource(const std::string& resource) {
  if (resource == "*") return;
  std::vector<std::string_view> parts = split(resource, ':');
  if (parts.size() < 2 || (parts[0] != "arn" && !identity()))
    return object(Pass::statements, 3, "Resource " + resource + " must be in ARN format or \"*\".");
  if (std::ranges::find(kPartitions, parts[1]) == std::ranges::end(kPartitions) && !has_wildcard(parts[1])) {
    // Told as an ARN, whatever stood in front, with what is missing as wildcards.
    std::string shown = "arn" + resource.substr(parts[0].size());
    for (std::size_t i = parts.size(); i < 6; ++i) shown += ":*";
    return object(Pass::statements, 5,
                  "Partition \"" + std::string(parts[1]) + "\" is not valid for resource \"" + shown + "\".");
  }
  if (parts.size() < 3)
    return object(Pass::statements, 5, "Resource vendor must be fully qualified and cannot contain regexes.", resource);
  // A shorter ARN is one whose last wildcard stands for the rest of it.
  const bool cut_short = parts.size() > 3 && parts.size() < 6 && !resource.ends_with('*');
  if (parts[2].empty() || cut_short) return object(Pass::legacy, 0, "The policy failed legacy parsing", resource);
  if (parts.size() < 6) return;
  const std::string_view region = parts[3];
  if (parts[2] == "iam" && !region.empty() && region != "*")
    return object(Pass::statements, 5, "IAM resource " + resource + " cannot contain region information.");
  if (parts[2] == "s3" && !region.empty() && !has_wildcard(region) && parts[4].empty())
    return object(Pass::statements, 5, "Resource " + resource + " can not contain region information.");
  const bool known = parts[2] != "iam" || has_wildcard(parts[5].substr(0, 1)) || parts[5].find('$') != parts[5].npos ||
                     parts[5].find('*') != parts[5].npos || parts[5] == "root" ||
                     std::ranges::any_of(kIamPaths, [&](std::string_view path) { return parts[5].starts_with(path); });
  if (!known)
    object(Pass::statements, 5,
           "IAM resource path must either be \"*\" or start with user/, federated-user/, role/, group/, "
           "instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, "
           "access-report/.",
           resource);
}

void Parser::parse_resources(const Node& node, Statement& statement) {
  const Node* resources = node.find("Resource");
  if (resources == nullptr) {
    resources = node.find("NotResource");
    statement.not_resources = resources != nullptr;
  }
  if (trust() && resources != nullptr)
    refuse(statement.not_resources ? "Has prohibited field NotResource" : "Has prohibited field Resource");
  if (resources == nullptr && (trust() || grammar_ == Grammar::own_resource)) return;
  const std::vector<std::string> list =
      resources == nullptr ? std::vector<std::string>() : strings(*resources, "Resource");
  if (list.empty())
    return object(Pass::statements, 2,
                  identity() ? "Policy statement must contain resources." : "Missing required field Resource");
  for (const std::string& resource : list) {
    check_resource(resource);
    statement.resources.emplace_back(resource,
                                     Pattern::Rules{.wildcards = true, .variables = variables_, .resource = true});
  }
}

void Parser::parse_conditions(const Node& node, Statement& statement) {
  if (!node.is_object()) fault("Invalid value for field Condition");
  for (const Member& line : node.members) {
    const std::optional<Operator> op = parse_operator(line.name);
    if (!line.value.is_object()) fault("Invalid value for field Condition");
    // Nothing is asked for: IAM does not look at what asks.
    if (identity() && line.value.members.empty()) continue;
    if (!op) fault("Invalid Condition type : " + line.name);
    for (const Member& key : line.value.members) {
      if (key.name.empty()) fault("Invalid value for field Condition");
      std::vector<std::string> values;
      const auto add = [&](const Node& value) {
        // "Quotation marks are optional for numeric and Boolean values."
        if (value.is_object() || value.is_array() || value.kind == Node::Kind::null)
          fault("Invalid value for field Condition");
        values.push_back(value.text);
      };
      if (key.value.is_array())
        for (const Node& value : key.value.items) add(value);
      else
        add(key.value);
      auto condition = Condition::compile(*op, key.name, values, variables_);
      if (!condition && identity() && op->type == Operator::Type::date) {
        object(Pass::legacy, 0, "The policy failed legacy parsing", condition.error());
        continue;
      }
      if (!condition) fault(condition.error());
      statement.conditions.push_back(std::move(*condition));
    }
  }
}

}  // namespace

std::expected<Document, Problem> parse_document(std::string_view text, Grammar grammar) {
  try {
    return Parser(grammar).parse(text);
  } catch (Refusal& refusal) {
    return std::unexpected(std::move(refusal.problem));
  }
}

std::size_t counted_size(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return c != ' ' && c != '\t' && c != '\n' && c != '\r'; }));
}

}  // namespace brume::policy
