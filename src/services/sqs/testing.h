// A world for SQS's unit tests: handlers called as the dispatcher calls them, without threads. Tests only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/testing.h"
#include "services/sqs/sqs.h"

namespace brume::sqs {

struct World {
  World() { open(); }

  // As a new process would: everything in memory is gone.
  void open() {
    reopen_without_running();
    runtime->run();
  }
  void reopen_without_running() {
    sqs.reset();
    auto next = std::make_unique<ManualRuntime>();
    if (runtime != nullptr) next->clock.set(runtime->clock.now());
    runtime = std::move(next);
    sqs.emplace(SqsNeeds{*store, runtime->clock, *random, runtime->control, runtime->workers, nullptr});
    sqs->start();
  }

  RequestContext context() const {
    RequestContext context;
    context.scope = {account, "eu-west-1"};
    context.principal.kind = Principal::Kind::root;
    context.principal.account = context.principal.id = account;
    context.now = runtime->clock.now();
    context.endpoint = "https://sqs.eu-west-1.amazonaws.com";
    return context;
  }

  template <class Output, class Input>
  Output operator()(Output (*handler)(Sqs&, Tx&, const Request<Input>&), const Input& input) {
    Tx tx(*store);
    Output output = handler(*sqs, tx, Request<Input>(context(), input));
    tx.commit();
    runtime->run();
    return output;
  }

  std::string create(const std::string& name, const std::map<std::string, std::string>& attributes = {}) {
    CreateQueueInput input;
    input.queue_name = name;
    if (!attributes.empty()) input.attributes = attributes;
    return (*this)(create_queue, input).queue_url.get();
  }
  std::string create_fifo(const std::string& name, std::map<std::string, std::string> attributes = {}) {
    attributes["FifoQueue"] = "true";
    return create(name, attributes);
  }
  std::string attribute(const std::string& url, const std::string& name) {
    GetQueueAttributesInput input;
    input.queue_url = url;
    input.attribute_names = std::vector{name};
    const GetQueueAttributesOutput output = (*this)(get_queue_attributes, input);
    const auto found = output.attributes.get().find(name);
    return found == output.attributes.get().end() ? "" : found->second;
  }
  std::string arn(const std::string& url) { return attribute(url, "QueueArn"); }
  // "READY/IN FLIGHT/DELAYED"
  std::string counts(const std::string& url) {
    return attribute(url, "ApproximateNumberOfMessages") + "/" +
           attribute(url, "ApproximateNumberOfMessagesNotVisible") + "/" +
           attribute(url, "ApproximateNumberOfMessagesDelayed");
  }
  void set(const std::string& url, const std::string& name, const std::string& value) {
    SetQueueAttributesInput input;
    input.queue_url = url;
    input.attributes.ensure()[name] = value;
    (*this)(set_queue_attributes, input);
  }

  static SendMessageInput sending(const std::string& url, const std::string& body, const std::string& group = {},
                                  const std::string& deduplication = {}) {
    SendMessageInput input;
    input.queue_url = url;
    input.message_body = body;
    if (!group.empty()) input.message_group_id = group;
    if (!deduplication.empty()) input.message_deduplication_id = deduplication;
    return input;
  }
  SendMessageOutput send(const std::string& url, const std::string& body, const std::string& group = {},
                         const std::string& deduplication = {}) {
    return (*this)(send_message, sending(url, body, group, deduplication));
  }

  static ReceiveMessageInput receiving(const std::string& url, std::int64_t most = 10, std::int64_t wait = 0) {
    ReceiveMessageInput input;
    input.queue_url = url;
    input.max_number_of_messages = most;
    input.wait_time_seconds = wait;
    input.message_system_attribute_names = std::vector<std::string>{"All"};
    input.message_attribute_names = std::vector<std::string>{"All"};
    return input;
  }
  struct Answer {
    std::optional<ReceiveMessageOutput> output;
    std::optional<AwsError> error;
  };
  // The answer is filled in when it comes.
  std::shared_ptr<Answer> ask(const ReceiveMessageInput& input) {
    auto answer = std::make_shared<Answer>();
    Tx tx(*store);
    receive_message(
        *sqs, tx, Request<ReceiveMessageInput>(context(), input),
        Deferred<ReceiveMessageOutput>([answer](ReceiveMessageOutput output) { answer->output = std::move(output); },
                                       [answer](const AwsError& error) { answer->error = error; }));
    tx.commit();
    runtime->run();
    return answer;
  }
  std::vector<Message> receive(const ReceiveMessageInput& input) { return ask(input)->output->messages.get(); }
  std::vector<Message> receive(const std::string& url, std::int64_t most = 10) { return receive(receiving(url, most)); }
  std::string bodies(const std::string& url, std::int64_t most = 10) {
    std::string text;
    for (const Message& message : receive(url, most)) text += (text.empty() ? "" : " ") + message.body.get();
    return text;
  }
  void erase(const std::string& url, const std::string& handle) {
    DeleteMessageInput input;
    input.queue_url = url;
    input.receipt_handle = handle;
    (*this)(delete_message, input);
  }
  void change(const std::string& url, const std::string& handle, std::int64_t timeout) {
    ChangeMessageVisibilityInput input;
    input.queue_url = url;
    input.receipt_handle = handle;
    input.visibility_timeout = timeout;
    (*this)(change_message_visibility, input);
  }

  std::string account = "000000000000";
  std::unique_ptr<ManualRuntime> runtime;
  std::unique_ptr<Store> store = memory_store();
  std::unique_ptr<Random> random = seeded_random(1);
  std::optional<Sqs> sqs;
};

// The wire code of the error that `act` throws, as query-compatible clients see it; "none" when it throws none.
template <class Act>
std::string error_code(const Act& act) {
  try {
    act();
  } catch (const AwsError& error) {
    return error.query_code.empty() ? error.code : error.query_code;
  }
  return "none";
}

}  // namespace brume::sqs
