// What happens is published once, to these. `app` wires the consumers; until one exists a publication goes nowhere.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/scope.h"
#include "core/time.h"

namespace brume {

struct Metric {
  Scope scope;
  std::string name_space;  // "AWS/ApplicationELB"
  std::string name;
  std::vector<std::pair<std::string, std::string>> dimensions;
  double value = 0;
  std::string unit;  // "Count", "Seconds", …
  Time time;
};
class MetricSink {
 public:
  virtual ~MetricSink() = default;
  virtual void put(const Metric& metric) = 0;
};

struct Event {
  Scope scope;
  std::string source;       // "aws.ecs"
  std::string detail_type;  // "ECS Task State Change"
  std::string detail;       // JSON
  std::vector<std::string> resources;
  Time time;
};
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void put(const Event& event) = 0;
};

}  // namespace brume
