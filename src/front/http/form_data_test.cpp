// Browsers' forms, whole and cut anywhere.
#include "front/http/form_data.h"

#include <gtest/gtest.h>

namespace brume::http {
namespace {

constexpr std::string_view kForm =
    "--XX\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nuser/${filename}\r\n"
    "--XX\r\nContent-Disposition: form-data; name=\"note\"\r\nContent-Type: text/plain\r\n\r\n\r\n"
    "--XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"C:\\pics\\a.jpg\"\r\n\r\n"
    "one\r\n--X and two\r\n\r\n--XX\r\nContent-Disposition: form-data; name=\"late\"\r\n\r\nignored\r\n--XX--\r\n";

struct Result {
  std::string file, error;
  Headers fields;
};

Result read(std::string_view form, std::size_t cut, std::string boundary = "XX", bool refuse = false) {
  Result result;
  FormDecoder decoder({.boundary = std::move(boundary), .check = [&](const Headers&) -> std::optional<AwsError> {
                         return refuse ? std::optional(AwsError("AccessDenied", "")) : std::nullopt;
                       }});
  std::optional<AwsError> failed = decoder.feed(form.substr(0, cut), result.file);
  if (!failed) failed = decoder.feed(form.substr(cut), result.file);
  if (!failed) failed = decoder.finish();
  if (failed) result.error = failed->code;
  result.fields = decoder.fields();
  return result;
}

TEST(FormData, IsReadTheSameWhereverItIsCut) {
  const Headers fields = {{"key", "user/${filename}"}, {"note", ""}, {"file", "a.jpg"}};
  for (std::size_t cut = 0; cut <= kForm.size(); ++cut) {
    const Result result = read(kForm, cut);
    EXPECT_EQ(result.error, "") << cut;
    EXPECT_EQ(result.file, "one\r\n--X and two\r\n") << cut;
    EXPECT_EQ(result.fields, fields) << cut;
  }
}

TEST(FormData, EveryFormThatIsCutShortIsRefused) {
  for (std::size_t size = 0; size + 4 < kForm.size(); ++size)
    EXPECT_EQ(read(kForm.substr(0, size), size / 2).error, "MalformedPOSTRequest") << size;
}

TEST(FormData, NothingOfTheFileIsTakenAfterARefusal) {
  const Result result = read(kForm, 10, "XX", true);
  EXPECT_EQ(result.error, "AccessDenied");
  EXPECT_EQ(result.file, "");
}

TEST(FormData, LimitsAndOddities) {
  EXPECT_EQ(
      read("--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n" + std::string(30000, 'a') + "\r\n--XX--", 9)
          .error,
      "MaxPostPreDataLengthExceeded");
  EXPECT_EQ(read("--XX\r\n" + std::string(9000, 'a'), 9).error, "MalformedPOSTRequest") << "an endless head";
  EXPECT_EQ(read("--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--XX--", 5).error, "InvalidArgument")
      << "no file";
  EXPECT_EQ(read("--XX\r\nX: y\r\n\r\nb\r\n--XX--", 5).error, "MalformedPOSTRequest") << "a part without a name";
  EXPECT_EQ(read("--XXjunk\r\n", 3).error, "MalformedPOSTRequest");
  EXPECT_EQ(read(kForm, 3, "").error, "MalformedPOSTRequest");
  const std::string part = "--XX\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nb\r\n";
  EXPECT_EQ(read(part + part + "--XX--", 8).error, "InvalidArgument") << "two files";
}

TEST(FormData, SemicolonsWithinQuotesEndNothing) {
  const Result result =
      read("--XX\r\nContent-Disposition: form-data; filename=\"a; name=b\"; name=\"file\"\r\n\r\nx\r\n--XX--", 9);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.fields, (Headers{{"file", "a; name=b"}}));
}

TEST(FormData, BoundariesOfContentTypes) {
  EXPECT_EQ(form_boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(form_boundary("Multipart/Form-Data; charset=utf-8; boundary=\"a b\""), "a b");
  EXPECT_EQ(form_boundary("multipart/form-data"), "");
  EXPECT_EQ(form_boundary("application/json"), std::nullopt);
}

}  // namespace
}  // namespace brume::http
