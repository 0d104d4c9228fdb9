// Which services and operations are linked in.
#pragma once

#include <string_view>
#include <vector>

namespace brume::model {
struct Service;
}

namespace brume::app {

std::vector<const model::Service*> served_services();
// "ec2:CreateVpc", by the names of models/ ("elbv2", "logs").
bool is_served(std::string_view operation);

}  // namespace brume::app
