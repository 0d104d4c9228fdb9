// What one client may take of the front door. Spans are the machine's, not the cloud's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "front/http/head.h"

namespace brume::http {

struct Limits {
  HeadLimits head;
  std::size_t connections = 12'288;                // at the limit the longest waiting gives way, else 503
  std::size_t held_bytes = 256 * 1024 * 1024;      // of requests and answers in memory, all connections' together
  std::uint64_t request_bytes = 16 * 1024 * 1024;  // the body of an operation that does not stream
  std::uint64_t stream_bytes = 5ULL * 1024 * 1024 * 1024;  // S3's largest single PUT
  std::chrono::milliseconds idle{75'000};                  // between requests, and before the first
  std::chrono::milliseconds head_time{20'000};             // a whole head
  std::chrono::milliseconds handshake_time{15'000};        // of TLS
  std::chrono::milliseconds body_progress{30'000};         // without a byte of the body
  std::chrono::milliseconds write_progress{60'000};        // without a byte of the answer taken
  std::chrono::milliseconds linger{5'000};  // reading on after a last answer, waiting on after a last byte
};

}  // namespace brume::http
