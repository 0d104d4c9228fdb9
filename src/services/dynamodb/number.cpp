// DynamoDB's numbers: decimals of up to 38 significant digits, from 1E-130 to 9.99…E+125, as text.
#include <algorithm>
#include <cstdint>

#include "core/text.h"
#include "services/dynamodb/value.h"

namespace brume::dynamodb {
namespace {

constexpr std::size_t kMostDigits = 38;

// 0.DIGITS × 10^exponent; digits without zeros at either end; zero has none.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;
};

std::optional<Decimal> parse(std::string_view text) {
  Decimal decimal;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    decimal.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const std::size_t e = text.find_first_of("eE");
  std::int64_t power = 0;
  if (e != std::string_view::npos) {
    std::string_view written = text.substr(e + 1);
    if (written.starts_with('+')) written.remove_prefix(1);
    if (written.size() > 6 || !parse_int(written, power)) return std::nullopt;
    text = text.substr(0, e);
  }
  const std::size_t point = text.find('.');
  std::string digits(text.substr(0, point));
  decimal.exponent = static_cast<std::int64_t>(digits.size()) + power;
  if (point != std::string_view::npos) digits += text.substr(point + 1);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const std::size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return Decimal{};
  digits.erase(0, first);
  decimal.exponent -= static_cast<std::int64_t>(first);
  digits.erase(digits.find_last_not_of('0') + 1);
  decimal.digits = std::move(digits);
  return decimal;
}

std::string print(const Decimal& decimal) {
  if (decimal.digits.empty()) return "0";
  const auto size = static_cast<std::int64_t>(decimal.digits.size());
  std::string text = decimal.negative ? "-" : "";
  if (decimal.exponent <= 0) {
    if (decimal.exponent < -20) {
      text += decimal.digits.substr(0, 1) + (size > 1 ? "." + decimal.digits.substr(1) : "") + "E" +
              std::to_string(decimal.exponent - 1);
      return text;
    }
    return text + "0." + std::string(static_cast<std::size_t>(-decimal.exponent), '0') + decimal.digits;
  }
  if (decimal.exponent >= size) {
    if (decimal.exponent > 38)
      return text + decimal.digits.substr(0, 1) + (size > 1 ? "." + decimal.digits.substr(1) : "") + "E+" +
             std::to_string(decimal.exponent - 1);
    return text + decimal.digits + std::string(static_cast<std::size_t>(decimal.exponent - size), '0');
  }
  return text + decimal.digits.substr(0, static_cast<std::size_t>(decimal.exponent)) + "." +
         decimal.digits.substr(static_cast<std::size_t>(decimal.exponent));
}

int compare_magnitudes(const Decimal& a, const Decimal& b) {
  if (a.digits.empty() || b.digits.empty())
    return static_cast<int>(b.digits.empty()) - static_cast<int>(a.digits.empty());
  if (a.exponent != b.exponent) return a.exponent < b.exponent ? -1 : 1;
  return a.digits.compare(b.digits) < 0 ? -1 : a.digits == b.digits ? 0 : 1;
}

int compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) {
    if (a.digits.empty() && b.digits.empty()) return 0;
    return a.negative ? -1 : 1;
  }
  const int magnitude = compare_magnitudes(a, b);
  return a.negative ? -magnitude : magnitude;
}

// Digits of both at a common scale, as many as the wider needs.
struct Aligned {
  std::string a, b;
  std::int64_t exponent;
};
Aligned align(const Decimal& a, const Decimal& b) {
  const std::int64_t top = std::max(a.exponent, b.exponent);
  const std::int64_t bottom = std::min(a.exponent - static_cast<std::int64_t>(a.digits.size()),
                                       b.exponent - static_cast<std::int64_t>(b.digits.size()));
  const auto pad = [&](const Decimal& decimal) {
    std::string text(static_cast<std::size_t>(top - decimal.exponent), '0');
    text += decimal.digits;
    text.resize(static_cast<std::size_t>(top - bottom), '0');
    return text;
  };
  return {pad(a), pad(b), top};
}

Decimal trimmed(bool negative, std::string digits, std::int64_t exponent) {
  const std::size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return {};
  digits.erase(0, first);
  digits.erase(digits.find_last_not_of('0') + 1);
  return {negative, std::move(digits), exponent - static_cast<std::int64_t>(first)};
}

Decimal add(const Decimal& a, const Decimal& b) {
  if (a.digits.empty()) return b;
  if (b.digits.empty()) return a;
  if (std::max(a.exponent, b.exponent) - std::min(a.exponent, b.exponent) > 80)
    throw validation("Number overflow. Attempting to store a number with more than 38 significant digits");
  const bool subtract = a.negative != b.negative;
  const bool a_is_larger = compare_magnitudes(a, b) >= 0;
  Aligned aligned = align(a, b);
  std::string& larger = a_is_larger ? aligned.a : aligned.b;
  const std::string& smaller = a_is_larger ? aligned.b : aligned.a;
  int carry = 0;
  for (std::size_t i = larger.size(); i-- > 0;) {
    int digit = (larger[i] - '0') + (subtract ? -(smaller[i] - '0') : smaller[i] - '0') + carry;
    carry = digit < 0 ? -1 : digit > 9 ? 1 : 0;
    digit -= carry * 10;
    larger[i] = static_cast<char>('0' + digit);
  }
  std::int64_t exponent = aligned.exponent;
  std::string digits = larger;
  if (carry == 1) {
    digits.insert(digits.begin(), '1');
    ++exponent;
  }
  return trimmed(a_is_larger ? a.negative : b.negative, std::move(digits), exponent);
}

}  // namespace

std::optional<std::string> normalize_number(std::string_view text) {
  const std::optional<Decimal> decimal = parse(trim(text));
  if (!decimal || decimal->digits.size() > kMostDigits) return std::nullopt;
  if (!decimal->digits.empty() && (decimal->exponent > 126 || decimal->exponent < -129)) return std::nullopt;
  return print(*decimal);
}

std::string add_numbers(const std::string& a, const std::string& b) {
  const Decimal sum = add(*parse(a), *parse(b));
  if (sum.digits.size() > kMostDigits || sum.exponent > 126)
    throw validation("Number overflow. Attempting to store a number with magnitude larger than supported range");
  if (!sum.digits.empty() && sum.exponent < -129)
    throw validation("Number underflow. Attempting to store a number with magnitude smaller than supported range");
  return print(sum);
}

std::string negate_number(const std::string& number) {
  if (number == "0") return number;
  return number.starts_with('-') ? number.substr(1) : "-" + number;
}

int compare_numbers(std::string_view a, std::string_view b) { return compare(*parse(a), *parse(b)); }

// Sign, exponent, digits; negative numbers have every byte turned, so that a larger magnitude comes first.
std::string number_key(std::string_view number) {
  const Decimal decimal = *parse(number);
  if (decimal.digits.empty()) return "\x80";
  // From 1 to 256, which has no byte: the largest exponent is 255 twice, and no digit is 255.
  const std::int64_t exponent = decimal.exponent + 130;
  std::string body(exponent == 256 ? 2 : 1, static_cast<char>(std::min<std::int64_t>(exponent, 255)));
  for (char digit : decimal.digits) body += static_cast<char>(digit - '0' + 1);
  if (!decimal.negative) return "\xc0" + body;
  for (char& byte : body) byte = static_cast<char>(~byte);
  return "\x40" + body + '\xff';
}

}  // namespace brume::dynamodb
