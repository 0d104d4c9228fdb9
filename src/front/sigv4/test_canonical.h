// Test support: the canonical request of "Create a signed AWS API request", written down step by step and sharing
// nothing with the signer, to hold it against.
#pragma once

#include <cctype>
#include <cstdio>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "front/sigv4/canonical.h"

namespace brume::sigv4::reference {

// UriEncode(): every byte but the unreserved characters, with upper-case hexadecimal letters.
inline std::string uri_encode(const std::string& text, bool encode_slash) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 128 && std::isalnum(byte) != 0) || std::string("-._~").find(c) != std::string::npos ||
        (c == '/' && !encode_slash)) {
      out += c;
      continue;
    }
    char escape[4];
    std::snprintf(escape, sizeof escape, "%%%02X", static_cast<unsigned>(byte));
    out += escape;
  }
  return out;
}

// What the client encoded. A text with a broken escape stands for itself.
inline std::string uri_decode(const std::string& text, bool form) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += form && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const std::string digits = text.substr(i + 1, 2);
    if (digits.size() < 2 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) return text;
    out += static_cast<char>(std::stoi(digits, nullptr, 16));
    i += 2;
  }
  return out;
}

inline std::vector<std::string> split_at(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

// S3: "do not normalize URI paths". The others: dot segments and repeated slashes go, then each segment is encoded a
// second time.
inline std::string path(const std::string& sent, bool s3) {
  const std::vector<std::string> segments = split_at(sent, '/');
  std::string out;
  if (s3) {
    for (std::size_t i = 0; i < segments.size(); ++i)
      out += (i == 0 ? "" : "/") + uri_encode(uri_decode(segments[i], false), true);
    return out;
  }
  std::vector<std::string> kept;
  for (const std::string& segment : segments) {
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!segment.empty() && segment != "." && segment != "..") kept.push_back(segment);
  }
  for (const std::string& segment : kept) out += "/" + uri_encode(segment, true);
  const std::string& last = segments.back();
  if (kept.empty() || last.empty() || last == "." || last == "..") out += "/";
  return out;
}

inline std::string query(const std::string& sent) {
  std::multiset<std::pair<std::string, std::string>> sorted;
  for (const std::string& parameter : split_at(sent, '&')) {
    if (parameter.empty()) continue;
    const std::size_t equals = parameter.find('=');
    const std::string name = uri_encode(uri_decode(parameter.substr(0, equals), true), true);
    const std::string value = equals == std::string::npos ? "" : parameter.substr(equals + 1);
    if (name != "X-Amz-Signature") sorted.emplace(name, uri_encode(uri_decode(value, true), true));
  }
  std::string out;
  for (const auto& [name, value] : sorted) out += (out.empty() ? "" : "&") + name + "=" + value;
  return out;
}

inline std::string canonical_request(const SignedRequest& request, bool s3,
                                     const std::vector<std::string>& signed_headers, const std::string& hash) {
  std::string out = std::string(request.method) + "\n" + path(std::string(request.path), s3) + "\n" +
                    query(std::string(request.query)) + "\n";
  std::string names;
  for (const std::string& name : signed_headers) {
    names += (names.empty() ? "" : ";") + name;
    std::vector<std::string> values;
    for (const auto& [key, value] : *request.headers) {
      std::string low = key;
      for (char& c : low) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (low != name) continue;
      // "Trim": no blanks at the ends, one between words.
      std::string text;
      for (const char c : value)
        if ((c != ' ' && c != '\t') || (!text.empty() && text.back() != ' ')) text += c == '\t' ? ' ' : c;
      if (text.ends_with(' ')) text.pop_back();
      values.push_back(text);
    }
    out += name + ":";
    for (std::size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : ",") + values[i];
    out += "\n";
  }
  return out + "\n" + names + "\n" + hash;
}

}  // namespace brume::sigv4::reference
