# A VPC with its subnets, routes, gateways, endpoints, ACLs and flow logs.
locals {
  nat_gateways = var.enable_nat_gateway ? 1 : 0
}

resource "aws_vpc" "this" {
  cidr_block                       = var.cidr
  enable_dns_support               = true
  enable_dns_hostnames             = true
  assign_generated_ipv6_cidr_block = false
  tags                             = merge({ Name = var.name }, var.tags, var.vpc_tags)
}

resource "aws_vpc_ipv4_cidr_block_association" "this" {
  count      = length(var.secondary_cidr_blocks)
  vpc_id     = aws_vpc.this.id
  cidr_block = element(var.secondary_cidr_blocks, count.index)
}

resource "aws_subnet" "public" {
  count                           = length(var.public_subnets)
  vpc_id                          = aws_vpc.this.id
  cidr_block                      = element(var.public_subnets, count.index)
  availability_zone               = element(var.zones, count.index)
  map_public_ip_on_launch         = false
  assign_ipv6_address_on_creation = false
  tags                            = merge({ Name = format("%s-public-%s", var.name, element(var.zones, count.index)) }, var.tags, var.public_tags)
}

resource "aws_subnet" "private" {
  count             = length(var.private_subnets)
  vpc_id            = aws_vpc.this.id
  cidr_block        = element(var.private_subnets, count.index)
  availability_zone = element(var.zones, count.index)
  tags              = merge({ Name = format("%s-private-%s", var.name, element(var.zones, count.index)) }, var.tags, var.private_tags)
}

resource "aws_subnet" "intra" {
  count             = length(var.intra_subnets)
  vpc_id            = aws_vpc.this.id
  cidr_block        = element(var.intra_subnets, count.index)
  availability_zone = element(var.zones, count.index)
  tags              = merge({ Name = format("%s-intra-%s", var.name, element(var.zones, count.index)) }, var.tags)
  depends_on        = [aws_vpc_ipv4_cidr_block_association.this]
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge({ Name = var.name }, var.tags)
}

resource "aws_eip" "nat" {
  count      = local.nat_gateways
  domain     = "vpc"
  tags       = merge({ Name = var.name }, var.tags, var.nat_tags)
  depends_on = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "this" {
  count         = local.nat_gateways
  allocation_id = element(aws_eip.nat[*].id, count.index)
  subnet_id     = element(aws_subnet.public[*].id, count.index)
  tags          = merge({ Name = var.name }, var.tags, var.nat_tags)
  depends_on    = [aws_internet_gateway.this]
}

# Routes: inline in the public table, resources of their own in the private ones.

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this.id
  }

  tags = merge({ Name = "${var.name}-public" }, var.tags, var.public_tags)
}

resource "aws_route_table" "private" {
  count  = length(var.private_subnets)
  vpc_id = aws_vpc.this.id
  tags   = merge({ Name = format("%s-private-%s", var.name, element(var.zones, count.index)) }, var.tags, var.private_tags)
}

# The private subnets' way out leads to the partners only, all of them in one list.
resource "aws_ec2_managed_prefix_list" "partners" {
  name           = "${var.name}-partners"
  address_family = "IPv4"
  max_entries    = 10

  dynamic "entry" {
    for_each = toset(var.partners)
    content {
      cidr = entry.value
    }
  }
}

resource "aws_route" "private_partners" {
  count                      = var.enable_nat_gateway ? length(var.private_subnets) : 0
  route_table_id             = element(aws_route_table.private[*].id, count.index)
  destination_prefix_list_id = aws_ec2_managed_prefix_list.partners.id
  nat_gateway_id             = element(aws_nat_gateway.this[*].id, 0)

  timeouts {
    create = "5m"
  }
}

resource "aws_route" "private_default" {
  count                  = var.enable_nat_gateway ? length(var.private_subnets) : 0
  route_table_id         = element(aws_route_table.private[*].id, count.index)
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = element(aws_nat_gateway.this[*].id, 0)
}

resource "aws_route_table_association" "public" {
  count          = length(var.public_subnets)
  subnet_id      = element(aws_subnet.public[*].id, count.index)
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table_association" "private" {
  count          = length(var.private_subnets)
  subnet_id      = element(aws_subnet.private[*].id, count.index)
  route_table_id = element(aws_route_table.private[*].id, count.index)
}

# What the VPC came with, adopted and emptied.

resource "aws_default_route_table" "this" {
  default_route_table_id = aws_vpc.this.default_route_table_id
  route                  = []
  tags                   = merge({ Name = "${var.name}-default" }, var.tags)
}

resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id

  dynamic "ingress" {
    for_each = var.default_security_group
    content {
      protocol    = "tcp"
      from_port   = ingress.value.from_port
      to_port     = ingress.value.to_port
      cidr_blocks = [ingress.value.cidr]
    }
  }

  tags = merge({ Name = "${var.name}-default", Turn = var.default_group_tag }, var.tags)
}

resource "aws_default_network_acl" "this" {
  default_network_acl_id = aws_vpc.this.default_network_acl_id
  # Associations of subnets without an ACL of their own come by themselves.
  subnet_ids = null

  dynamic "ingress" {
    for_each = [{ rule_no = 100, action = "allow", cidr = "0.0.0.0/0" }]
    content {
      rule_no    = ingress.value.rule_no
      action     = ingress.value.action
      protocol   = "-1"
      from_port  = 0
      to_port    = 0
      cidr_block = ingress.value.cidr
    }
  }

  dynamic "egress" {
    for_each = [{ rule_no = 100, action = "allow", cidr = "0.0.0.0/0" }]
    content {
      rule_no    = egress.value.rule_no
      action     = egress.value.action
      protocol   = "-1"
      from_port  = 0
      to_port    = 0
      cidr_block = egress.value.cidr
    }
  }

  tags = merge({ Name = "${var.name}-default" }, var.tags, var.default_acl_tags)

  lifecycle {
    ignore_changes = [subnet_ids]
  }
}

resource "aws_network_acl" "private" {
  vpc_id     = aws_vpc.this.id
  subnet_ids = aws_subnet.private[*].id
  tags       = merge({ Name = "${var.name}-private" }, var.tags, var.private_tags)
}

resource "aws_network_acl_rule" "private" {
  for_each = {
    deny_in   = { number = 90, egress = false, action = "deny", protocol = "tcp", from = var.denied_port, to = var.denied_port }
    allow_in  = { number = 100, egress = false, action = "allow", protocol = "-1", from = 0, to = 0 }
    allow_out = { number = 100, egress = true, action = "allow", protocol = "-1", from = 0, to = 0 }
  }

  network_acl_id = aws_network_acl.private.id
  rule_number    = each.value.number
  egress         = each.value.egress
  rule_action    = each.value.action
  protocol       = each.value.protocol
  from_port      = each.value.from
  to_port        = each.value.to
  cidr_block     = "0.0.0.0/0"
}

# Gateway endpoints: S3's with its tables inline, DynamoDB's by resources of their own.

data "aws_vpc_endpoint_service" "this" {
  for_each     = toset(["s3", "dynamodb"])
  service      = each.key
  service_type = "Gateway"
}

data "aws_prefix_list" "s3" {
  name = data.aws_vpc_endpoint_service.this["s3"].service_name
}

data "aws_ec2_managed_prefix_list" "this" {
  for_each = data.aws_vpc_endpoint_service.this
  name     = each.value.service_name
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = data.aws_vpc_endpoint_service.this["s3"].service_name
  vpc_endpoint_type = "Gateway"
  route_table_ids   = aws_route_table.private[*].id
  policy            = var.endpoint_policy
  tags              = merge({ Name = "${var.name}-s3" }, var.tags)
}

resource "aws_vpc_endpoint" "dynamodb" {
  vpc_id            = aws_vpc.this.id
  service_name      = data.aws_vpc_endpoint_service.this["dynamodb"].service_name
  vpc_endpoint_type = "Gateway"
  tags              = merge({ Name = "${var.name}-dynamodb" }, var.tags)
}

resource "aws_vpc_endpoint_route_table_association" "dynamodb" {
  count           = length(var.private_subnets)
  vpc_endpoint_id = aws_vpc_endpoint.dynamodb.id
  route_table_id  = element(aws_route_table.private[*].id, count.index)
}

# Flow logs: the VPC's to CloudWatch Logs in AWS's own format, each private subnet's to S3 in one of its own.

resource "aws_flow_log" "vpc" {
  vpc_id                   = aws_vpc.this.id
  traffic_type             = "ALL"
  log_destination_type     = "cloud-watch-logs"
  log_destination          = var.flow_log_group_arn
  iam_role_arn             = var.flow_log_role_arn
  max_aggregation_interval = 60
  tags                     = merge({ Name = var.name }, var.tags)
}

resource "aws_flow_log" "private" {
  count                    = length(var.private_subnets)
  subnet_id                = element(aws_subnet.private[*].id, count.index)
  traffic_type             = "REJECT"
  log_destination_type     = "s3"
  log_destination          = "${var.flow_log_bucket_arn}/refused/"
  log_format               = "$${version} $${interface-id} $${flow-direction} $${srcaddr} $${dstport} $${action} $${tcp-flags} $${subnet-id}"
  max_aggregation_interval = 60

  destination_options {
    file_format                = "plain-text"
    hive_compatible_partitions = true
    per_hour_partition         = true
  }

  tags = merge({ Name = format("%s-%s", var.name, element(var.zones, count.index)) }, var.tags)
}
