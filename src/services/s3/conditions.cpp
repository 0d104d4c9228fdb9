#include "services/s3/conditions.h"

#include <algorithm>

#include "core/text.h"

namespace brume::s3 {
namespace {

// Of "*" or a list of entity tags; S3 minds neither quote's absence.
bool matches_etag(std::string_view header, std::string_view etag) {
  for (std::string_view tag : split(header, ',')) {
    tag = trim(tag);
    if (tag == "*") return true;
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag.starts_with('"')) tag.remove_prefix(1);
    if (tag.ends_with('"')) tag.remove_suffix(1);
    if (tag == etag) return true;
  }
  return false;
}

AwsError not_modified(const ObjectRecord& object) {
  AwsError error("NotModified", "Not Modified", 304);
  error.with_header("ETag", quoted(object.etag)).with_header("Last-Modified", http_date(object.last_modified));
  if (!object.headers.cache_control.empty()) error.with_header("Cache-Control", object.headers.cache_control);
  if (object.version_id != "null") error.with_header("x-amz-version-id", object.version_id);
  return error;
}

AwsError invalid_range(std::string_view header, std::uint64_t total) {
  return AwsError("InvalidRange", "The requested range is not satisfiable", 416)
      .with("RangeRequested", std::string(header))
      .with("ActualObjectSize", std::to_string(total))
      .with_header("Content-Range", "bytes */" + std::to_string(total));
}

bool parse_unsigned(std::string_view text, std::uint64_t& out) {
  std::int64_t value = 0;
  if (text.empty() || text.front() == '-' || !parse_int(text, value)) return false;
  out = static_cast<std::uint64_t>(value);
  return true;
}

}  // namespace

std::string quoted(std::string_view etag) { return "\"" + std::string(etag) + "\""; }

AwsError precondition_failed(std::string_view condition) {
  return AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
      .with("Condition", std::string(condition));
}

AwsError no_such_key_error(const std::string& key) {
  return no_such_key("The specified key does not exist.").with("Key", key);
}

void check_read_conditions(const ReadConditions& conditions, const ObjectRecord& object, bool copy_source) {
  const std::string prefix = copy_source ? "x-amz-copy-source-" : "";
  const auto unless = [&](const char* name) { return precondition_failed(prefix + name); };
  // "If both If-Match and If-Unmodified-Since are present, and If-Match holds, the date does not matter"; likewise the
  // other two (GetObject).
  if (conditions.if_match) {
    if (!matches_etag(*conditions.if_match, object.etag)) throw unless("If-Match");
  } else if (conditions.if_unmodified_since && object.last_modified > *conditions.if_unmodified_since) {
    throw unless("If-Unmodified-Since");
  }
  if (conditions.if_none_match) {
    if (!matches_etag(*conditions.if_none_match, object.etag)) return;
    throw copy_source ? unless("If-None-Match") : not_modified(object);
  }
  if (conditions.if_modified_since && object.last_modified <= *conditions.if_modified_since) {
    throw copy_source ? unless("If-Modified-Since") : not_modified(object);
  }
}

void check_write_conditions(const opt<std::string>& if_match, const opt<std::string>& if_none_match,
                            const std::optional<ObjectRecord>& current, const std::string& key) {
  const bool exists = current && !current->delete_marker;
  if (if_none_match) {
    if (*if_none_match != "*") {
      throw AwsError("NotImplemented", "A header you provided implies functionality that is not implemented", 501)
          .with("Header", "If-None-Match");
    }
    if (exists) throw precondition_failed("If-None-Match");
  }
  if (if_match) {
    if (!exists) throw no_such_key_error(key);
    if (!matches_etag(*if_match, current->etag)) throw precondition_failed("If-Match");
  }
}

std::optional<ByteRange> parse_range(std::string_view header, std::uint64_t total) {
  std::string_view text = header;
  if (!text.starts_with("bytes=")) return std::nullopt;
  text.remove_prefix(6);
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view first = trim(text.substr(0, dash));
  const std::string_view last = trim(text.substr(dash + 1));
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  if (first.empty()) {
    std::uint64_t count = 0;
    if (!parse_unsigned(last, count)) return std::nullopt;
    if (count == 0 || total == 0) throw invalid_range(header, total);
    count = std::min(count, total);
    return ByteRange{total - count, count};
  }
  if (!parse_unsigned(first, begin)) return std::nullopt;
  if (last.empty()) {
    end = total == 0 ? 0 : total - 1;
  } else if (!parse_unsigned(last, end) || end < begin) {
    return std::nullopt;
  }
  if (begin >= total) throw invalid_range(header, total);
  end = std::min(end, total - 1);
  return ByteRange{begin, end - begin + 1};
}

ByteRange parse_copy_range(std::string_view header, std::uint64_t total) {
  const AwsError invalid =
      AwsError("InvalidArgument",
               "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
               "zero-based offsets of the first and last bytes to copy")
          .with("ArgumentName", "x-amz-copy-source-range")
          .with("ArgumentValue", std::string(header));
  std::string_view text = header;
  if (!text.starts_with("bytes=")) throw AwsError(invalid);
  text.remove_prefix(6);
  const std::size_t dash = text.find('-');
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (dash == std::string_view::npos || !parse_unsigned(text.substr(0, dash), first) ||
      !parse_unsigned(text.substr(dash + 1), last) || last < first) {
    throw AwsError(invalid);
  }
  if (last >= total) {
    throw AwsError("InvalidArgument",
                   "Range specified is not valid for source object of size: " + std::to_string(total))
        .with("ArgumentName", "x-amz-copy-source-range")
        .with("ArgumentValue", std::string(header));
  }
  return {first, last - first + 1};
}

}  // namespace brume::s3
