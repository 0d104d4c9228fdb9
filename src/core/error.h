// Errors. AwsError ends a request and is serialized by the dispatcher; PlaneError is a plane's and is caught by
// reconcilers; BRUME_CHECK is for programmer errors and aborts, in release builds too.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brume {

class AwsError : public std::exception {
 public:
  // `code` is the error's code on the wire ("InvalidVpcID.NotFound"), `status` its HTTP status.
  AwsError(std::string code, std::string message, int status = 400)
      : code(std::move(code)), message(std::move(message)), status(status) {}
  const char* what() const noexcept override { return message.c_str(); }

  // A modelled error's further member, by its wire name ("BucketName").
  AwsError& with(std::string name, std::string value) {
    members.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  // A header of the error's answer.
  AwsError& with_header(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }

  std::string code;
  std::string message;
  int status;
  // The code that query-compatible JSON services put into x-amzn-query-error, where it differs.
  std::string query_code;
  std::vector<std::pair<std::string, std::string>> members;
  std::vector<std::pair<std::string, std::string>> headers;
};

class PlaneError : public std::exception {
 public:
  enum class Kind { not_found, transient, permanent };
  PlaneError(Kind kind, std::string message) : kind(kind), message(std::move(message)) {}
  const char* what() const noexcept override { return message.c_str(); }

  Kind kind;
  std::string message;
};

[[noreturn]] void check_failed(const char* expression, const char* file, int line);
// Throws PlaneError{transient} with "what: strerror(errno)".
[[noreturn]] void throw_errno(std::string_view what);

}  // namespace brume

#define BRUME_CHECK(expression) \
  ((expression) ? static_cast<void>(0) : ::brume::check_failed(#expression, __FILE__, __LINE__))
