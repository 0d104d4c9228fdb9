// AWS's own Signature Version 4 test suite, as botocore's source distribution carries it (tests/unit/auth/
// aws4_testsuite). It is fetched when the tests run and named by BRUME_SIGV4_SUITE; it is never part of this
// repository.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "core/text.h"
#include "front/sigv4/verify.h"

namespace brume::sigv4 {
namespace {

// The suite's fixed key, service and moment.
class SuiteKey final : public Credentials {
 public:
  std::optional<Credential> find(std::string_view access_key_id) const override {
    if (access_key_id != "AKIDEXAMPLE") return std::nullopt;
    return Credential{.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", .session_token = token, .principal = {}};
  }
  std::string token;
};

struct SuiteRequest {
  std::string method, path, query, body;
  Headers headers;
};

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  std::erase(text, '\r');
  return text;
}

// The suite has folded headers and raw UTF-8, which the front door refuses on the wire: it is read leniently here.
SuiteRequest read_request(const std::string& text) {
  SuiteRequest request;
  const std::size_t end = text.find("\n\n");
  request.body = end == std::string::npos ? "" : text.substr(end + 2);
  const std::vector<std::string_view> lines = split(std::string_view(text).substr(0, end), '\n');
  const std::size_t first = lines[0].find(' ');
  const std::size_t last = lines[0].rfind(' ');
  request.method = lines[0].substr(0, first);
  const std::string_view target = lines[0].substr(first + 1, last - first - 1);
  const std::size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].starts_with(' ')) {
      request.headers.back().second.append(" ").append(lines[i]);
      continue;
    }
    const std::size_t colon = lines[i].find(':');
    request.headers.emplace_back(lines[i].substr(0, colon), trim(lines[i].substr(colon + 1)));
  }
  return request;
}

bool accepts(const SuiteRequest& request, const SuiteKey& keys) {
  Time now;
  EXPECT_TRUE(parse_basic_iso8601("20150830T123600Z", now));
  KeyCache cache;
  const SignedRequest view{request.method, request.path, request.query, &request.headers};
  const auto claim = read_claim(view, Style::query);
  if (!claim || !*claim) return false;
  return verify(view, **claim, {Style::query, "service", "us-east-1"}, to_hex(sha256(request.body)), now, keys, cache)
      .has_value();
}

// Every byte that is signed: method, path, query, body, and the values of the headers that the signature lists.
void expect_every_change_refused(const SuiteRequest& original, const SuiteKey& keys, const std::string& name) {
  const auto change_each = [&](std::string SuiteRequest::* part) {
    for (std::size_t i = 0; i < (original.*part).size(); ++i) {
      SuiteRequest changed = original;
      (changed.*part)[i] ^= 1;
      EXPECT_FALSE(accepts(changed, keys)) << name << ": " << changed.*part;
    }
  };
  change_each(&SuiteRequest::method);
  change_each(&SuiteRequest::body);
  const std::string_view authorization = header_of(original.headers, "Authorization");
  const std::size_t begin = authorization.find("SignedHeaders=") + 14;
  const std::string_view list = authorization.substr(begin, authorization.find(',', begin) - begin);
  const std::vector<std::string_view> names = split(list, ';');
  for (std::size_t h = 0; h < original.headers.size(); ++h) {
    const std::string lower = to_lower(original.headers[h].first);
    if (lower != "authorization" && std::find(names.begin(), names.end(), lower) == names.end()) continue;
    for (std::size_t i = 0; i < original.headers[h].second.size(); ++i) {
      SuiteRequest changed = original;
      char& byte = changed.headers[h].second[i];
      if (byte == ' ' || byte == '\t') continue;  // white space is not signed byte by byte
      byte ^= 1;
      EXPECT_FALSE(accepts(changed, keys)) << name << ": " << lower << " " << i;
    }
  }
}

// Where tools/fetch-conformance puts it, unless BRUME_SIGV4_SUITE names another folder.
std::filesystem::path suite_directory() {
  if (const char* named = std::getenv("BRUME_SIGV4_SUITE")) return named;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path base =
      cache != nullptr ? std::filesystem::path(cache) : std::filesystem::path(home != nullptr ? home : "/") / ".cache";
  return base / "brume/conformance/botocore-1.44.5/tests/unit/auth/aws4_testsuite";
}

TEST(Aws4TestSuite, AcceptsEveryRequestAndRefusesEveryChange) {
  const std::filesystem::path directory = suite_directory();
  if (!std::filesystem::is_directory(directory))
    GTEST_SKIP() << directory << " is not there: run tools/fetch-conformance, or name the folder by BRUME_SIGV4_SUITE";
  int passed = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.path().extension() != ".req") continue;
    const std::string name = entry.path().stem();
    // What was signed, with the right signature (the one in .sreq is wrong in one case) and the token, which is only in
    // the signed form.
    SuiteRequest request = read_request(content_of(entry.path()));
    request.headers.emplace_back("Authorization",
                                 content_of(std::filesystem::path(entry.path()).replace_extension(".authz")));
    const SuiteRequest sent = read_request(content_of(std::filesystem::path(entry.path()).replace_extension(".sreq")));
    SuiteKey keys;
    keys.token = header_of(sent.headers, "x-amz-security-token");
    if (!keys.token.empty() && header_of(request.headers, "x-amz-security-token").empty())
      request.headers.emplace_back("X-Amz-Security-Token", keys.token);
    EXPECT_TRUE(accepts(request, keys)) << name;
    expect_every_change_refused(request, keys, name);
    ++passed;
  }
  EXPECT_GE(passed, 30);
  RecordProperty("requests", passed);  // for the table of make conformance
}

}  // namespace
}  // namespace brume::sigv4
