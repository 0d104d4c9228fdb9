output "vpc_id" { value = aws_vpc.this.id }
output "public_subnets" { value = aws_subnet.public[*].id }
output "private_subnets" { value = aws_subnet.private[*].id }
output "private_route_tables" { value = aws_route_table.private[*].id }
output "intra_subnets" { value = aws_subnet.intra[*].id }
output "public_route_table" { value = aws_route_table.public.id }
output "acl" { value = aws_network_acl.private.id }
output "default_group" { value = aws_default_security_group.this.id }
output "nat_address" { value = one(aws_nat_gateway.this[*].public_ip) }
output "endpoints" { value = { s3 = aws_vpc_endpoint.s3.id, dynamodb = aws_vpc_endpoint.dynamodb.id } }
output "endpoint_prefix_lists" {
  value = { s3 = data.aws_prefix_list.s3.id, dynamodb = data.aws_ec2_managed_prefix_list.this["dynamodb"].id }
}
