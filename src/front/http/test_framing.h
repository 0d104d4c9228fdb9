// Test support: a slow and literal reading of RFC 9112 "HTTP/1.1" over a whole message, sharing nothing with the
// parsers, to hold them against. As strict as they: whatever two servers could read differently is refused.
#pragma once

#include <cctype>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace brume::http::reference {

using Lines = std::vector<std::string>;

inline std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

inline Lines split_at(const std::string& text, const std::string& separator) {
  Lines parts;
  std::size_t from = 0;
  for (std::size_t at = text.find(separator); at != std::string::npos; at = text.find(separator, from)) {
    parts.push_back(text.substr(from, at - from));
    from = at + separator.size();
  }
  parts.push_back(text.substr(from));
  return parts;
}

inline std::string stripped(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// RFC 9110 5.6.2 "Tokens".
inline bool token(const std::string& text) {
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && std::string("!#$%&'*+-.^_`|~").find(c) == std::string::npos)
      return false;
  return !text.empty();
}

// RFC 9110 5.5 "Field Values": visible characters, obs-text, spaces and tabs.
inline bool field_value(const std::string& text) {
  for (const char c : text)
    if (std::iscntrl(static_cast<unsigned char>(c)) != 0 && c != '\t') return false;
  return true;
}

struct Message {
  std::string method, path, query, host;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::uint64_t> length;
  bool chunked = false, keep_alive = true, upgrade = false;
  std::size_t head_bytes = 0;
};

// "METHOD SP TARGET SP VERSION". False: refused.
inline bool request_line(const std::string& line, Message& message, std::string& authority) {
  const Lines words = split_at(line, " ");
  if (words.size() != 3 || !token(words[0]) || words[0].size() > 32) return false;
  if (words[2] != "HTTP/1.1" && words[2] != "HTTP/1.0") return false;
  message.method = words[0];
  message.keep_alive = words[2] == "HTTP/1.1";
  std::string target = words[1];
  for (std::size_t i = 0; i < target.size(); ++i) {
    const auto byte = static_cast<unsigned char>(target[i]);
    if (byte < 0x21 || byte > 0x7e || byte == '#') return false;
    if (byte == '%' && (target.size() - i < 3 || std::isxdigit(static_cast<unsigned char>(target[i + 1])) == 0 ||
                        std::isxdigit(static_cast<unsigned char>(target[i + 2])) == 0))
      return false;
  }
  if (target == "*") {
    message.path = target;
    return true;
  }
  for (const std::string scheme : {"http://", "https://"}) {
    if (target.compare(0, scheme.size(), scheme) != 0) continue;
    target.erase(0, scheme.size());
    authority = target.substr(0, target.find_first_of("/?"));
    if (authority.empty()) return false;
    target.erase(0, authority.size());
    if (target.empty()) target = "/";
    break;
  }
  const std::size_t mark = target.find('?');
  message.path = target.substr(0, mark);
  message.query = mark == std::string::npos ? "" : target.substr(mark + 1);
  if (message.path.empty() && (mark == 0)) message.path = "/";
  return !message.path.empty() && message.path[0] == '/';
}

inline bool framing(Message& message, bool old) {
  int hosts = 0, lengths = 0, codings = 0;
  for (const auto& [name, value] : message.headers) {
    const std::string key = lower(name), low = lower(value);
    if (key == "host") {
      ++hosts;
      message.host = value;
      for (const char c : value)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 &&
            std::string("-._~!$&'()*+,;=:[]%").find(c) == std::string::npos)
          return false;
    } else if (key == "content-length") {
      ++lengths;
      if (value.empty() || value.size() > 18 || value.find_first_not_of("0123456789") != std::string::npos)
        return false;
      message.length = std::stoull(value);
    } else if (key == "transfer-encoding") {
      ++codings;
      if (low != "chunked") return false;
      message.chunked = true;
    } else if (key == "expect") {
      if (low != "100-continue") return false;
    } else if (key == "connection") {
      for (const std::string& raw : split_at(low, ",")) {
        const std::string option = stripped(raw);
        if (option == "close") message.keep_alive = false;
        if (option == "keep-alive" && old) message.keep_alive = true;
        if (option == "upgrade") message.upgrade = true;
      }
    }
  }
  return lengths + codings <= 1 && hosts <= 1 && (hosts == 1 || old) && !(old && codings > 0);
}

// The head that the bytes start with; its end must be there. Nothing: refused.
inline std::optional<Message> head(std::string bytes) {
  Message message;
  const std::size_t skipped = bytes.compare(0, 2, "\r\n") == 0 ? 2 : 0;
  bytes.erase(0, skipped);
  const std::size_t end = bytes.find("\r\n\r\n");
  message.head_bytes = skipped + end + 4;
  Lines lines = split_at(bytes.substr(0, end), "\r\n");
  for (const std::string& line : lines)
    if (line.find_first_of(std::string("\r\n\0", 3)) != std::string::npos) return std::nullopt;
  std::string authority;
  if (!request_line(lines[0], message, authority)) return std::nullopt;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t colon = lines[i].find(':');
    if (colon == std::string::npos || !token(lines[i].substr(0, colon))) return std::nullopt;
    const std::string value = stripped(lines[i].substr(colon + 1));
    if (!field_value(value)) return std::nullopt;
    message.headers.emplace_back(lines[i].substr(0, colon), value);
  }
  if (!framing(message, lines[0].ends_with("HTTP/1.0"))) return std::nullopt;
  if (!authority.empty() && lower(authority) != lower(message.host)) return std::nullopt;
  return message;
}

struct ChunkedBody {
  enum class State { more, done, refused } state = State::more;
  std::string data;
  std::size_t size = 0;  // done: the bytes that the body took
};

// RFC 9112 7.1 "Chunked Transfer Coding" over everything that came.
inline ChunkedBody chunked_body(const std::string& bytes) {
  ChunkedBody body;
  std::size_t at = 0;
  std::string line;
  const auto next_line = [&] {
    const std::size_t end = bytes.find("\r\n", at);
    if (end == std::string::npos) return false;
    line = bytes.substr(at, end - at);
    at = end + 2;
    if (line.find_first_of("\r\n") != std::string::npos) body.state = ChunkedBody::State::refused;
    return body.state != ChunkedBody::State::refused;
  };
  const auto refused = [&] {
    body.state = ChunkedBody::State::refused;
    return body;
  };
  for (;;) {
    if (!next_line()) return body;
    const std::string digits = line.substr(0, line.find(';'));
    if (digits.empty() || digits.size() > 15 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
      return refused();
    if (!field_value(line)) return refused();
    const std::uint64_t size = std::stoull(digits, nullptr, 16);
    if (size == 0) break;
    body.data += bytes.substr(at, size);
    if (bytes.size() - at < size) return body;
    at += size;
    if (bytes.size() - at >= 2 && bytes.compare(at, 2, "\r\n") != 0) return refused();
    if (bytes.size() - at < 2) return body;
    at += 2;
  }
  for (;;) {
    if (!next_line()) return body;
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || !token(line.substr(0, colon)) || !field_value(stripped(line.substr(colon + 1))))
      return refused();
  }
  body.state = ChunkedBody::State::done;
  body.size = at;
  return body;
}

}  // namespace brume::http::reference
