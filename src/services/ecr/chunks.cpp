#include "services/ecr/chunks.h"

#include <fstream>
#include <sstream>

#include "core/digest.h"
#include "core/error.h"

namespace brume::ecr {

Body join_bodies(const std::vector<Body>& chunks, const std::string& path) {
  Body joined;
  joined.spool = std::make_shared<SpoolFile>(path);  // shared: Body's own type
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  Digest digest(DigestKind::sha256);
  std::vector<char> buffer(1 << 18);
  for (const Body& chunk : chunks) {
    if (!chunk.spool) {
      out.write(chunk.bytes.data(), static_cast<std::streamsize>(chunk.bytes.size()));
      digest.update(chunk.bytes);
      continue;
    }
    std::ifstream in(chunk.spool->path(), std::ios::binary);
    while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), in.gcount() > 0) {
      out.write(buffer.data(), in.gcount());
      digest.update({buffer.data(), static_cast<std::size_t>(in.gcount())});
    }
    if (in.bad()) throw PlaneError(PlaneError::Kind::transient, "cannot read " + chunk.spool->path());
  }
  for (const Body& chunk : chunks) joined.size += chunk.size;
  out.close();
  if (!out) throw PlaneError(PlaneError::Kind::transient, "cannot write " + path);
  joined.sha256 = digest.finish();
  return joined;
}

std::string read_body(const Body& body) {
  if (!body.spool) return body.bytes;
  std::ifstream in(body.spool->path(), std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace brume::ecr
