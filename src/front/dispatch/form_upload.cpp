// Browser uploads to S3: a form posted to a bucket, with a policy that its owner signed, is a PutObject ("POST Object",
// Amazon S3 API reference). The policy is judged when the form's fields are there, before the file is received.
#include <set>

#include "core/text.h"
#include "front/dispatch/api_call.h"
#include "front/dispatch/style.h"

namespace brume::front {
namespace {

// Nobody's bytes are kept before the authorizer has agreed, which it is only asked when they are there: of a caller
// without a policy a form may be this large.
constexpr std::uint64_t kMostOfAnonymous = 1 << 20;

// The fields that say something about the object are the headers of a PutObject.
std::string header_of_field(const std::string& lower) {
  if (lower == "acl") return "x-amz-acl";
  for (const char* name :
       {"cache-control", "content-type", "content-disposition", "content-encoding", "content-md5", "expires"})
    if (lower == name) return lower;
  for (const char* name : {"algorithm", "credential", "date", "signature", "security-token"})
    if (lower == "x-amz-" + std::string(name)) return {};
  return lower.starts_with("x-amz-") ? lower : std::string();
}

// Of fields with one name the first counts, as it did for the policy.
Headers object_headers(const Headers& fields, std::uint64_t size) {
  Headers headers = {{"Content-Length", std::to_string(size)}};
  std::set<std::string> seen;
  for (const auto& [name, value] : fields) {
    const std::string lower = to_lower(name);
    if (!seen.insert(lower).second) continue;
    if (lower == "tagging") throw AwsError("NotImplemented", "Brume does not serve the form field tagging.", 501);
    if (std::string header = header_of_field(lower); !header.empty()) headers.emplace_back(std::move(header), value);
  }
  return headers;
}

// "${filename}" stands for the name of the file that the user chose.
std::string object_key(const Headers& fields) {
  std::string key(header_of(fields, "key"));
  constexpr std::string_view kName = "${filename}";
  if (const std::size_t at = key.find(kName); at != std::string::npos)
    key.replace(at, kName.size(), header_of(fields, "file"));
  return key;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

}  // namespace

bool ApiCall::is_form_upload() const {
  const http::RequestHead& head = exchange_->head();
  if (style_ != sigv4::Style::s3 || head.method != "POST" || !head.query.empty()) return false;
  const std::string_view bucket = trim(path_).substr(0, path_.ends_with('/') ? path_.size() - 1 : path_.size());
  return bucket.size() > 1 && bucket.find('/', 1) == std::string_view::npos &&
         http::form_boundary(head.header("content-type")).has_value();
}

void ApiCall::begin_form() {
  operation_ = service_->model->find("PutObject");
  operation_name_ = "PutObject";
  form_ = std::make_shared<FormUpload>();
  form_->bucket = path_.substr(1, path_.ends_with('/') ? path_.size() - 2 : std::string::npos);
  http::FormPlan plan{.boundary = *http::form_boundary(exchange_->head().header("content-type"))};
  // On the thread that receives: credentials may be looked up on any.
  plan.check = [form = form_, announced = exchange_->head().content_length.value_or(UINT64_MAX),
                environment = environment_, region = host_.region,
                now = context_.now](const Headers& fields) -> std::optional<AwsError> {
    auto grant = sigv4::read_post(fields, percent_decode(form->bucket).value_or(form->bucket), region, now,
                                  environment->credentials);
    if (!grant) return grant.error();
    if (grant->principal.kind == Principal::Kind::anonymous && announced > kMostOfAnonymous)
      return AwsError("EntityTooLarge", "A form without a policy may have 1 MiB here.");
    form->grant = *std::move(grant);
    form->fields = fields;
    return std::nullopt;
  };
  using enum DigestKind;
  receive({.limit = environment_->limits.stream_bytes,
           .digests = {md5, sha256, sha1, crc32, crc32c, crc64nvme},
           .form = std::move(plan)},
          &ApiCall::on_form);
}

void ApiCall::on_form() {
  if (auto wrong = sigv4::check_post_size(form_->grant, received_.body.size)) throw *std::move(wrong);
  const std::string key = object_key(form_->fields);
  if (form_->grant.principal.kind != Principal::Kind::anonymous)
    admit(form_->grant.principal, form_->grant.access_key_id);
  payload_ = {.kind = sigv4::Payload::Kind::unsigned_body, .text = "UNSIGNED-PAYLOAD"};
  own_headers_ = object_headers(form_->fields, received_.body.size);
  if (auto wrong = check_body(*operation_, *own_headers_, payload_, received_)) throw *std::move(wrong);
  path_ = "/" + form_->bucket + "/" + percent_encode(key, /*keep_slash=*/true);
  decode();
  to_control(&ApiCall::run);
}

// success_action_redirect and success_action_status: 303, or 200, 201 with a document, else 204.
void ApiCall::word_form_answer(protocols::WireReply& reply) const {
  const std::string etag(header_of(reply.headers, "ETag"));
  const std::string bucket = percent_decode(form_->bucket).value_or(form_->bucket);
  const std::string key = object_key(form_->fields);
  const std::string location = context_.endpoint + path_;
  std::string_view redirect = header_of(form_->fields, "success_action_redirect");
  if (redirect.empty()) redirect = header_of(form_->fields, "redirect");
  const std::string_view status = header_of(form_->fields, "success_action_status");
  reply.body = Body{};
  reply.status = 204;
  if (redirect.starts_with("http://") || redirect.starts_with("https://")) {
    reply.status = 303;
    const char* separator = redirect.find('?') == std::string_view::npos ? "?" : "&";
    reply.headers.emplace_back("Location", std::string(redirect) + separator + "bucket=" + percent_encode(bucket) +
                                               "&key=" + percent_encode(key) + "&etag=" + percent_encode(etag));
    return;
  }
  reply.headers.emplace_back("Location", location);
  if (status == "200") reply.status = 200;
  if (status != "201") return;
  reply.status = 201;
  reply.headers.emplace_back("Content-Type", "application/xml");
  reply.body = Body::of("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>" + escaped(location) +
                        "</Location><Bucket>" + escaped(bucket) + "</Bucket><Key>" + escaped(key) + "</Key><ETag>" +
                        escaped(etag) + "</ETag></PostResponse>");
}

}  // namespace brume::front
