// What every request of the front door works with. Made by Front; requests hold it, so that one that is still with the
// control thread outlives the door.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "aws/audit.h"
#include "aws/authorization.h"
#include "core/backlog.h"
#include "core/random.h"
#include "core/time.h"
#include "core/turns.h"
#include "front/cross_origin.h"
#include "front/dispatch/services.h"
#include "front/dispatch/statistics.h"
#include "front/http/limits.h"
#include "front/sigv4/verify.h"
#include "store/store.h"

namespace brume::front {

// Request ids, from a seed: the source of randomness may not be used on the I/O thread. Unique, not secret.
class RequestIds {
 public:
  explicit RequestIds(Random& random) : state_(random.next()) {}
  std::string uuid();
  std::string s3();  // sixteen characters, "79104EXAMPLEB723"

 private:
  std::uint64_t next();
  std::uint64_t state_;
};

struct Environment {
  Clock& clock;
  Random& random;  // control thread
  Control& control;
  Store& store;  // control thread
  const Credentials& credentials;
  const Authorizer& authorizer;  // control thread
  AuditSink& audit;
  const CrossOrigin* cross_origin = nullptr;  // control thread
  Turns* turns = nullptr;                     // of the control thread, where it gives any
  std::shared_ptr<Backlog> backlog;           // answers are in it until they count as the connections' memory
  std::string default_region;
  http::Limits limits;
  RequestIds request_ids;     // I/O thread
  sigv4::KeyCache keys = {};  // I/O thread
  Services services = {};
  Statistics statistics = {};
};

}  // namespace brume::front
