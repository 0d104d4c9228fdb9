// What the operations on multipart uploads share. Control thread.
#pragma once

#include <string>

#include "services/s3/requests.h"

namespace brume::s3 {

// Throws NoSuchUpload, also for one that is being completed.
UploadRecord require_upload(const S3& s3, const Tx& tx, const BucketRecord& bucket, const std::string& key,
                            const std::string& upload_id);

}  // namespace brume::s3
