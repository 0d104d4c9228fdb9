// A queue's URL: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, or any other address with that path ("Amazon SQS queue
// and message identifiers"). Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace brume {

struct QueueAddress {
  std::string host;     // empty: the URL has none
  std::string account;  // empty: the URL is a name alone, of a queue of the caller's
  std::string name;
  bool operator==(const QueueAddress&) const = default;
};

QueueAddress parse_queue_url(std::string_view url);

}  // namespace brume
