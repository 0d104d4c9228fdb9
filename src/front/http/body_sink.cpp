#include "front/http/body_sink.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/log.h"

namespace brume::http {

AwsError body_too_large(std::uint64_t limit) {
  return {
      "EntityTooLarge",
      "Your proposed upload exceeds the maximum allowed size: the body may have " + std::to_string(limit) + " bytes.",
      413};
}

BodySink::BodySink(BodyPlan plan, std::string spool_path) : plan_(std::move(plan)), spool_path_(std::move(spool_path)) {
  for (const DigestKind kind : plan_.digests) digests_.emplace_back(kind, Digest(kind));
  if (plan_.aws_chunked) decoder_.emplace(*std::move(plan_.aws_chunked));
  if (plan_.form) form_.emplace(*std::move(plan_.form));
}

BodySink::~BodySink() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<AwsError> BodySink::consume(std::string_view bytes) {
  if (!decoder_ && !form_) return store(bytes);
  decoded_.clear();
  if (auto failed = decoder_ ? decoder_->feed(bytes, decoded_) : form_->feed(bytes, decoded_)) return failed;
  return store(decoded_);
}

std::optional<AwsError> BodySink::store(std::string_view bytes) {
  Body& body = received_.body;
  if (bytes.size() > plan_.limit - body.size) return body_too_large(plan_.limit);
  for (auto& [kind, digest] : digests_) digest.update(bytes);
  body.size += bytes.size();
  if (fd_ < 0 && body.size <= plan_.memory_limit) {
    body.bytes.append(bytes);
    return std::nullopt;
  }
  return write_file(bytes);
}

std::optional<AwsError> BodySink::write_file(std::string_view bytes) {
  const auto failed = [this] {
    const int reason = errno;  // writing the log changes it
    log::error("front", "The body's spool file " + spool_path_ + " cannot be written: " + std::strerror(reason));
    // Nothing else says that the disk is full, and 503 would be tried again for long.
    if (reason == ENOSPC || reason == EDQUOT)
      return AwsError("InsufficientStorage", "The disk of Brume's state directory is full.", 507);
    return AwsError("ServiceUnavailable", "The body cannot be stored: " + std::string(std::strerror(reason)) + ".",
                    503);
  };
  if (fd_ < 0) {
    fd_ = ::open(spool_path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd_ < 0) return failed();
    // Shared: the handler may hold the body on while the answer is sent.
    received_.body.spool = std::make_shared<SpoolFile>(spool_path_);
    const std::string held = std::exchange(received_.body.bytes, {});
    if (!held.empty())
      if (auto error = write_file(held)) return error;
  }
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed();
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return std::nullopt;
}

std::expected<ReceivedBody, AwsError> BodySink::finish() {
  if (decoder_) {
    if (auto failed = decoder_->finish()) return std::unexpected(*std::move(failed));
    received_.trailers = decoder_->trailers();
  }
  if (form_)
    if (auto failed = form_->finish()) return std::unexpected(*std::move(failed));
  Body& body = received_.body;
  for (auto& [kind, digest] : digests_) {
    switch (kind) {
      case DigestKind::md5:
        body.md5 = digest.finish();
        break;
      case DigestKind::sha1:
        body.sha1 = digest.finish();
        break;
      case DigestKind::sha256:
        body.sha256 = digest.finish();
        break;
      case DigestKind::crc32:
        body.crc32 = digest.finish();
        break;
      case DigestKind::crc32c:
        body.crc32c = digest.finish();
        break;
      case DigestKind::crc64nvme:
        body.crc64nvme = digest.finish();
        break;
    }
  }
  return std::move(received_);
}

}  // namespace brume::http
