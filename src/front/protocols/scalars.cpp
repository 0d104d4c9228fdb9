#include "front/protocols/scalars.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/text.h"

namespace brume::protocols {

bool is_scalar(Kind kind) {
  return kind != Kind::structure && kind != Kind::list && kind != Kind::map && kind != Kind::stream;
}

TimestampFormat timestamp_format(const Member* member, const Type& type, TimestampFormat otherwise) {
  if (member != nullptr && member->timestamp_format != TimestampFormat::unspecified) return member->timestamp_format;
  if (type.timestamp_format != TimestampFormat::unspecified) return type.timestamp_format;
  return otherwise;
}

bool parse_number(std::string_view text, double& out) {
  if (text == "NaN") return out = std::numeric_limits<double>::quiet_NaN(), true;
  if (text == "Infinity") return out = std::numeric_limits<double>::infinity(), true;
  if (text == "-Infinity") return out = -std::numeric_limits<double>::infinity(), true;
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return false;
  out = value;
  return true;
}

std::string format_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

bool read_seconds(double seconds, Time& out) {
  constexpr double kYear0 = -62'167'219'200, kYear10000 = 253'402'300'800;
  if (!(seconds >= kYear0 && seconds < kYear10000 - 0.001)) return false;
  out.ms = std::llround(seconds * 1000);
  return true;
}

namespace {

bool parse_seconds(std::string_view text, Time& out) {
  double seconds = 0;
  return parse_number(text, seconds) && read_seconds(seconds, out);
}

}  // namespace

bool parse_timestamp(std::string_view text, TimestampFormat format, Time& out) {
  switch (format) {
    case TimestampFormat::unix_seconds:
      if (parse_seconds(text, out)) return true;
      break;
    case TimestampFormat::http_date:
      if (parse_http_date(text, out)) return true;
      break;
    case TimestampFormat::iso8601:
    case TimestampFormat::unspecified:
      break;
  }
  return parse_iso8601(text, out) || parse_http_date(text, out) || parse_seconds(text, out) ||
         parse_basic_iso8601(text, out);
}

std::string format_timestamp(Time time, TimestampFormat format) {
  switch (format) {
    case TimestampFormat::http_date:
      return http_date(time);
    case TimestampFormat::unix_seconds: {
      const std::int64_t fraction = ((time.ms % 1000) + 1000) % 1000;
      if (fraction == 0) return std::to_string(time.ms / 1000);
      // Milliseconds exactly, without a detour through binary fractions.
      const bool negative = time.ms < 0;
      const std::uint64_t magnitude =
          negative ? std::uint64_t{0} - static_cast<std::uint64_t>(time.ms) : static_cast<std::uint64_t>(time.ms);
      std::string thousandths = std::to_string(1000 + magnitude % 1000).substr(1);
      while (thousandths.ends_with('0')) thousandths.pop_back();
      return (negative ? "-" : "") + std::to_string(magnitude / 1000) + "." + thousandths;
    }
    case TimestampFormat::iso8601:
    case TimestampFormat::unspecified:
      break;
  }
  return iso8601(time, time.ms % 1000 != 0);
}

namespace {

bool parse_bool(std::string_view text, bool& out) {
  if (equals_ignoring_case(text, "true")) return out = true, true;
  if (equals_ignoring_case(text, "false")) return out = false, true;
  return false;
}

// "1985-04-12T23:20:50.52Z": RFC 3339 without an offset, as Smithy's date-time is.
bool parse_date_time(std::string_view text, Time& out) {
  if (text.size() < 20 || text[10] != 'T' || text.back() != 'Z') return false;
  if (text.size() > 20 && text[19] != '.') return false;
  return parse_iso8601(text, out);
}

bool parse_exact_timestamp(std::string_view text, TimestampFormat format, Time& out) {
  if (format == TimestampFormat::unix_seconds) return parse_seconds(text, out);
  return format == TimestampFormat::http_date ? parse_http_date(text, out) : parse_date_time(text, out);
}

}  // namespace

bool parse_exact_scalar(const Type& type, TimestampFormat format, std::string_view text, void* value) {
  if (text != trim(text) && type.kind != Kind::string && type.kind != Kind::document) return false;
  if (type.kind == Kind::boolean && text != "true" && text != "false") return false;
  if (type.kind == Kind::timestamp) return parse_exact_timestamp(text, format, *static_cast<Time*>(value));
  return parse_scalar(type, format, text, value);
}

bool parse_scalar(const Type& type, TimestampFormat format, std::string_view text, void* value) {
  switch (type.kind) {
    case Kind::string:
    case Kind::document:
      static_cast<std::string*>(value)->assign(text);
      return true;
    case Kind::blob: {
      auto bytes = from_base64(text);
      if (bytes) *static_cast<std::string*>(value) = std::move(*bytes);
      return bytes.has_value();
    }
    case Kind::integer:
      return parse_int(trim(text), *static_cast<std::int64_t*>(value));
    case Kind::number:
      return parse_number(trim(text), *static_cast<double*>(value));
    case Kind::boolean:
      return parse_bool(trim(text), *static_cast<bool*>(value));
    case Kind::timestamp:
      return parse_timestamp(trim(text), format, *static_cast<Time*>(value));
    case Kind::stream:
    case Kind::structure:
    case Kind::list:
    case Kind::map:
      break;
  }
  BRUME_CHECK(false && "not a scalar");
}

std::string format_scalar(const Type& type, TimestampFormat format, const void* value) {
  switch (type.kind) {
    case Kind::string:
    case Kind::document:
      return *static_cast<const std::string*>(value);
    case Kind::blob:
      return to_base64(*static_cast<const std::string*>(value));
    case Kind::integer:
      return std::to_string(*static_cast<const std::int64_t*>(value));
    case Kind::number:
      return format_number(*static_cast<const double*>(value));
    case Kind::boolean:
      return *static_cast<const bool*>(value) ? "true" : "false";
    case Kind::timestamp:
      return format_timestamp(*static_cast<const Time*>(value), format);
    case Kind::stream:
    case Kind::structure:
    case Kind::list:
    case Kind::map:
      break;
  }
  BRUME_CHECK(false && "not a scalar");
}

}  // namespace brume::protocols
