// A browser's form (multipart/form-data, RFC 7578) with one file, as S3 takes it: fields first, the file behind them.
// The file's bytes are given on as they come. One request's; one thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "aws/http.h"
#include "core/error.h"

namespace brume::http {

struct FormPlan {
  std::string boundary;
  // Called with the fields when the file begins, on whatever thread receives: an error ends the request before a byte
  // of the file is kept.
  std::function<std::optional<AwsError>(const Headers& fields)> check;
};

class FormDecoder {
 public:
  explicit FormDecoder(FormPlan plan);

  // Appends what there is of the file to `file`. A returned error is final.
  std::optional<AwsError> feed(std::string_view bytes, std::string& file);
  std::optional<AwsError> finish() const;
  // Names as sent, in order. The file is among them, with its name as the value.
  const Headers& fields() const { return fields_; }

 private:
  enum class State { preamble, delimiter, head, field, file, epilogue };
  std::optional<AwsError> step(std::string& file, bool& moved);
  std::optional<AwsError> content(std::string_view text, std::string& file);
  std::optional<AwsError> read_head(std::string_view head);

  FormPlan plan_;
  std::string delimiter_;  // CR LF "--" boundary
  std::string pending_;    // not yet understood
  State state_ = State::preamble;
  Headers fields_;
  std::size_t field_bytes_ = 0;
  bool has_file_ = false;
};

// The boundary of a Content-Type; nullopt: it is no form's.
std::optional<std::string> form_boundary(std::string_view content_type);

}  // namespace brume::http
