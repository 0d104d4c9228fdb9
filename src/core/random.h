// The source of everything random, ids included. Seeded in tests. Used on the control thread, or under the caller's
// lock.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace brume {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(void* data, std::size_t size) = 0;

  std::uint64_t next();
  std::uint64_t below(std::uint64_t limit);  // uniform in [0, limit)
  std::string hex(std::size_t digits);
  std::string digits(std::size_t count);
  std::string from(std::string_view alphabet, std::size_t count);
  std::string uuid();                           // version 4, lower case
  std::string ec2_id(std::string_view prefix);  // "vpc-" and 17 hex digits
};

// Cryptographically strong, for the daemon. Thread-safe.
std::unique_ptr<Random> system_random();
// Repeatable, for tests.
std::unique_ptr<Random> seeded_random(std::uint64_t seed);

}  // namespace brume
