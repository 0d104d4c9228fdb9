// A decision in words and data: what `brume why` shows and what DecodeAuthorizationMessage gives back. Pure functions
// over what the authorizer remembered.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

#include "services/iam/decisions.h"

namespace brume::iam {

// {action, resource, allowed, reason, message, context, policies: [{kind, name, statements: [{sid, effect, applied,
// elements: [{element, matched, wanted, given}]}]}], steps: […], remedies: […]}
boost::json::object explain_decision(const DecisionRecord& record);

// "DecodeAuthorizationMessage": what EC2 encodes into its denials, as AWS lays it out.
std::string authorization_message(const DecisionRecord& record);

}  // namespace brume::iam
