#include <gtest/gtest.h>

#include "services/iam/testing.h"

namespace brume::iam {
namespace {

TEST(InstanceProfile, HoldsOneRole) {
  IamWorld world;
  const InstanceProfile made =
      *world.call(create_instance_profile, {.instance_profile_name = "web", .path = "/ec2/"}).instance_profile;
  EXPECT_EQ(*made.arn, "arn:aws:iam::111111111111:instance-profile/ec2/web");
  EXPECT_EQ(made.instance_profile_id->substr(0, 4), "AIPA");
  EXPECT_TRUE(made.roles.has_value());
  EXPECT_EQ(world.error(create_instance_profile, {.instance_profile_name = "WEB"}),
            "EntityAlreadyExists: Instance Profile WEB already exists.");
  const Role role = world.make_role("app");
  world.call(add_role_to_instance_profile, {.instance_profile_name = "web", .role_name = "app"});
  EXPECT_EQ(*world.call(get_instance_profile, {.instance_profile_name = "web"}).instance_profile->roles->at(0).arn,
            *role.arn);
  EXPECT_EQ(world.error(add_role_to_instance_profile, {.instance_profile_name = "web", .role_name = "app"}),
            "LimitExceeded: Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
  EXPECT_EQ(world.call(list_instance_profiles_for_role, {.role_name = "app"}).instance_profiles->size(), 1U);
  EXPECT_EQ(world.error(delete_instance_profile, {.instance_profile_name = "web"}),
            "DeleteConflict: Cannot delete entity, must remove roles from instance profile first.");
  world.call(remove_role_from_instance_profile, {.instance_profile_name = "web", .role_name = "app"});
  world.call(delete_instance_profile, {.instance_profile_name = "web"});
  EXPECT_EQ(world.error(get_instance_profile, {.instance_profile_name = "web"}),
            "NoSuchEntity: Instance Profile web cannot be found.");
}

TEST(InstanceProfile, IsListedAndTagged) {
  IamWorld world;
  world.call(create_instance_profile, {.instance_profile_name = "a"});
  world.call(create_instance_profile, {.instance_profile_name = "b", .path = "/x/"});
  EXPECT_EQ(world.call(list_instance_profiles, {}).instance_profiles->size(), 2U);
  EXPECT_EQ(world.call(list_instance_profiles, {.path_prefix = "/x/"}).instance_profiles->size(), 1U);
  world.call(tag_instance_profile,
             {.instance_profile_name = "a", .tags = std::vector<Tag>{{.key = "k", .value = "v"}}});
  EXPECT_EQ(world.call(list_instance_profile_tags, {.instance_profile_name = "a"}).tags->size(), 1U);
  world.call(untag_instance_profile, {.instance_profile_name = "a", .tag_keys = std::vector<std::string>{"k"}});
  EXPECT_EQ(world.call(list_instance_profile_tags, {.instance_profile_name = "a"}).tags->size(), 0U);
}

}  // namespace
}  // namespace brume::iam
