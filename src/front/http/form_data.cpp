#include "front/http/form_data.h"

#include <utility>

#include "core/text.h"

namespace brume::http {
namespace {

constexpr std::size_t kMostFieldBytes = 20 * 1024;  // "Browser-based uploads": of the fields before the file
constexpr std::size_t kLongestHead = 4 * 1024;      // of a part
constexpr std::size_t kLongestBoundary = 70;        // RFC 2046

AwsError malformed() {
  return {"MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data."};
}

AwsError not_one_file() {
  return AwsError("InvalidArgument", "POST requires exactly one file upload per request.")
      .with("ArgumentName", "file")
      .with("ArgumentValue", "0");
}

// Where the next parameter of a header begins: a semicolon within quotes is none.
std::size_t next_semicolon(std::string_view value, std::size_t from) {
  bool quoted = false;
  for (std::size_t at = from; at < value.size(); ++at) {
    if (value[at] == '"') quoted = !quoted;
    if (value[at] == ';' && !quoted) return at;
  }
  return std::string_view::npos;
}

// A parameter of a header: form-data; name="key"; filename="a.txt". Nullopt: absent.
std::optional<std::string> parameter(std::string_view value, std::string_view name) {
  std::size_t at = 0;
  while ((at = next_semicolon(value, at)) != std::string_view::npos) {
    std::string_view rest = trim(value.substr(++at));
    if (rest.size() <= name.size() || !equals_ignoring_case(rest.substr(0, name.size()), name) ||
        rest[name.size()] != '=')
      continue;
    rest.remove_prefix(name.size() + 1);
    if (!rest.starts_with('"')) return std::string(trim(rest.substr(0, next_semicolon(rest, 0))));
    return std::string(rest.substr(1, rest.find('"', 1) - 1));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> form_boundary(std::string_view content_type) {
  if (!equals_ignoring_case(trim(content_type.substr(0, content_type.find(';'))), "multipart/form-data"))
    return std::nullopt;
  return parameter(content_type, "boundary").value_or("");
}

FormDecoder::FormDecoder(FormPlan plan)
    : plan_(std::move(plan)), delimiter_("\r\n--" + plan_.boundary), pending_("\r\n") {}

std::optional<AwsError> FormDecoder::feed(std::string_view bytes, std::string& file) {
  if (plan_.boundary.empty() || plan_.boundary.size() > kLongestBoundary) return malformed();
  if (state_ == State::epilogue) return std::nullopt;
  pending_ += bytes;
  for (bool moved = true; moved;) {
    moved = false;
    if (auto failed = step(file, moved)) return failed;
  }
  return std::nullopt;
}

// One state's work on what is there; `moved`: there may be more to do.
std::optional<AwsError> FormDecoder::step(std::string& file, bool& moved) {
  switch (state_) {
    case State::epilogue:
      pending_.clear();
      return std::nullopt;
    case State::delimiter:
      if (pending_.size() < 2) return std::nullopt;
      if (!pending_.starts_with("--") && !pending_.starts_with("\r\n")) return malformed();
      state_ = pending_.starts_with("--") ? State::epilogue : State::head;
      if (state_ == State::head) pending_.erase(0, 2);
      moved = true;
      return std::nullopt;
    case State::head: {
      const std::size_t end = pending_.find("\r\n\r\n");
      if (end == std::string::npos) return pending_.size() > kLongestHead ? std::optional(malformed()) : std::nullopt;
      if (end > kLongestHead) return malformed();
      if (auto failed = read_head(std::string_view(pending_).substr(0, end))) return failed;
      pending_.erase(0, end + 4);
      moved = true;
      return std::nullopt;
    }
    case State::preamble:
    case State::field:
    case State::file:
      break;
  }
  const std::size_t end = pending_.find(delimiter_);
  // What could be the beginning of a delimiter stays.
  const std::size_t kept = delimiter_.size() - 1;
  const std::size_t sure = end != std::string::npos ? end : pending_.size() > kept ? pending_.size() - kept : 0;
  if (auto failed = content(std::string_view(pending_).substr(0, sure), file)) return failed;
  pending_.erase(0, end != std::string::npos ? end + delimiter_.size() : sure);
  if (end == std::string::npos) return std::nullopt;
  state_ = State::delimiter;
  moved = true;
  return std::nullopt;
}

std::optional<AwsError> FormDecoder::content(std::string_view text, std::string& file) {
  if (state_ == State::file) file += text;
  if (state_ != State::field) return std::nullopt;
  field_bytes_ += text.size();
  if (field_bytes_ > kMostFieldBytes)
    return AwsError("MaxPostPreDataLengthExceeded",
                    "Your POST request fields preceding the upload file were too large.");
  if (!has_file_) fields_.back().second += text;  // "fields after it are ignored"
  return std::nullopt;
}

std::optional<AwsError> FormDecoder::read_head(std::string_view head) {
  std::optional<std::string> name;
  std::string filename;
  for (const std::string_view line : split(head, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !equals_ignoring_case(trim(line.substr(0, colon)), "content-disposition"))
      continue;
    name = parameter(line.substr(colon), "name");
    filename = parameter(line.substr(colon), "filename").value_or("");
  }
  if (!name) return malformed();
  field_bytes_ += name->size();
  state_ = State::field;
  if (!equals_ignoring_case(*name, "file")) {
    if (!has_file_) fields_.emplace_back(*std::move(name), "");
    return std::nullopt;
  }
  if (std::exchange(has_file_, true)) return not_one_file();
  // A browser may send the whole path of a file.
  const std::size_t slash = filename.find_last_of("/\\");
  if (slash != std::string::npos) filename.erase(0, slash + 1);
  fields_.emplace_back("file", std::move(filename));
  state_ = State::file;
  return plan_.check ? plan_.check(fields_) : std::nullopt;
}

std::optional<AwsError> FormDecoder::finish() const {
  if (state_ != State::epilogue) return malformed();
  return has_file_ ? std::nullopt : std::optional(not_one_file());
}

}  // namespace brume::http
