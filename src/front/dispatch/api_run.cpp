// The part of a request that runs on the control thread: authorization, the handler in its transaction, the commit.
#include <exception>
#include <utility>

#include "core/deferred.h"
#include "core/fault.h"
#include "front/dispatch/api_call.h"
#include "front/dispatch/permissions.h"
#include "front/dispatch/style.h"
#include "store/tx.h"

namespace brume::front {

void ApiCall::guard_control(const std::function<void()>& step) {
  try {
    step();
  } catch (const AwsError& error) {
    fail(error);
  } catch (const StoreFull&) {
    fail(disk_full(style_));
  } catch (const std::exception& failure) {
    fail_unexpected(failure.what());
  }
}

void ApiCall::authorize() {
  for (const Ask& ask : asks_of(*operation_, input_->get(), context_.scope)) {
    Verdict verdict = environment_->authorizer.authorize(context_, ask);
    if (!verdict.resource_account.empty()) resource_account_ = std::move(verdict.resource_account);
    if (!verdict.allowed) throw access_denied(style_, context_.principal, ask, verdict);
  }
}

void ApiCall::authorize_stream() {
  guard_control([this] {
    find_cross_origin_headers();
    authorize();
    if (in_turn_) {
      stream_agreed_ = true;
    } else {
      exchange_->post([self = shared_from_this()] { self->start_stream(); });
    }
  });
}

void ApiCall::run() {
  guard_control([this] {
    find_cross_origin_headers();
    authorize();
    handle();
  });
}

void ApiCall::run_stream() {
  guard_control([this] { handle(); });
}

// Tokens that the client may leave out are made here, as SDKs do it on their side.
void ApiCall::fill_idempotency_tokens() {
  for (const model::Member& member : operation_->input->members) {
    if (!member.idempotency_token || member.type->kind != model::Kind::string) continue;
    if (member.get(input_->get()) != nullptr) continue;
    *static_cast<std::string*>(member.emplace(input_->get())) = environment_->random.uuid();
  }
}

void ApiCall::handle() {
  context_.now = environment_->clock.now();
  fill_idempotency_tokens();
  if (operation_->deferred) return invoke_deferred();
  const model::Handler& handler = service_->handlers.of(*operation_);
  model::Object output(*operation_->output);
  Tx tx(environment_->store);
  handler.invoke(service_->object, tx, context_, input_->get(), output.get());
  tx.commit();
  fault_point("front.committed");
  succeed(std::move(output));
}

void ApiCall::invoke_deferred() {
  const auto self = shared_from_this();
  Deferred<model::Object> answer([self](model::Object output) { self->on_deferred(std::move(output), std::nullopt); },
                                 [self](const AwsError& error) { self->on_deferred(std::nullopt, error); });
  Tx tx(environment_->store);
  try {
    service_->handlers.of(*operation_)
        .invoke_deferred(service_->object, tx, context_, input_->get(), std::move(answer));
    tx.commit();
  } catch (...) {
    answered_ = true;  // what was answered before the failure does not hold
    throw;
  }
  committed_ = true;
  if (early_output_ || early_failure_) on_deferred(std::move(early_output_), std::move(early_failure_));
}

// Called once by the handler's Deferred, and again after the commit when that came too early to be sent.
void ApiCall::on_deferred(std::optional<model::Object> output, std::optional<AwsError> failure) {
  if (answered_) return;
  if (!committed_) {
    early_output_ = std::move(output);
    early_failure_ = std::move(failure);
    return;
  }
  answered_ = true;
  if (failure) return fail(*std::move(failure));
  succeed(*std::move(output));
}

}  // namespace brume::front
