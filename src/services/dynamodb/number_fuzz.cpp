// Fuzz target: DynamoDB's numbers. Sums, order and keys agree with exact arithmetic over large integers. Two texts, a
// line each.
#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"
#include "services/dynamodb/value.h"

namespace brume::dynamodb {
namespace {

using Whole = boost::multiprecision::cpp_int;

// The number times 10^200, exactly: its normalized text has no more than 38 digits between 1E-130 and 1E+126.
Whole scaled(const std::string& number) {
  std::string digits;
  long exponent = 200;
  bool point = false;
  for (std::size_t i = number.starts_with('-') ? 1 : 0; i < number.size(); ++i) {
    if (number[i] == 'E') {
      exponent += std::stol(number.substr(i + 1));
      break;
    }
    if (number[i] == '.') point = true;
    if (number[i] == '.') continue;
    digits += number[i];
    if (point) --exponent;
  }
  BRUME_CHECK(exponent >= 0 && exponent < 400);
  // A leading zero would make it octal.
  const std::size_t first = digits.find_first_not_of('0');
  Whole value = first == std::string::npos ? Whole(0) : Whole(digits.substr(first));
  value *= boost::multiprecision::pow(Whole(10), static_cast<unsigned>(exponent));
  return number.starts_with('-') ? Whole(-value) : value;
}

bool fits(const Whole& value) {
  if (value == 0) return true;
  std::string digits = Whole(abs(value)).str();
  const std::size_t size = digits.size();  // 10^(size - 201) is its magnitude
  digits.erase(digits.find_last_not_of('0') + 1);
  return digits.size() <= 38 && size <= 200 + 126 && size >= 200 - 129;
}

int sign(int value) { return value > 0 ? 1 : value < 0 ? -1 : 0; }

void check_pair(const std::string& a, const std::string& b) {
  const Whole x = scaled(a), y = scaled(b);
  BRUME_CHECK(sign(compare_numbers(a, b)) == sign(x.compare(y)));
  std::string key_a, key_b;
  append_key_value(key_a, number_value(a));
  append_key_value(key_b, number_value(b));
  BRUME_CHECK(sign(key_a.compare(key_b)) == sign(x.compare(y)));
  std::string sum;
  try {
    sum = add_numbers(a, b);
  } catch (const AwsError& error) {
    BRUME_CHECK(error.code == "ValidationException" && !fits(x + y));
    return;
  }
  BRUME_CHECK(fits(x + y) && scaled(sum) == x + y);
  BRUME_CHECK(normalize_number(sum) == sum);
}

}  // namespace
}  // namespace brume::dynamodb

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace brume::dynamodb;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  const auto a = normalize_number(text.substr(0, line));
  const auto b = normalize_number(text.substr(std::min(line + 1, text.size())));
  for (const auto& number : {a, b})
    if (number) BRUME_CHECK(normalize_number(*number) == *number && fits(scaled(*number)));
  if (a) BRUME_CHECK(negate_number(negate_number(*a)) == *a && scaled(negate_number(*a)) == -scaled(*a));
  if (a && b) {
    check_pair(*a, *b);
    check_pair(*a, negate_number(*b));
  }
  return 0;
}
