#include "front/sigv4/canonical.h"

#define OPENSSL_SUPPRESS_DEPRECATED  // SHA256_Init and its kin: see core/digest.cpp
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace brume::sigv4 {
namespace {

constexpr std::size_t kBlock = 64;  // of SHA-256

std::string normalize(std::string_view path) {
  if (path == "/") return "/";
  std::vector<std::string_view> kept;
  for (const std::string_view segment : split(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else {
      kept.push_back(segment);
    }
  }
  std::string normal;
  for (const std::string_view segment : kept) normal.append("/").append(segment);
  const bool directory = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  if (normal.empty() || directory) normal += '/';
  return normal;
}

// Whether white space is at an end of a value, or twice in a row, or a tab.
bool has_odd_space(std::string_view value) {
  if (value.empty()) return false;
  if (value.front() == ' ' || value.back() == ' ' || value.find('\t') != std::string_view::npos) return true;
  for (std::size_t at = value.find(' '); at != std::string_view::npos; at = value.find(' ', at + 1))
    if (value[at + 1] == ' ') return true;
  return false;
}

// Surrounding white space goes, inner runs of it become one space.
void append_trimmed(std::string& out, std::string_view value) {
  if (!has_odd_space(value)) {
    out += value;
    return;
  }
  bool space = false;
  bool any = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      space = any;
      continue;
    }
    if (space) out += ' ';
    space = false;
    any = true;
    out += c;
  }
}

void append_header(std::string& out, std::string_view name, const Headers& headers) {
  out.append(name).append(":");
  bool first = true;
  for (const auto& [key, value] : headers) {
    if (key.size() != name.size() || !equals_ignoring_case(key, name)) continue;
    if (!first) out += ',';
    first = false;
    append_trimmed(out, value);
  }
  out += '\n';
}

using Sha256 = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

Sha256 digest_bytes(std::string_view text) {
  Sha256 digest;
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, text.data(), text.size());
  SHA256_Final(digest.data(), &context);
  return digest;
}

void write_hex(const Sha256& bytes, char (&text)[2 * SHA256_DIGEST_LENGTH]) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
    text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
  }
}

void append_hex(std::string& out, const Sha256& bytes) {
  char text[2 * SHA256_DIGEST_LENGTH];
  write_hex(bytes, text);
  out.append(text, sizeof text);
}

void append_scope(std::string& out, const CredentialScope& scope) {
  out.append(scope.date).append("/").append(scope.region).append("/").append(scope.service).append("/aws4_request");
}

std::string encoded_again(std::string_view text) {
  return percent_encode(percent_decode(text, true).value_or(std::string(text)));
}

}  // namespace

std::string canonical_path(std::string_view path, PathRule path_rule) {
  if (path == "/") return "/";
  if (path_rule == PathRule::others) return percent_encode(normalize(path), /*keep_slash=*/true);
  // Segment by segment: clients sign an encoded slash in a key as the "%2F" that they send.
  std::string canonical;
  for (const std::string_view segment : split(path, '/')) {
    canonical += percent_encode(percent_decode(segment).value_or(std::string(segment)));
    canonical += '/';
  }
  canonical.pop_back();
  return canonical;
}

std::string canonical_query(std::string_view query) {
  if (query.empty()) return {};
  std::vector<std::pair<std::string, std::string>> parameters;
  for (const std::string_view pair : split(query, '&')) {
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    std::string name = encoded_again(pair.substr(0, equals));
    if (name == "X-Amz-Signature") continue;
    parameters.emplace_back(std::move(name),
                            equals == std::string_view::npos ? "" : encoded_again(pair.substr(equals + 1)));
  }
  std::sort(parameters.begin(), parameters.end());
  std::string canonical;
  for (const auto& [name, value] : parameters) {
    if (!canonical.empty()) canonical += '&';
    canonical.append(name).append("=").append(value);
  }
  return canonical;
}

std::string canonical_request(const SignedRequest& request, PathRule path_rule,
                              const std::vector<std::string>& signed_headers, std::string_view payload_hash) {
  std::string text;
  text.reserve(960);
  text.append(request.method).append("\n");
  text.append(canonical_path(request.path, path_rule)).append("\n");
  text.append(canonical_query(request.query)).append("\n");
  for (const std::string& name : signed_headers) append_header(text, name, *request.headers);
  for (const std::string& name : signed_headers)
    text.append(&name == &signed_headers.front() ? "\n" : ";").append(name);
  text.append(signed_headers.empty() ? "\n\n" : "\n").append(payload_hash);
  return text;
}

std::string string_to_sign(std::string_view timestamp, const CredentialScope& scope, std::string_view canonical) {
  std::string text;
  text.reserve(192);
  text.append("AWS4-HMAC-SHA256\n").append(timestamp).append("\n");
  append_scope(text, scope);
  text += '\n';
  append_hex(text, digest_bytes(canonical));
  return text;
}

struct SigningKey::Pads {
  SHA256_CTX inner, outer;
};

SigningKey::SigningKey(std::string_view key) {
  const std::string hashed = key.size() > kBlock ? sha256(key) : std::string(key);
  const auto start = [&hashed](SHA256_CTX& context, unsigned char pad) {
    std::array<unsigned char, kBlock> block{};
    std::copy(hashed.begin(), hashed.end(), block.begin());
    for (unsigned char& byte : block) byte ^= pad;
    SHA256_Init(&context);
    SHA256_Update(&context, block.data(), block.size());
  };
  auto pads = std::make_shared<Pads>();
  start(pads->inner, 0x36);
  start(pads->outer, 0x5c);
  pads_ = std::move(pads);
}

std::string SigningKey::sign(std::string_view text) const {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  auto* const bytes = reinterpret_cast<unsigned char*>(digest.data());
  SHA256_CTX inner = pads_->inner;
  SHA256_Update(&inner, text.data(), text.size());
  SHA256_Final(bytes, &inner);
  SHA256_CTX outer = pads_->outer;
  SHA256_Update(&outer, bytes, digest.size());
  SHA256_Final(bytes, &outer);
  return digest;
}

bool SigningKey::matches(std::string_view text, std::string_view signature) const {
  Sha256 digest;
  SHA256_CTX inner = pads_->inner;
  SHA256_Update(&inner, text.data(), text.size());
  SHA256_Final(digest.data(), &inner);
  SHA256_CTX outer = pads_->outer;
  SHA256_Update(&outer, digest.data(), digest.size());
  SHA256_Final(digest.data(), &outer);
  char hex[2 * SHA256_DIGEST_LENGTH];
  write_hex(digest, hex);
  return equal_in_constant_time({hex, sizeof hex}, signature);
}

SigningKey derive_key(std::string_view secret, const CredentialScope& scope) {
  const std::string day = SigningKey("AWS4" + std::string(secret)).sign(scope.date);
  const std::string region = SigningKey(day).sign(scope.region);
  const std::string service = SigningKey(region).sign(scope.service);
  return SigningKey(SigningKey(service).sign("aws4_request"));
}

}  // namespace brume::sigv4
