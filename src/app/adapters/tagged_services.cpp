#include "app/adapters/tagged_services.h"

#include "core/scope.h"
#include "gen/cloudtrail.h"
#include "gen/dynamodb.h"
#include "gen/ec2.h"
#include "gen/ecr.h"
#include "gen/ecs.h"
#include "gen/elbv2.h"
#include "gen/iam.h"
#include "gen/logs.h"
#include "gen/s3.h"
#include "gen/sqs.h"
#include "services/cloudtrail/cloudtrail.h"
#include "services/dynamodb/dynamodb.h"
#include "services/ec2/ec2.h"
#include "services/ec2/ids.h"
#include "services/ecr/ecr.h"
#include "services/ecs/ecs.h"
#include "services/elbv2/arns.h"
#include "services/elbv2/elbv2.h"
#include "services/iam/iam.h"
#include "services/logs/logs.h"
#include "services/s3/s3.h"
#include "services/sqs/sqs.h"

namespace brume::app {
namespace {

using resourcegroupstaggingapi::TaggedService;
using Keys = std::vector<std::string>;

// What is the same for all: the caller's permission for the service's own operation.
class Adapter : public TaggedService {
 public:
  explicit Adapter(const Authorizer& authorizer) : authorizer_(authorizer) {}

 protected:
  void allow(const RequestContext& context, const std::string& action, const std::string& arn, const Tags& tags) const {
    Ask ask{.action = action, .resource = arn, .keys = {}};
    for (const auto& [key, value] : tags) {
      ask.keys.emplace("aws:RequestTag/" + key, value);
      ask.keys.emplace("aws:TagKeys", key);
    }
    check(context, ask);
  }
  void allow(const RequestContext& context, const std::string& action, const std::string& arn, const Keys& keys) const {
    Ask ask{.action = action, .resource = arn, .keys = {}};
    for (const std::string& key : keys) ask.keys.emplace("aws:TagKeys", key);
    check(context, ask);
  }

 private:
  void check(const RequestContext& context, const Ask& ask) const {
    const Verdict verdict = authorizer_.authorize(context, ask);
    if (!verdict.allowed) throw AwsError("AccessDeniedException", denial_message(context.principal, ask, verdict), 403);
  }
  const Authorizer& authorizer_;
};

// A list of keys in the form of a service's list of tags.
template <class Tag>
std::vector<Tag> tags_of_keys(const Keys& keys) {
  std::vector<Tag> list;
  for (const std::string& key : keys) list.emplace_back().key = key;
  return list;
}

class Ec2Tags final : public Adapter {
 public:
  Ec2Tags(ec2::Ec2& ec2, const Authorizer& authorizer) : Adapter(authorizer), ec2_(ec2) {}

  void each(const Scope& scope, const Visit& visit) const override {
    const auto all = [&](const auto& table) {
      table.for_each(scope, [&](const auto& record) { visit(arn_of(scope, record.id), record.tags); });
    };
    all(ec2_.vpcs), all(ec2_.subnets), all(ec2_.route_tables), all(ec2_.internet_gateways), all(ec2_.addresses);
    all(ec2_.nat_gateways), all(ec2_.groups), all(ec2_.group_rules), all(ec2_.interfaces), all(ec2_.acls);
    all(ec2_.prefix_lists), all(ec2_.endpoints), all(ec2_.flow_logs);
    ec2_.regions.for_each(
        scope, [&](const ec2::RegionRecord& region) { visit(arn_of(scope, region.dhcp_options), region.dhcp_tags); });
  }
  void put(Tx& tx, const RequestContext& context, const std::string& arn, const Tags& tags) override {
    allow(context, "ec2:CreateTags", arn, tags);
    ec2::CreateTagsInput input;
    input.resources = std::vector{id_in(arn)};
    input.tags = tags_to<ec2::Tag>(tags);
    ec2::create_tags(ec2_, tx, {context, input});
  }
  void remove(Tx& tx, const RequestContext& context, const std::string& arn, const Keys& keys) override {
    allow(context, "ec2:DeleteTags", arn, keys);
    ec2::DeleteTagsInput input;
    input.resources = std::vector{id_in(arn)};
    input.tags = tags_of_keys<ec2::Tag>(keys);
    ec2::delete_tags(ec2_, tx, {context, input});
  }

 private:
  static std::string arn_of(const Scope& scope, const std::string& id) {
    return make_arn(scope, "ec2", std::string(ec2::resource_type_of(id)) + "/" + id);
  }
  static std::string id_in(const std::string& arn) { return arn.substr(arn.rfind('/') + 1); }
  ec2::Ec2& ec2_;
};

class Elbv2Tags final : public Adapter {
 public:
  Elbv2Tags(elbv2::Elbv2& elbv2, const Authorizer& authorizer) : Adapter(authorizer), elbv2_(elbv2) {}

  void each(const Scope& scope, const Visit& visit) const override {
    const auto all = [&](const auto& table, elbv2::Resource resource) {
      table.for_each(scope,
                     [&](const auto& record) { visit(elbv2::arn_of(scope, resource, record.key), record.tags); });
    };
    all(elbv2_.balancers, elbv2::Resource::load_balancer);
    all(elbv2_.target_groups, elbv2::Resource::target_group);
    all(elbv2_.listeners, elbv2::Resource::listener);
    all(elbv2_.rules, elbv2::Resource::rule);
  }
  void put(Tx& tx, const RequestContext& context, const std::string& arn, const Tags& tags) override {
    allow(context, "elasticloadbalancing:AddTags", arn, tags);
    elbv2::AddTagsInput input;
    input.resource_arns = std::vector{arn};
    input.tags = tags_to<elbv2::Tag>(tags);
    elbv2::add_tags(elbv2_, tx, {context, input});
  }
  void remove(Tx& tx, const RequestContext& context, const std::string& arn, const Keys& keys) override {
    allow(context, "elasticloadbalancing:RemoveTags", arn, keys);
    elbv2::RemoveTagsInput input;
    input.resource_arns = std::vector{arn};
    input.tag_keys = keys;
    elbv2::remove_tags(elbv2_, tx, {context, input});
  }

 private:
  elbv2::Elbv2& elbv2_;
};

class EcsTags final : public Adapter {
 public:
  EcsTags(ecs::Ecs& ecs, const Authorizer& authorizer) : Adapter(authorizer), ecs_(ecs) {}

  void each(const Scope& scope, const Visit& visit) const override {
    ecs_.clusters.for_each(scope, [&](const ecs::ClusterRecord& cluster) {
      if (cluster.status == "ACTIVE") visit(ecs::cluster_arn(scope, cluster.name), cluster.tags);
    });
    ecs_.services.for_each(scope, [&](const ecs::ServiceRecord& service) {
      if (service.status == "ACTIVE") visit(ecs::service_arn(scope, service.cluster, service.name), service.tags);
    });
    ecs_.tasks.for_each(scope, [&](const ecs::TaskRecord& task) {
      if (task.last_status != "STOPPED") visit(ecs::task_arn(scope, task.cluster, task.id), task.tags);
    });
    ecs_.definitions.for_each(scope, [&](const ecs::TaskDefinitionRecord& record) {
      const ecs::TaskDefinition& definition = record.definition;
      visit(ecs::definition_arn(scope, definition.family.get(), definition.revision.get()), record.tags);
    });
  }
  void put(Tx& tx, const RequestContext& context, const std::string& arn, const Tags& tags) override {
    allow(context, "ecs:TagResource", arn, tags);
    ecs::TagResourceInput input;
    input.resource_arn = arn;
    input.tags = tags_to<ecs::Tag>(tags);
    ecs::tag_resource(ecs_, tx, {context, input});
  }
  void remove(Tx& tx, const RequestContext& context, const std::string& arn, const Keys& keys) override {
    allow(context, "ecs:UntagResource", arn, keys);
    ecs::UntagResourceInput input;
    input.resource_arn = arn;
    input.tag_keys = keys;
    ecs::untag_resource(ecs_, tx, {context, input});
  }

 private:
  ecs::Ecs& ecs_;
};

class EcrTags final : public Adapter {
 public:
  EcrTags(ecr::Ecr& ecr, const Authorizer& authorizer) : Adapter(authorizer), ecr_(ecr) {}

  void each(const Scope& scope, const Visit& visit) const override {
    ecr_.repositories.for_each(scope, [&](const ecr::RepositoryRecord& repository) {
      visit(ecr::repository_arn(scope, repository.name), repository.tags);
    });
  }
  void put(Tx& tx, const RequestContext& context, const std::string& arn, const Tags& tags) override {
    allow(context, "ecr:TagResource", arn, tags);
    ecr::TagResourceInput input;
    input.resource_arn = arn;
    input.tags = tags_to<ecr::Tag>(tags);
    ecr::tag_resource(ecr_, tx, {context, input});
  }
  void remove(Tx& tx, const RequestContext& context, const std::string& arn, const Keys& keys) override {
    allow(context, "ecr:UntagResource", arn, keys);
    ecr::UntagResourceInput input;
    input.resource_arn = arn;
    input.tag_keys = keys;
    ecr::untag_resource(ecr_, tx, {context, input});
  }

 private:
  ecr::Ecr& ecr_;
};

class LogsTags final : public Adapter {
 public:
  LogsTags(logs::Logs& logs, const Authorizer& authorizer) : Adapter(authorizer), logs_(logs) {}

  void each(const Scope& scope, const Visit& visit) const override {
    logs_.groups.for_each(
        scope, [&](const logs::GroupRecord& group) { visit(logs::group_arn(scope, group.name), group.tags); });
  }
  void put(Tx& tx, const RequestContext& context, const std::string& arn, const Tags& tags) override {
    allow(context, "logs:TagResource", arn, tags);
    logs::TagResourceInput input;
    input.resource_arn = arn;
    input.tags = tags;
    logs::tag_resource(logs_, tx, {context, input});
  }
  void remove(Tx& tx, const RequestContext& context, const std::string& arn, const Keys& keys) override {
    allow(context, "logs:UntagResource", arn, keys);
    logs::UntagResourceInput input;
    input.resource_arn = arn;
    input.tag_keys = keys;
    logs::untag_resource(logs_, tx, {context, input});
  }

 private:
  logs::Logs& logs_;
};

class DynamodbTags final : public Adapter {
 public:
  DynamodbTags(dynamodb::Dynamodb& dynamodb, const Authorizer& authorizer) : Adapter(authorizer), dynamodb_(dynamodb) {}

  void each(const Scope& scope, const Visit& visit) const override {
    dynamodb_.tables.for_each(
        scope, [&](const dynamodb::TableRecord& table) { visit(dynamodb::table_arn(scope, table.name), table.tags); });
  }
  void put(Tx& tx, const RequestContext& context, const std::string& arn, const Tags& tags) override {
    allow(context, "dynamodb:TagResource", arn, tags);
    dynamodb::TagResourceInput input;
    input.resource_arn = arn;
    input.tags = tags_to<dynamodb::Tag>(tags);
    dynamodb::tag_resource(dynamodb_, tx, {context, input});
  }
  void remove(Tx& tx, const RequestContext& context, const std::string& arn, const Keys& keys) override {
    allow(context, "dynamodb:UntagResource", arn, keys);
    dynamodb::UntagResourceInput input;
    input.resource_arn = arn;
    input.tag_keys = keys;
    dynamodb::untag_resource(dynamodb_, tx, {context, input});
  }

 private:
  dynamodb::Dynamodb& dynamodb_;
};

class SqsTags final : public Adapter {
 public:
  SqsTags(sqs::Sqs& sqs, const Authorizer& authorizer) : Adapter(authorizer), sqs_(sqs) {}

  void each(const Scope& scope, const Visit& visit) const override {
    sqs_.queues.for_each(scope,
                         [&](const sqs::QueueRecord& queue) { visit(sqs::Queue{scope, queue}.arn(), queue.tags); });
  }
  void put(Tx& tx, const RequestContext& context, const std::string& arn, const Tags& tags) override {
    allow(context, "sqs:TagQueue", arn, tags);
    sqs::TagQueueInput input;
    input.queue_url = url_of(arn);
    input.tags = tags;
    sqs::tag_queue(sqs_, tx, {context, input});
  }
  void remove(Tx& tx, const RequestContext& context, const std::string& arn, const Keys& keys) override {
    allow(context, "sqs:UntagQueue", arn, keys);
    sqs::UntagQueueInput input;
    input.queue_url = url_of(arn);
    input.tag_keys = keys;
    sqs::untag_queue(sqs_, tx, {context, input});
  }

 private:
  static std::string url_of(const std::string& arn) {
    const Arn parsed = *parse_arn(arn);
    return "/" + parsed.account + "/" + parsed.resource;
  }
  sqs::Sqs& sqs_;
};

class CloudtrailTags final : public Adapter {
 public:
  CloudtrailTags(cloudtrail::Cloudtrail& cloudtrail, const Authorizer& authorizer)
      : Adapter(authorizer), cloudtrail_(cloudtrail) {}

  void each(const Scope& scope, const Visit& visit) const override {
    cloudtrail_.trails.for_each(scope, [&](const cloudtrail::TrailRecord& trail) { visit(trail.arn, trail.tags); });
  }
  void put(Tx& tx, const RequestContext& context, const std::string& arn, const Tags& tags) override {
    allow(context, "cloudtrail:AddTags", arn, tags);
    cloudtrail::AddTagsInput input;
    input.resource_id = arn;
    input.tags_list = tags_to<cloudtrail::Tag>(tags);
    cloudtrail::add_tags(cloudtrail_, tx, {context, input});
  }
  void remove(Tx& tx, const RequestContext& context, const std::string& arn, const Keys& keys) override {
    allow(context, "cloudtrail:RemoveTags", arn, keys);
    cloudtrail::RemoveTagsInput input;
    input.resource_id = arn;
    input.tags_list = tags_of_keys<cloudtrail::Tag>(keys);
    cloudtrail::remove_tags(cloudtrail_, tx, {context, input});
  }

 private:
  cloudtrail::Cloudtrail& cloudtrail_;
};

// Buckets: their tags are put all together ("PutBucketTagging").
class S3Tags final : public Adapter {
 public:
  S3Tags(s3::S3& s3, const Authorizer& authorizer) : Adapter(authorizer), s3_(s3) {}

  void each(const Scope& scope, const Visit& visit) const override {
    s3_.for_each_bucket([&](const s3::BucketRecord& bucket) {
      if (bucket.account == scope.account && bucket.region == scope.region)
        visit("arn:" + std::string(partition_of(scope.region)) + ":s3:::" + bucket.name, bucket.tags);
    });
  }
  void put(Tx& tx, const RequestContext& context, const std::string& arn, const Tags& tags) override {
    allow(context, "s3:PutBucketTagging", arn, tags);
    Tags all = get(context, arn).tags;
    for (const auto& [key, value] : tags) all[key] = value;
    set(tx, context, arn, all);
  }
  void remove(Tx& tx, const RequestContext& context, const std::string& arn, const Keys& keys) override {
    allow(context, "s3:PutBucketTagging", arn, keys);
    Tags all = get(context, arn).tags;
    for (const std::string& key : keys) all.erase(key);
    set(tx, context, arn, all);
  }

 private:
  static std::string name_in(const std::string& arn) { return arn.substr(arn.rfind(':') + 1); }
  const s3::BucketRecord& get(const RequestContext& context, const std::string& arn) const {
    const s3::BucketRecord* bucket = s3_.find_bucket(name_in(arn));
    if (bucket == nullptr || bucket->account != context.scope.account || bucket->region != context.scope.region)
      throw AwsError("NoSuchBucket", "The specified bucket does not exist", 404);
    return *bucket;
  }
  void set(Tx& tx, const RequestContext& context, const std::string& arn, const Tags& tags) {
    if (tags.empty()) {
      s3::DeleteBucketTaggingInput input;
      input.bucket = name_in(arn);
      s3::delete_bucket_tagging(s3_, tx, {context, input});
      return;
    }
    s3::PutBucketTaggingInput input;
    input.bucket = name_in(arn);
    input.tagging.ensure().tag_set = tags_to<s3::Tag>(tags);
    s3::put_bucket_tagging(s3_, tx, {context, input});
  }
  s3::S3& s3_;
};

// "Services that you can use with the Resource Groups Tagging API": of IAM's resources neither users nor roles.
class IamTags final : public Adapter {
 public:
  IamTags(iam::Iam& iam, const Authorizer& authorizer) : Adapter(authorizer), iam_(iam) {}

  void each(const Scope& scope, const Visit& visit) const override {
    if (scope.region != "us-east-1") return;
    const Scope all = iam::global(scope.account);
    iam_.policies.for_each(all, [&](const iam::PolicyRecord& record) { visit(record.arn, record.tags); });
    iam_.profiles.for_each(all, [&](const iam::ProfileRecord& record) { visit(record.arn, record.tags); });
    iam_.providers.for_each(all, [&](const iam::ProviderRecord& record) { visit(record.arn, record.tags); });
    iam_.devices.for_each(all, [&](const iam::DeviceRecord& record) { visit(record.serial, record.tags); });
  }
  void put(Tx& tx, const RequestContext& context, const std::string& arn, const Tags& tags) override {
    const auto list = tags_to<iam::Tag>(tags);
    const std::string resource = resource_in(context, arn);
    if (resource.starts_with("policy/")) {
      allow(context, "iam:TagPolicy", arn, tags);
      iam::tag_policy(iam_, tx, {context, {.policy_arn = arn, .tags = list}});
    } else if (resource.starts_with("instance-profile/")) {
      allow(context, "iam:TagInstanceProfile", arn, tags);
      iam::tag_instance_profile(iam_, tx, {context, {.instance_profile_name = last(resource), .tags = list}});
    } else if (resource.starts_with("oidc-provider/")) {
      allow(context, "iam:TagOpenIDConnectProvider", arn, tags);
      iam::tag_open_id_connect_provider(iam_, tx, {context, {.open_id_connect_provider_arn = arn, .tags = list}});
    } else if (resource.starts_with("mfa/")) {
      allow(context, "iam:TagMFADevice", arn, tags);
      iam::tag_mfa_device(iam_, tx, {context, {.serial_number = arn, .tags = list}});
    } else {
      refuse(arn);
    }
  }
  void remove(Tx& tx, const RequestContext& context, const std::string& arn, const Keys& keys) override {
    const std::string resource = resource_in(context, arn);
    if (resource.starts_with("policy/")) {
      allow(context, "iam:UntagPolicy", arn, keys);
      iam::untag_policy(iam_, tx, {context, {.policy_arn = arn, .tag_keys = keys}});
    } else if (resource.starts_with("instance-profile/")) {
      allow(context, "iam:UntagInstanceProfile", arn, keys);
      iam::untag_instance_profile(iam_, tx, {context, {.instance_profile_name = last(resource), .tag_keys = keys}});
    } else if (resource.starts_with("oidc-provider/")) {
      allow(context, "iam:UntagOpenIDConnectProvider", arn, keys);
      iam::untag_open_id_connect_provider(iam_, tx, {context, {.open_id_connect_provider_arn = arn, .tag_keys = keys}});
    } else if (resource.starts_with("mfa/")) {
      allow(context, "iam:UntagMFADevice", arn, keys);
      iam::untag_mfa_device(iam_, tx, {context, {.serial_number = arn, .tag_keys = keys}});
    } else {
      refuse(arn);
    }
  }

 private:
  [[noreturn]] static void refuse(const std::string& arn) {
    throw AwsError("InvalidParameterException", "The resource type of " + arn + " is not supported.");
  }
  static std::string resource_in(const RequestContext& context, const std::string& arn) {
    // "IAM resources … are in US East (N. Virginia)."
    if (context.scope.region != "us-east-1")
      throw AwsError("InvalidParameterException", "IAM resources are tagged in us-east-1.");
    return parse_arn(arn)->resource;
  }
  static std::string last(const std::string& resource) { return resource.substr(resource.rfind('/') + 1); }
  iam::Iam& iam_;
};

}  // namespace

AllTaggedServices::AllTaggedServices(const Services& services, const Authorizer& authorizer) {
  const auto add = [this](const std::string& name, std::unique_ptr<TaggedService> service) {
    by_name_[name] = service.get();
    owned_.push_back(std::move(service));
  };
  add("ec2", std::make_unique<Ec2Tags>(services.ec2, authorizer));
  add("elasticloadbalancing", std::make_unique<Elbv2Tags>(services.elbv2, authorizer));
  add("ecs", std::make_unique<EcsTags>(services.ecs, authorizer));
  add("ecr", std::make_unique<EcrTags>(services.ecr, authorizer));
  add("logs", std::make_unique<LogsTags>(services.logs, authorizer));
  add("s3", std::make_unique<S3Tags>(services.s3, authorizer));
  add("dynamodb", std::make_unique<DynamodbTags>(services.dynamodb, authorizer));
  add("iam", std::make_unique<IamTags>(services.iam, authorizer));
  add("sqs", std::make_unique<SqsTags>(services.sqs, authorizer));
  add("cloudtrail", std::make_unique<CloudtrailTags>(services.cloudtrail, authorizer));
}

}  // namespace brume::app
