// What models/terraform.txt knows of Terraform's AWS provider: which operations a resource type calls.
#pragma once

#include <string>
#include <vector>

namespace brume::app {

struct TerraformType {
  std::string name;                          // "aws_vpc", "data.aws_availability_zones"
  std::vector<std::string> operations;       // on the ordinary path: "ec2:CreateVpc"
  std::vector<std::string> rare_operations;  // with particular arguments only
};

// nullptr: the table does not know the type.
const TerraformType* find_terraform_type(const std::string& name);

}  // namespace brume::app
