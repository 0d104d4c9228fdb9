# A system in the manner of those that are put together from community modules: everything is a module's, most of it by
# for_each over maps, count on switches and dynamic blocks. `stage` and `environment` change it in place or replace parts.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project     = "foreign"
      Environment = var.environment
    }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_availability_zones" "available" {
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  name  = "foreign"
  zones = slice(data.aws_availability_zones.available.names, 0, 2)
  later = var.stage > 1
  arn   = "arn:${data.aws_partition.current.partition}"
}

module "network" {
  source = "./modules/network"

  name                  = local.name
  cidr                  = "10.20.0.0/16"
  secondary_cidr_blocks = ["10.21.0.0/20"]
  zones                 = local.zones
  public_subnets        = [for index, zone in local.zones : cidrsubnet("10.20.0.0/16", 8, index)]
  private_subnets       = [for index, zone in local.zones : cidrsubnet("10.20.0.0/16", 8, index + 10)]
  # Out of the secondary block.
  intra_subnets          = ["10.21.1.0/24"]
  enable_nat_gateway     = true
  partners               = var.partners
  endpoint_policy        = data.aws_iam_policy_document.endpoint.json
  denied_port            = local.later ? 8002 : 8001
  flow_log_group_arn     = aws_cloudwatch_log_group.flows.arn
  flow_log_role_arn      = aws_iam_role.flows.arn
  flow_log_bucket_arn    = aws_s3_bucket.this["flows"].arn
  default_security_group = local.later ? [{ from_port = 443, to_port = 443, cidr = "10.20.0.0/16" }] : []

  tags              = { Module = "network" }
  vpc_tags          = { Tier = "all" }
  public_tags       = { Tier = "public" }
  private_tags      = { Tier = "private" }
  nat_tags          = { Tier = "nat" }
  default_acl_tags  = { Tier = "default-acl" }
  default_group_tag = local.later ? "later" : "first"
}

# What every account has, adopted.
resource "aws_default_vpc" "this" {
  tags = { Name = "the default, adopted" }
}

resource "aws_default_subnet" "this" {
  availability_zone = local.zones[0]
  tags              = { Name = "the default, adopted" }
  depends_on        = [aws_default_vpc.this]
}

# Of both kinds, with lists that are made and lists that AWS has.

module "balancer_group" {
  source = "./modules/security-group"

  name        = "${local.name}-balancer"
  description = local.later ? "The load balancer, later" : "The load balancer"
  vpc_id      = module.network.vpc_id

  ingress_with_cidr_blocks = [
    { from_port = 80, to_port = 80, protocol = "tcp", description = "everybody", cidr_blocks = "0.0.0.0/0" },
    { from_port = 8080, to_port = 8080, protocol = "tcp", description = "tests", cidr_blocks = "198.18.0.0/15,10.20.0.0/16" },
  ]
  egress_with_source_security_group_id = [
    { from_port = 8000, to_port = 8001, protocol = "tcp", source_security_group_id = module.service_group.id },
  ]

  tags = { Module = "balancer-group" }
}

module "service_group" {
  source = "./modules/security-group"

  name        = "${local.name}-service"
  description = "The services"
  vpc_id      = module.network.vpc_id
  tags        = { Module = "service-group" }
}

resource "aws_vpc_security_group_ingress_rule" "service" {
  for_each = {
    web   = { from = 8000, to = local.later ? 8002 : 8001, group = module.balancer_group.id }
    peers = { from = 8000, to = 8000, list = aws_ec2_managed_prefix_list.peers.id }
  }

  security_group_id            = module.service_group.id
  description                  = "from ${each.key}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.from
  to_port                      = each.value.to
  referenced_security_group_id = lookup(each.value, "group", null)
  prefix_list_id               = lookup(each.value, "list", null)
  tags                         = { Name = each.key }
}

resource "aws_vpc_security_group_egress_rule" "service" {
  for_each = merge(
    { for service, list in module.network.endpoint_prefix_lists : service => { list = list, port = -1 } },
    { inside = { cidr = "10.20.0.0/16", port = 8000 }, web = { cidr = "198.18.0.0/26", port = 80 }, tls = { cidr = "198.18.0.0/26", port = 443 } },
  )

  security_group_id = module.service_group.id
  ip_protocol       = each.value.port < 0 ? "-1" : "tcp"
  from_port         = each.value.port < 0 ? null : each.value.port
  to_port           = each.value.port < 0 ? null : each.value.port
  cidr_ipv4         = lookup(each.value, "cidr", null)
  prefix_list_id    = lookup(each.value, "list", null)
}

resource "aws_ec2_managed_prefix_list" "peers" {
  name           = "${local.name}-peers"
  address_family = "IPv4"
  max_entries    = 5

  dynamic "entry" {
    for_each = var.peers
    content {
      cidr        = entry.key
      description = entry.value
    }
  }

  tags = { Name = "${local.name}-peers" }
}

module "balancer" {
  source = "./modules/load-balancer"

  name            = local.name
  vpc_id          = module.network.vpc_id
  subnets         = module.network.public_subnets
  security_groups = [module.balancer_group.id]
  idle_timeout    = local.later ? 45 : 30

  target_groups = {
    blue  = { prefix = local.later ? "blue2-" : "blue-", port = 8000, path = "/health" }
    green = { prefix = "green-", port = 8000, path = local.later ? "/healthy" : "/health" }
  }
  weights    = var.weights
  stickiness = var.stickiness

  rules = {
    hello = {
      priority   = 10
      action     = { type = "fixed-response", status = local.later ? "202" : "200", body = local.later ? "later" : "first" }
      conditions = { path = ["/hello", "/hello/*"], host = ["*.example.com"], method = ["GET", "HEAD"] }
    }
    moved = {
      priority   = 20
      action     = { type = "redirect", status = "HTTP_302", host = "#{host}", path = "/new/#{path}", query = "from=#{query}" }
      conditions = { path = ["/moved/*"], query = [{ key = "v", value = "1" }] }
    }
    secret = {
      priority   = 30
      action     = { type = "fixed-response", status = "403", body = "not from here" }
      conditions = { path = ["/secret"], source = ["203.0.113.0/24", "198.18.0.0/15"], header = { name = "X-Asked-By", values = ["test*"] } }
    }
    weighted = {
      priority   = local.later ? 41 : 40
      action     = { type = "weighted" }
      conditions = { path = ["/app", "/app/*"] }
    }
    blue = {
      priority   = 50
      action     = { type = "forward", group = "blue" }
      conditions = { path = ["/blue", "/fetch", "/file", "/env"] }
    }
  }

  tags = { Module = "balancer" }
}

module "service" {
  source   = "./modules/service"
  for_each = toset(["blue", "green"])

  name                  = each.key
  cluster_arn           = aws_ecs_cluster.this.arn
  image                 = "${aws_ecr_repository.this.repository_url}:v1"
  environment           = { NAME = each.key, STAGE = tostring(var.stage) }
  subnets               = module.network.private_subnets
  security_groups       = [module.service_group.id]
  target_group_arn      = module.balancer.target_groups[each.key]
  log_group             = aws_cloudwatch_log_group.services.name
  region                = data.aws_region.current.name
  execution_role_arn    = aws_iam_role.execution.arn
  with_init_and_sidecar = each.key == "blue"

  tags       = { Module = "service" }
  depends_on = [module.balancer, module.network]
}
