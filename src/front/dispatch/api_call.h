// One request of AWS's API on its way (ARCHITECTURE.md "A request's way"): found, verified, decoded on the I/O thread;
// authorized and run on the control thread; encoded and answered on the I/O thread. It lives as long as a step refers
// to it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "aws/request.h"
#include "aws/sinks.h"
#include "core/model.h"
#include "front/dispatch/dispatcher.h"
#include "front/dispatch/environment.h"
#include "front/dispatch/host.h"
#include "front/dispatch/integrity.h"
#include "front/http/exchange.h"
#include "front/protocols/protocol.h"
#include "front/sigv4/auth_errors.h"
#include "front/sigv4/claim.h"
#include "front/sigv4/post_policy.h"

namespace brume::front {

class ApiCall final : public std::enable_shared_from_this<ApiCall> {
 public:
  ApiCall(std::shared_ptr<Environment> environment, std::shared_ptr<http::Exchange> exchange, HostRoute host,
          ListenerRole role);
  ApiCall(const ApiCall&) = delete;
  ApiCall& operator=(const ApiCall&) = delete;

  void start();  // I/O thread

 private:
  using Clock = std::chrono::steady_clock;
  using Next = void (ApiCall::*)();

  // I/O thread. Steps throw AwsError; guard() answers it.
  template <class Step>
  void guard(Step&& step);
  void begin();
  void begin_rest();
  void receive(http::BodyPlan plan, Next next);
  void receive_whole(Next next);  // of an operation that does not stream
  void start_stream();            // the authorizer has agreed
  void receive_stream();
  bool is_form_upload() const;
  void begin_form();  // a browser's upload (form_upload.cpp)
  void on_form();
  void word_form_answer(protocols::WireReply& reply) const;
  void on_action_body();  // a query request without a scope
  void on_body();         // whole, of an operation that does not stream
  void decompress();
  void on_stream();
  void refuse_known(std::span<const protocols::KnownService* const> candidates);
  void refuse(const protocols::Lookup& lookup);
  void look_up();
  void authenticate(std::string_view payload_hash);
  void authenticate_s3();
  void authenticate_v2();
  void admit(Principal principal, std::string access_key_id);
  void decode();
  void choose(const ServedService& service);
  protocols::WireRequest wire() const;
  sigv4::SignedRequest signed_request() const;

  // Control thread (api_run.cpp).
  void to_control(Next step);
  void run();               // authorize, handle, commit
  void authorize_stream();  // before the body is pulled
  void run_stream();
  void handle();
  void authorize();
  void fill_idempotency_tokens();
  void invoke_deferred();
  void on_deferred(std::optional<model::Object> output, std::optional<AwsError> failure);
  void guard_control(const std::function<void()>& step);
  bool is_preflight() const;
  void answer_preflight();
  void find_cross_origin_headers();

  // Either thread.
  void answer(Function send);
  void succeed(model::Object output);
  void send_output(model::Object output);  // I/O thread
  void send_events(protocols::WireReply reply, std::string first);
  void fail(AwsError error);
  void fail_unexpected(std::string_view what);
  void audit(std::optional<model::Object> output, const AwsError* error);  // I/O thread, when the answer is made
  void send(protocols::WireReply reply, bool failed, std::shared_ptr<ByteQueue> stream = nullptr);

  std::shared_ptr<Environment> environment_;
  std::shared_ptr<http::Exchange> exchange_;
  HostRoute host_;
  RequestContext context_;
  std::string resource_account_;  // of another account than the caller's
  Clock::time_point started_;     // when the whole request was there

  const ServedService* service_ = nullptr;  // null until it is found, and for services that are not served
  const model::Operation* operation_ = nullptr;
  model::Protocol protocol_ = model::Protocol::query;
  sigv4::Style style_ = sigv4::Style::query;
  const std::vector<std::string> services_;    // that answer on the listener; empty: all
  std::string service_name_, operation_name_;  // for the audit and the counts
  std::string path_;                           // S3's virtual-host style rewritten
  std::optional<Headers> own_headers_;         // as the service is to see them, where they are not as sent

  std::optional<sigv4::Claim> claim_;
  std::optional<sigv4::Verified> verified_;
  sigv4::Payload payload_;
  http::ReceivedBody received_;
  std::optional<model::Object> input_;
  Headers reply_headers_;  // added to every answer

  // Of a browser's upload. Shared with the thread that receives the form, which fills it in before the file.
  struct FormUpload {
    std::string bucket;  // as sent in the path
    Headers fields;
    sigv4::PostGrant grant;
  };
  std::shared_ptr<FormUpload> form_;

  // A step that ran on the I/O thread in a turn of the control thread's: what follows waits for the turn's end.
  bool in_turn_ = false;
  bool stream_agreed_ = false;
  std::optional<model::Object> output_;

  // Of deferred operations: the answer may come before the commit, and is sent after it.
  bool committed_ = false;
  bool answered_ = false;
  std::optional<model::Object> early_output_;
  std::optional<AwsError> early_failure_;
};

}  // namespace brume::front
