// The front door's own errors in the words of the service that was asked. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "aws/authorization.h"
#include "core/error.h"
#include "core/model.h"
#include "front/sigv4/auth_errors.h"

namespace brume::front {

sigv4::Style style_of(const model::Service& service, model::Protocol protocol);

// The caller may not do this.
AwsError access_denied(sigv4::Style style, const Principal& principal, const Ask& ask, const Verdict& verdict);
// Something failed here; the log has what, under the request id.
AwsError internal_failure(sigv4::Style style);
// The disk is full: nothing was changed. Not one of the statuses that clients retry for an hour.
AwsError disk_full(sigv4::Style style);
// A body over the limit, as the server counted it.
AwsError in_style(sigv4::Style style, AwsError body_error);

}  // namespace brume::front
