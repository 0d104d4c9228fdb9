// The registry: Docker Registry HTTP API V2 / OCI distribution, as ECR serves it. Basic authentication with the token
// of GetAuthorizationToken; every step asks for its IAM action.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "services/ecr/ecr.h"

namespace brume::ecr {

class Registry final : public HttpHandler {
 public:
  explicit Registry(Ecr& ecr) : ecr_(ecr) {}
  void handle(HttpRequest request, std::function<void(HttpReply)> done) override;
  std::uint64_t largest_body(std::string_view method, std::string_view path) const override;
  std::optional<HttpReply> refuse(const HttpRequest& request) override;

 private:
  struct Call;
  struct Upload {
    Scope scope;
    std::string repository;
    std::vector<Body> chunks;  // received in order
    std::uint64_t size = 0;
    Time touched;
  };
  using Done = std::function<void(HttpReply)>;

  Call open(HttpRequest request) const;  // finds the scope, authenticates, splits the path
  void serve(Call& call, const Done& done);
  void require(const Call& call, const std::string& action) const;
  void blobs(Call& call, const Done& done);
  std::map<std::string, Upload>::iterator get_upload(const Call& call);
  void uploads(Call& call, const Done& done);
  void start_upload(Call& call, const Done& done);
  bool mount(const Call& call);
  void continue_upload(Call& call, const Done& done);
  void finish_upload(Call& call, const Done& done);
  void finish_chunks(Upload upload, const std::string& digest, const Done& done);
  void store_blob(const Scope& scope, const std::string& repository, const std::string& digest, Body body,
                  const Done& done);
  void manifests(Call& call, const Done& done);
  void put_manifest_request(Call& call, const Done& done);
  void tags(Call& call, const Done& done);
  void drop_stale_uploads();

  Ecr& ecr_;
  // In memory: an upload that the daemon's end interrupts is begun again by every client.
  std::map<std::string, Upload> uploads_;
};

}  // namespace brume::ecr
