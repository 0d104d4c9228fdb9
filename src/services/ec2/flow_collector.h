// Flow logs: reads what the network plane counted, gathers it by aggregation interval and hands the records to their
// destinations. Works only while there are flow logs. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/runtime.h"
#include "core/scope.h"
#include "core/time.h"
#include "planes/network/network.h"
#include "services/ec2/flow_log_format.h"
#include "services/ec2/needs.h"
#include "services/ec2/records.h"
#include "store/store.h"

namespace brume::ec2 {

struct Ec2;

class FlowCollector {
 public:
  FlowCollector(Ec2& ec2, Store& store, Control& control, network::Network& network)
      : ec2_(ec2), store_(store), control_(control), network_(network) {}
  FlowCollector(const FlowCollector&) = delete;
  FlowCollector& operator=(const FlowCollector&) = delete;

  // Once, when the destinations are there.
  void start(FlowLogDelivery& delivery);
  // Null before start().
  const FlowLogDelivery* delivery() const { return delivery_; }
  // A flow log was made or deleted.
  void wake();
  // The VPC is about to be applied: its interfaces' last packets are told after they are gone.
  void remember(const Scope& scope, const network::Vpc& vpc);

 private:
  using FlowKey = std::tuple<std::string, bool, std::string, std::string, int, int, int, bool>;
  struct Amount {
    network::Counter counter;
    int tcp_flags = 0;
    Time first, last;
  };
  struct Known {  // an interface
    Scope scope;
    std::string vpc, subnet;
    Time last_needed;
  };
  // What a flow log has not delivered yet.
  struct Pending {
    Time since;  // the window's begin
    std::map<FlowKey, Amount> flows;
    std::map<std::string, Time> told;  // by interface: until when
    std::map<std::string, bool> skipped;
  };

  void schedule();
  void tick();
  void take(const std::string& vpc, const network::Flows& flows);
  void publish();
  std::vector<FlowLogLine> lines_of(const Scope& scope, const FlowLogRecord& log, Pending& pending);
  void deliver(const Scope& scope, const FlowLogRecord& log, const std::vector<FlowLogLine>& lines);
  void delivered(const Scope& scope, const std::string& log, const std::string& error);
  bool covers(const FlowLogRecord& log, const std::string& interface) const;
  FlowLogLine line_for(const std::string& interface, Time start, Time end) const;
  FlowLogLine line_for(const FlowKey& key, const Amount& amount) const;

  Ec2& ec2_;
  Store& store_;
  Control& control_;
  network::Network& network_;
  FlowLogDelivery* delivery_ = nullptr;
  bool scheduled_ = false;
  std::size_t reading_ = 0;  // VPCs that have not answered
  Time last_tick_, this_tick_;
  std::map<std::string, Known> known_;      // by interface
  std::map<std::string, Pending> pending_;  // by flow log
};

}  // namespace brume::ec2
