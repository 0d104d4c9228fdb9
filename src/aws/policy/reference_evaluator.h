// Test support: a slow and obvious reading of AWS's documents, straight from the JSON and without any of the engine's
// parts, to hold the engine against. Used by test_worlds.h only.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <string>
#include <vector>

namespace brume::policy::reference {

struct Caller {
  std::string kind;  // "root", "user", "session", "service", "anonymous"
  std::string account, arn, role_arn, id;
};

struct World {
  Caller caller;
  std::string action, resource;
  std::map<std::string, std::vector<std::string>> keys;  // names in lower case
  std::vector<boost::json::value> identity, boundary, session, resource_policies;
  std::vector<std::vector<boost::json::value>> service_control;
  bool has_boundary = false, has_session = false, is_trust = false;
  std::string resource_account;
};

struct Answer {
  bool allowed = false;
  bool denied = false;
};

Answer evaluate(const World& world);

}  // namespace brume::policy::reference
