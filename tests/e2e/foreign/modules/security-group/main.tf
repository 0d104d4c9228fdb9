# A group with rules of the older kind, by index, as the community's module has them.
variable "name" { type = string }
variable "description" { type = string }
variable "vpc_id" { type = string }
variable "ingress_with_cidr_blocks" {
  type    = list(map(string))
  default = []
}
variable "egress_with_source_security_group_id" {
  type    = list(map(string))
  default = []
}
variable "tags" { type = map(string) }

resource "aws_security_group" "this" {
  name_prefix            = "${var.name}-"
  description            = var.description
  vpc_id                 = var.vpc_id
  revoke_rules_on_delete = false
  tags                   = merge({ Name = var.name }, var.tags)

  lifecycle {
    create_before_destroy = true
  }

  timeouts {
    create = "10m"
    delete = "15m"
  }
}

resource "aws_security_group_rule" "ingress" {
  count             = length(var.ingress_with_cidr_blocks)
  security_group_id = aws_security_group.this.id
  type              = "ingress"
  cidr_blocks       = split(",", var.ingress_with_cidr_blocks[count.index]["cidr_blocks"])
  prefix_list_ids   = []
  description       = lookup(var.ingress_with_cidr_blocks[count.index], "description", "Ingress Rule")
  from_port         = var.ingress_with_cidr_blocks[count.index]["from_port"]
  to_port           = var.ingress_with_cidr_blocks[count.index]["to_port"]
  protocol          = var.ingress_with_cidr_blocks[count.index]["protocol"]
}

resource "aws_security_group_rule" "egress" {
  count                    = length(var.egress_with_source_security_group_id)
  security_group_id        = aws_security_group.this.id
  type                     = "egress"
  source_security_group_id = var.egress_with_source_security_group_id[count.index]["source_security_group_id"]
  description              = lookup(var.egress_with_source_security_group_id[count.index], "description", "Egress Rule")
  from_port                = var.egress_with_source_security_group_id[count.index]["from_port"]
  to_port                  = var.egress_with_source_security_group_id[count.index]["to_port"]
  protocol                 = var.egress_with_source_security_group_id[count.index]["protocol"]
}

output "id" { value = aws_security_group.this.id }
