#include "front/dispatch/api_call.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "core/byte_queue.h"
#include "core/events.h"
#include "core/fault.h"
#include "core/log.h"
#include "core/scope.h"
#include "core/text.h"
#include "front/dispatch/content_encoding.h"
#include "front/dispatch/style.h"
#include "front/protocols/event_stream.h"
#include "front/sigv4/presigned_v2.h"

namespace brume::front {
namespace {

using protocols::Lookup;
using protocols::WireRequest;
using sigv4::Style;

bool is_rest(model::Protocol protocol) {
  return protocol == model::Protocol::rest_json || protocol == model::Protocol::rest_xml;
}

}  // namespace

ApiCall::ApiCall(std::shared_ptr<Environment> environment, std::shared_ptr<http::Exchange> exchange, HostRoute host,
                 ListenerRole role)
    : environment_(std::move(environment)),
      exchange_(std::move(exchange)),
      host_(std::move(host)),
      services_(std::move(role.services)) {
  const http::RequestHead& head = exchange_->head();
  const http::Peer& peer = exchange_->peer();
  context_.request_id = environment_->request_ids.uuid();
  context_.now = environment_->clock.now();
  context_.source_address = peer.address;
  context_.user_agent = head.header("user-agent");
  context_.host = head.host;
  context_.secure = peer.secure;
  context_.vpc = std::move(role.vpc);
  context_.endpoint = (peer.secure ? "https://" : "http://") + head.host;
  started_ = Clock::now();
  path_ = host_.bucket.empty() ? head.path : "/" + host_.bucket + head.path;
}

template <class Step>
void ApiCall::guard(Step&& step) {
  try {
    step();
  } catch (const AwsError& error) {
    fail(error);
  } catch (const std::exception& failure) {
    fail_unexpected(failure.what());
  }
}

void ApiCall::start() {
  guard([this] { begin(); });
}

WireRequest ApiCall::wire() const {
  const http::RequestHead& head = exchange_->head();
  return {.method = head.method,
          .path = path_,
          .query = head.query,
          .headers = own_headers_ ? *own_headers_ : head.headers,
          .host = host_.name,
          .body = received_.body.bytes};
}

sigv4::SignedRequest ApiCall::signed_request() const {
  const http::RequestHead& head = exchange_->head();
  return {head.method, head.path, head.query, &head.headers};
}

void ApiCall::choose(const ServedService& service) {
  service_ = &service;
  service_name_ = service.model->id;
  // A service that does not speak the request's protocol still answers in its own.
  protocol_ = protocols::protocol_of(*service.model, wire()).value_or(service.model->protocols.front());
  style_ = style_of(*service.model, protocol_);
  if (style_ == Style::s3) context_.request_id = environment_->request_ids.s3();
  if (!services_.empty() && std::ranges::find(services_, service_name_) == services_.end())
    throw in_style(style_, AwsError("AccessDenied", service_name_ + " does not answer at this address.", 403));
}

void ApiCall::begin() {
  const std::optional<sigv4::CredentialScope> scope = sigv4::peek_scope(signed_request());
  context_.scope.region = host_.region.empty() ? environment_->default_region : host_.region;
  if (scope && is_region(scope->region)) context_.scope.region = scope->region;
  const Target target = environment_->services.find(exchange_->head(), host_, scope);
  if (target.served != nullptr) {
    choose(*target.served);
    if (is_preflight()) return to_control(&ApiCall::answer_preflight);
    if (is_form_upload()) return begin_form();
    return is_rest(protocol_) ? begin_rest() : receive_whole(&ApiCall::on_body);
  }
  protocol_ = protocols::guess_protocol(wire());
  if (target.known.empty()) return receive_whole(&ApiCall::on_action_body);
  // Which operation it is may be in the body.
  receive({.limit = environment_->limits.request_bytes, .memory_limit = environment_->limits.request_bytes},
          &ApiCall::on_action_body);
}

// The operation of a REST request is known from its head.
void ApiCall::begin_rest() {
  look_up();
  if (operation_ == nullptr) return;
  if (style_ != Style::s3) return receive_whole(&ApiCall::on_body);
  authenticate_s3();
  if (!operation_->streaming_input) return receive_whole(&ApiCall::on_body);
  if (!exchange_->head().chunked && !exchange_->head().content_length)
    throw AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411);
  decode();
  to_control(&ApiCall::authorize_stream);
}

void ApiCall::receive(http::BodyPlan plan, Next next) {
  exchange_->receive_body(std::move(plan),
                          [self = shared_from_this(), next](std::expected<http::ReceivedBody, AwsError> received) {
                            self->started_ = Clock::now();
                            self->guard([&self, next, &received] {
                              if (!received) throw in_style(self->style_, received.error());
                              self->received_ = *std::move(received);
                              ((*self).*next)();
                            });
                          });
}

void ApiCall::receive_whole(Next next) {
  const std::uint64_t limit = environment_->limits.request_bytes;
  http::BodyPlan plan{.limit = limit, .memory_limit = limit, .digests = {DigestKind::sha256}};
  if (operation_ != nullptr) plan.digests = digests_for(*operation_, exchange_->head().headers);
  if (style_ == Style::s3) {
    ChunkPlan chunks = chunk_plan(exchange_->head().headers, payload_,
                                  verified_ ? sigv4::chunk_verifier(*verified_, *claim_) : nullptr);
    if (chunks.error) throw *chunks.error;
    plan.aws_chunked = std::move(chunks.plan);
  }
  receive(std::move(plan), next);
}

void ApiCall::start_stream() {
  guard([this] { receive_stream(); });
}

void ApiCall::receive_stream() {
  http::BodyPlan plan{.limit = environment_->limits.stream_bytes,
                      .digests = digests_for(*operation_, exchange_->head().headers)};
  ChunkPlan chunks =
      chunk_plan(exchange_->head().headers, payload_, verified_ ? sigv4::chunk_verifier(*verified_, *claim_) : nullptr);
  if (chunks.error) throw *chunks.error;
  plan.aws_chunked = std::move(chunks.plan);
  receive(std::move(plan), &ApiCall::on_stream);
}

void ApiCall::on_action_body() {
  const std::optional<sigv4::CredentialScope> scope = sigv4::peek_scope(signed_request());
  Target target = environment_->services.find(exchange_->head(), host_, scope);
  if (target.known.empty()) target = environment_->services.find_by_action(wire());
  if (target.served == nullptr) return refuse_known(target.known);
  choose(*target.served);
  on_body();
}

// An operation of AWS that is not served, or nothing that AWS has.
void ApiCall::refuse_known(std::span<const protocols::KnownService* const> candidates) {
  std::optional<protocols::KnownRequest> found = protocols::find_known(candidates, wire());
  if (found) {
    service_name_ = found->service->id;
    protocol_ = found->protocol;
  } else {
    service_name_ = candidates.empty() ? "" : candidates.front()->id;
    found.emplace().lookup = {Lookup::Kind::unknown, nullptr, query_parameter(wire().body, "Action")};
  }
  refuse(found->lookup);
}

void ApiCall::refuse(const Lookup& lookup) {
  operation_name_ = lookup.operation_name;
  if (lookup.kind == Lookup::Kind::known) environment_->statistics.count_refused(service_name_ + ":" + operation_name_);
  fail(protocols::refusal(lookup, protocol_, service_name_,
                          service_ != nullptr ? service_->model->api_version : std::string_view()));
}

// Without a result the request has been answered.
void ApiCall::look_up() {
  if (!is_rest(protocol_)) {
    const auto others = environment_->services.meant_instead(*service_->model, wire());
    if (!others.empty()) return refuse_known(others);
  }
  const Lookup lookup = protocols::find_operation(*service_->model, protocol_, wire());
  operation_name_ = lookup.operation_name;
  if (lookup.kind != Lookup::Kind::served) return refuse(lookup);
  operation_ = lookup.operation;
}

void ApiCall::on_body() {
  if (style_ != Style::s3 && is_encoded(exchange_->head().headers)) decompress();
  if (operation_ == nullptr) look_up();
  if (operation_ == nullptr) return;
  if (style_ == Style::s3) {
    if (auto wrong = check_body(*operation_, exchange_->head().headers, payload_, received_)) throw *std::move(wrong);
    own_headers_ = decoded_headers(exchange_->head().headers, payload_, received_);
  } else if (!verified_) {
    authenticate(to_hex(received_.body.sha256));
  }
  decode();
  to_control(&ApiCall::run);
}

// What was signed is the body as it was sent. Only callers who are known may make work of their few bytes.
void ApiCall::decompress() {
  authenticate(to_hex(received_.body.sha256));
  auto plain = decode_body(exchange_->head().headers, received_.body.bytes, environment_->limits.request_bytes);
  if (!plain) throw in_style(style_, std::move(plain.error()));
  received_.body.size = plain->size();
  received_.body.bytes = *std::move(plain);
}

void ApiCall::on_stream() {
  fault_point("front.received");
  if (auto wrong = check_body(*operation_, exchange_->head().headers, payload_, received_)) throw *std::move(wrong);
  own_headers_ = decoded_headers(exchange_->head().headers, payload_, received_);
  decode();
  to_control(&ApiCall::run_stream);
}

void ApiCall::authenticate_s3() {
  const sigv4::SignedRequest request = signed_request();
  if (sigv4::is_presigned_v2(request)) return authenticate_v2();
  auto claim = sigv4::read_claim(request, style_);
  if (!claim) throw claim.error();
  // An anonymous request says about its body what a presigned one does.
  auto payload = sigv4::read_payload(request, style_, !*claim || (*claim)->presigned);
  if (!payload) throw payload.error();
  payload_ = *std::move(payload);
  if (!*claim && payload_.kind == sigv4::Payload::Kind::signed_chunks) throw sigv4::missing_authentication(style_);
  authenticate(payload_.text);
}

void ApiCall::authenticate_v2() {
  auto principal =
      sigv4::verify_presigned_v2(signed_request(), path_, host_.region,
                                 std::min(context_.now, environment_->clock.machine_now()), environment_->credentials);
  if (!principal) throw principal.error();
  payload_ = {.kind = sigv4::Payload::Kind::unsigned_body, .text = "UNSIGNED-PAYLOAD"};
  admit(*std::move(principal), query_parameter(exchange_->head().query, "AWSAccessKeyId"));
}

void ApiCall::admit(Principal principal, std::string access_key_id) {
  context_.principal = std::move(principal);
  context_.principal.access_key_id = std::move(access_key_id);
  context_.scope.account = context_.principal.account;
}

void ApiCall::authenticate(std::string_view payload_hash) {
  if (operation_ != nullptr && operation_->is_public) return;
  const sigv4::SignedRequest request = signed_request();
  auto claim = sigv4::read_claim(request, style_);
  if (!claim) throw claim.error();
  if (!*claim) {
    // S3's buckets may be open to everyone: the authorizer decides. Nothing else is.
    if (style_ == Style::s3) return;
    throw sigv4::missing_authentication(style_);
  }
  claim_ = **std::move(claim);
  claim_->time = sigv4::in_cloud_time(*claim_, environment_->clock, context_.now);
  const sigv4::Expectation expectation{
      .style = style_,
      .service = service_->model->signing_name,
      .region = service_->model->global ? std::string_view() : std::string_view(host_.region)};
  auto verified = sigv4::verify(request, *claim_, expectation, payload_hash, context_.now, environment_->credentials,
                                environment_->keys);
  if (!verified) throw verified.error();
  verified_ = *std::move(verified);
  admit(std::move(verified_->principal), claim_->access_key_id);
}

void ApiCall::decode() {
  input_.emplace(*operation_->input);
  WireRequest request = wire();
  if (operation_->streaming_input) {
    request.body = {};
    request.stream = &received_.body;
  }
  const protocols::DecodeReport report =
      protocols::decode(*service_->model, *operation_, protocol_, request, input_->get());
  if (sigv4::is_presigned_v2(signed_request())) return;  // its parameters are no members, and no surprise
  for (const std::string& member : report.ignored_members)
    environment_->statistics.count_ignored(service_name_ + ":" + member);
}

// Mostly the control thread is idle, and the step runs right here. Encoding is none of its business: it comes after.
void ApiCall::to_control(Next step) {
  const auto self = shared_from_this();
  if (environment_->turns == nullptr) return environment_->control.post([self, step] { ((*self).*step)(); });
  const bool ran = environment_->turns->perform([self, step] {
    // The control thread is ahead: the step comes again when the I/O thread has taken the answers that lie before it.
    if (!self->exchange_->on_io_thread() && self->environment_->backlog->is_full())
      return self->exchange_->post([self, step] { self->to_control(step); });
    // Set back within the turn: the next one may be that of a deferred answer, on another thread.
    struct InTurn {
      InTurn(bool& in_turn, bool value) : flag(in_turn) { flag = value; }
      InTurn(const InTurn&) = delete;
      InTurn& operator=(const InTurn&) = delete;
      ~InTurn() { flag = false; }
      bool& flag;
    };
    const InTurn in_turn(self->in_turn_, self->exchange_->on_io_thread());
    ((*self).*step)();
  });
  if (!ran) return;
  if (std::exchange(stream_agreed_, false)) return start_stream();
  if (auto output = std::exchange(output_, std::nullopt)) send_output(*std::move(output));
}

// Tells nobody of what a power cut could still take back: neither who wrote it nor who saw it.
void ApiCall::answer(Function send) {
  environment_->store.when_durable([self = shared_from_this(), send = std::move(send)]() mutable {
    self->exchange_->post(
        [send = std::move(send), item = Backlog::Item(self->environment_->backlog)]() mutable { send(); });
  });
}

void ApiCall::succeed(model::Object output) {
  // In a turn of the control thread's on this one nobody need be woken, unless the disk is waited for.
  if (in_turn_ && environment_->store.durability() == Durability::process_death)
    output_.emplace(std::move(output));
  else
    answer([self = shared_from_this(), output = std::move(output)]() mutable { self->send_output(std::move(output)); });
}

void ApiCall::send_output(model::Object output) {
  protocols::WireReply reply;
  try {
    reply = protocols::encode(*service_->model, *operation_, protocol_, output.get(), context_.request_id);
  } catch (const std::exception& failure) {
    return fail_unexpected(failure.what());
  }
  if (form_ != nullptr) word_form_answer(reply);
  std::string first;
  if (reply.events != nullptr) first = protocols::initial_response(*operation_, protocol_, output.get());
  audit(std::move(output), nullptr);
  if (reply.events != nullptr) return send_events(std::move(reply), std::move(first));
  send(std::move(reply), false);
}

namespace {

constexpr std::size_t kMostWaiting = 8 << 20;  // bytes of events that a client has not taken

// Turns events into messages for the connection. Control thread.
class MessageWriter final : public EventWriter {
 public:
  MessageWriter(const model::Service& service, const model::Type& events, protocols::Protocol protocol,
                std::shared_ptr<ByteQueue> bytes)
      : service_(service), events_(events), protocol_(protocol), bytes_(std::move(bytes)) {}
  MessageWriter(const MessageWriter&) = delete;
  MessageWriter& operator=(const MessageWriter&) = delete;
  ~MessageWriter() override { bytes_->end(); }

  void send(const void* event) override { bytes_->write(protocols::encode_event(service_, events_, protocol_, event)); }
  void fail(const AwsError& error) override {
    bytes_->write(protocols::encode_event_error(events_, protocol_, error));
    bytes_->end();
  }
  void end() override { bytes_->end(); }
  bool gone() const override { return bytes_->closed(); }
  void on_gone(std::function<void()> then) override { bytes_->on_close(std::move(then)); }

 private:
  const model::Service& service_;
  const model::Type& events_;
  protocols::Protocol protocol_;
  std::shared_ptr<ByteQueue> bytes_;  // shared with the connection
};

}  // namespace

// The head goes out at once, the events as they come.
void ApiCall::send_events(protocols::WireReply reply, std::string first) {
  const auto bytes = std::make_shared<ByteQueue>(kMostWaiting);
  if (!first.empty()) bytes->write(first);
  const std::shared_ptr<EventSource> source = std::exchange(reply.events, nullptr);
  const model::Type& events = *protocols::event_stream_of(*operation_)->type->element.type;
  auto writer = std::make_shared<MessageWriter>(*service_->model, events, protocol_, bytes);
  send(std::move(reply), false, bytes);
  environment_->control.post([source, writer = std::move(writer)]() mutable { source->start(std::move(writer)); });
}

void ApiCall::fail(AwsError error) {
  answer([self = shared_from_this(), error = std::move(error)] {
    // Of services that are not served nothing is modelled: their errors have no shapes.
    static const model::Service kUnknown{.json_version = "1.1"};
    const model::Service& service = self->service_ != nullptr ? *self->service_->model : kUnknown;
    protocols::WireReply reply = protocols::encode_error(service, self->operation_, self->protocol_, error,
                                                         self->context_.request_id, self->exchange_->head().method);
    self->audit(std::nullopt, &error);
    self->send(std::move(reply), true);
  });
}

void ApiCall::fail_unexpected(std::string_view what) {
  log::error("front", "Request " + context_.request_id + " (" + service_name_ + ":" + operation_name_ +
                          ") failed: " + std::string(what));
  fail(internal_failure(style_));
}

void ApiCall::send(protocols::WireReply reply, bool failed, std::shared_ptr<ByteQueue> stream) {
  if (operation_ != nullptr)
    environment_->statistics.count_call(
        service_name_ + ":" + operation_name_,
        static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started_).count()),
        failed);
  for (const auto& header : reply_headers_) reply.headers.push_back(header);
  HttpReply answer{.status = reply.status, .headers = std::move(reply.headers), .body = std::move(reply.body)};
  if (stream != nullptr)
    exchange_->reply_stream(std::move(answer), std::move(stream));
  else
    exchange_->reply(std::move(answer));
}

void ApiCall::audit(std::optional<model::Object> output, const AwsError* error) {
  AuditRecord record{.service = service_ != nullptr ? service_->model : nullptr,
                     .operation = operation_,
                     .service_name = service_name_,
                     .operation_name = operation_name_,
                     .context = std::move(context_),
                     .input = std::move(input_),
                     .output = std::move(output),
                     .error_code = {},
                     .error_message = {},
                     .resource_account = std::move(resource_account_)};
  if (error != nullptr) {
    record.error_code = error->code;
    record.error_message = error->message;
  }
  environment_->audit.put(std::move(record));
}

}  // namespace brume::front
