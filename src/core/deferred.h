// The answer of a waiting operation: given later, once, on the control thread. A Deferred that is dropped unanswered
// fails the request with InternalFailure.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "core/error.h"

namespace brume {

template <class Output>
class Deferred {
 public:
  using Succeed = std::function<void(Output)>;
  using Fail = std::function<void(const AwsError&)>;
  Deferred(Succeed succeed, Fail fail) : state_(std::make_shared<State>(std::move(succeed), std::move(fail))) {}

  void succeed(Output output) const {
    if (auto function = std::exchange(state_->succeed, nullptr)) function(std::move(output));
  }
  void fail(const AwsError& error) const {
    if (!state_->succeed) return;
    state_->succeed = nullptr;
    state_->fail(error);
  }

 private:
  // Shared: the handler copies it into callbacks, whichever comes first answers.
  struct State {
    Succeed succeed;
    Fail fail;
    State(Succeed success, Fail failure) : succeed(std::move(success)), fail(std::move(failure)) {}
    State(const State&) = delete;  // a copy that goes away would count as dropped
    State& operator=(const State&) = delete;
    ~State() {
      if (succeed && fail) fail(AwsError("InternalFailure", "The request was dropped unanswered.", 500));
    }
  };
  std::shared_ptr<State> state_;
};

}  // namespace brume
