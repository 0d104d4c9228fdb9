// The last decisions, so that `brume why REQUEST-ID` can explain them as they were made: who asked for what, with which
// condition keys, under which policies. Bounded: the oldest go first. Filled by the authorizer; control thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "aws/policy/evaluation.h"
#include "aws/request.h"

namespace brume::iam {

struct DecisionRecord {
  std::string request_id;
  Time time;
  Principal principal;
  std::string action, resource;  // the resource as it was judged, with the path of a role
  policy::Keys keys;
  policy::Policies policies;
  policy::Decision decision;
  bool root_shortcut = false;  // root in its own account, without a resource policy: nothing was evaluated
};

class Decisions {
 public:
  explicit Decisions(std::size_t capacity = 2048) : capacity_(capacity) {}

  // The record to fill; the oldest is given again when all are used, its memory kept.
  DecisionRecord& next();
  // Those of one request, in the order in which they were made.
  std::vector<const DecisionRecord*> find(std::string_view request_id) const;
  // The newest first, at most so many.
  std::vector<const DecisionRecord*> denials(std::size_t most) const;
  std::size_t size() const { return ring_.size(); }
  std::size_t capacity() const { return capacity_; }

 private:
  std::size_t capacity_, newest_ = 0;
  std::vector<DecisionRecord> ring_;
};

}  // namespace brume::iam
