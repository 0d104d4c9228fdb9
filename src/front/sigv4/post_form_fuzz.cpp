// Fuzz target: browsers' uploads. The first byte chooses. Below 128: the rest is a form's body with the boundary XX,
// which is read the same however it is cut, and as a literal reading of RFC 7578 reads it. From 128 on: the rest is
// lines of NAME=VALUE, an empty line and a policy, which is signed: what is granted and what is refused is what the
// policy says, read by another reader of JSON, and a form that is changed by a byte of its policy or its signature is
// not granted.
#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "front/http/form_data.h"
#include "front/sigv4/canonical.h"
#include "front/sigv4/post_policy.h"

namespace brume::sigv4 {
namespace {

struct Form {
  bool accepted = false;
  Headers fields;
  std::string file;
  bool operator==(const Form&) const = default;
};

Form decode(std::string_view body, std::size_t piece) {
  Form form;
  http::FormDecoder decoder({.boundary = "XX", .check = {}});
  for (std::size_t at = 0; at < body.size(); at += piece)
    if (decoder.feed(body.substr(at, piece), form.file)) return {};
  if (decoder.finish()) return {};
  form.accepted = true;
  form.fields = decoder.fields();
  return form;
}

// A header's parameter by RFC 2045, quoted strings as one: nullopt when there is none of that name.
std::optional<std::string> literal_parameter(std::string_view value, std::string_view wanted) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (const char c : value) {
    if (c == '"') quoted = !quoted;
    if (c == ';' && !quoted)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string_view part = trim(parts[i]);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_case(part.substr(0, equals), wanted)) continue;
    std::string_view text = part.substr(equals + 1);
    if (!text.starts_with('"')) return std::string(trim(text));
    text.remove_prefix(1);
    return std::string(text.substr(0, text.find('"')));
  }
  return std::nullopt;
}

// One part's head: its name, and of a file the last part of its path. Nullopt: no part of a form.
std::optional<std::pair<std::string, std::string>> literal_head(std::string_view head) {
  std::optional<std::pair<std::string, std::string>> found;
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find('\n'));
    head.remove_prefix(std::min(head.size(), line.size() + 1));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !equals_ignoring_case(trim(line.substr(0, colon)), "content-disposition"))
      continue;
    found.reset();
    if (auto name = literal_parameter(line.substr(colon), "name")) {
      const std::string path = literal_parameter(line.substr(colon), "filename").value_or("");
      found.emplace(*std::move(name), path.substr(path.find_last_of("/\\") + 1));
    }
  }
  return found;
}

Form literal_form(std::string_view given) {
  const std::string body = "\r\n" + std::string(given), delimiter = "\r\n--XX";
  Form form;
  bool has_file = false;
  std::size_t at = body.find(delimiter);
  while (at != std::string::npos) {
    at += delimiter.size();
    if (body.compare(at, 2, "--") == 0) {
      form.accepted = has_file;
      return form.accepted ? form : Form();
    }
    if (body.compare(at, 2, "\r\n") != 0) return {};
    const std::size_t head_end = body.find("\r\n\r\n", at + 2);
    if (head_end == std::string::npos) return {};
    const auto head = literal_head(std::string_view(body).substr(at + 2, head_end - at - 2));
    const std::size_t begin = head_end + 4, end = body.find(delimiter, begin);
    if (!head || end == std::string::npos) return {};
    const std::string content = body.substr(begin, end - begin);
    if (equals_ignoring_case(head->first, "file")) {
      if (has_file) return {};
      has_file = true;
      form.file = content;
      form.fields.emplace_back("file", head->second);
    } else if (!has_file) {
      form.fields.emplace_back(head->first, content);
    }
    at = end;
  }
  return {};
}

void read_form(std::string_view input) {
  if (input.empty()) return;
  const std::size_t piece = static_cast<std::size_t>(static_cast<unsigned char>(input[0])) + 1;
  const std::string_view body = input.substr(1);
  const Form whole = decode(body, body.size() + 1);
  BRUME_CHECK(decode(body, piece) == whole);
  BRUME_CHECK(decode(body, 1) == whole);
  BRUME_CHECK(literal_form(body) == whole);
}

constexpr std::string_view kKey = "AKIAIOSFODNN7EXAMPLE", kSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
constexpr std::string_view kBucket = "shelf";

class OneKey final : public Credentials {
 public:
  std::optional<Credential> find(std::string_view access_key_id) const override {
    if (access_key_id != kKey) return std::nullopt;
    return Credential{.secret = std::string(kSecret), .session_token = {}, .principal = {.account = "123456789012"}};
  }
};

Time noon() {
  Time time;
  BRUME_CHECK(parse_iso8601("2026-03-01T12:00:00Z", time));
  return time;
}

std::string signature_of(const std::string& policy) {
  std::string key = hmac_sha256("AWS4" + std::string(kSecret), "20260301");
  for (const char* part : {"us-east-1", "s3", "aws4_request"}) key = hmac_sha256(key, part);
  return to_hex(hmac_sha256(key, policy));
}

std::expected<PostGrant, AwsError> read(const Headers& fields) {
  return read_post(fields, kBucket, "us-east-1", noon(), OneKey());
}

// The first field of that name, as S3 takes it; the bucket is one of them.
std::string field(const Headers& fields, std::string_view name) {
  if (equals_ignoring_case(name, "bucket")) return std::string(kBucket);
  for (const auto& [each, value] : fields)
    if (equals_ignoring_case(each, name)) return value;
  return {};
}

// Whether the policy, a JSON text that was accepted, allows the form.
bool literally_allowed(const std::string& policy, const Headers& fields, const PostGrant& grant) {
  namespace json = boost::json;
  boost::system::error_code error;
  const json::value root = json::parse(policy, error, {}, {.max_depth = 64});
  if (error || !root.is_object()) return false;
  const json::value *expiration = root.as_object().if_contains("expiration"),
                    *conditions = root.as_object().if_contains("conditions");
  if (expiration == nullptr || !expiration->is_string() || conditions == nullptr || !conditions->is_array())
    return false;
  Time until;
  if (!parse_iso8601(expiration->as_string(), until) || until < noon()) return false;
  std::vector<std::string> named = {"policy", "file", "x-amz-signature"};
  for (const json::value& condition : conditions->as_array()) {
    if (condition.is_object()) {
      for (const auto& [name, value] : condition.as_object()) {
        if (!value.is_string() || field(fields, name) != std::string_view(value.as_string())) return false;
        named.push_back(to_lower(std::string_view(name)));
      }
      continue;
    }
    if (!condition.is_array() || condition.as_array().size() != 3) return false;
    const json::array& triple = condition.as_array();
    if (!triple[0].is_string()) return false;
    const std::string kind = to_lower(std::string_view(triple[0].as_string()));
    if (kind == "content-length-range") {
      if (grant.smallest == 0 && grant.largest == INT64_MAX) return false;
      continue;
    }
    if (!triple[1].is_string() || !triple[2].is_string()) return false;
    const std::string_view name = triple[1].as_string(), wanted = triple[2].as_string();
    if (!name.starts_with('$') || (kind != "eq" && kind != "starts-with")) return false;
    const std::string value = field(fields, name.substr(1));
    if (kind == "eq" ? value != wanted : !value.starts_with(wanted)) return false;
    named.push_back(to_lower(name.substr(1)));
  }
  return std::ranges::all_of(fields, [&](const auto& each) {
    const std::string name = to_lower(each.first);
    return name.starts_with("x-ignore-") || std::ranges::find(named, name) != named.end();
  });
}

void judge_policy(std::string_view input) {
  Headers fields;
  while (!input.empty()) {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    if (line.empty()) break;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return;
    fields.emplace_back(std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)));
  }
  const std::string text(input), policy = to_base64(input);
  for (const char* own : {"policy", "x-amz-signature", "x-amz-algorithm", "x-amz-credential", "x-amz-date",
                          "x-amz-security-token", "file"})
    std::erase_if(fields, [&](const auto& each) { return equals_ignoring_case(each.first, own); });
  fields.emplace_back("x-amz-algorithm", "AWS4-HMAC-SHA256");
  fields.emplace_back("x-amz-credential", std::string(kKey) + "/20260301/us-east-1/s3/aws4_request");
  fields.emplace_back("x-amz-date", "20260301T120000Z");
  fields.emplace_back("policy", policy);
  fields.emplace_back("x-amz-signature", signature_of(policy));
  fields.emplace_back("file", "a.txt");
  const auto given = read(fields);
  if (!given) {
    const std::string& code = given.error().code;
    BRUME_CHECK(!code.empty() && code != "SignatureDoesNotMatch");
    // What the policy was read for and refused, it does not allow.
    PostGrant some_range;
    some_range.smallest = 1;
    BRUME_CHECK(code != "AccessDenied" || !literally_allowed(text, fields, some_range));
    return;
  }
  BRUME_CHECK(given->access_key_id == kKey && literally_allowed(text, fields, *given));
  BRUME_CHECK(given->largest == INT64_MAX || given->largest < given->smallest ||
              !check_post_size(*given, static_cast<std::uint64_t>(std::max<std::int64_t>(given->largest, 0))) ||
              given->largest < 0);
  for (const std::size_t changed : {fields.size() - 3, fields.size() - 2}) {
    Headers other = fields;
    std::string& value = other[changed].second;
    char& byte = value[text.size() % value.size()];
    byte = byte == 'a' ? 'b' : 'a';
    const auto refused = read(other);
    BRUME_CHECK(!refused && refused.error().code == "SignatureDoesNotMatch");
  }
  Headers more = fields;
  more.insert(more.begin(), {"x-amz-meta-nobody-named-this", "1"});
  if (text.find("nobody") == std::string::npos) BRUME_CHECK(!read(more));
}

}  // namespace
}  // namespace brume::sigv4

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] < 128)
    brume::sigv4::read_form(rest);
  else
    brume::sigv4::judge_policy(rest);
  return 0;
}
