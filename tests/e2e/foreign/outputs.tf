output "url" { value = "http://${module.balancer.dns_name}" }
output "balancer_arn" { value = module.balancer.arn }
output "target_groups" { value = module.balancer.target_groups }
output "vpc_id" { value = module.network.vpc_id }
output "private_subnets" { value = module.network.private_subnets }
output "private_route_tables" { value = module.network.private_route_tables }
output "intra_subnets" { value = module.network.intra_subnets }
output "public_route_table" { value = module.network.public_route_table }
output "default_vpc" { value = aws_default_vpc.this.id }
output "default_subnet" { value = aws_default_subnet.this.id }
output "acl" { value = module.network.acl }
output "endpoints" { value = module.network.endpoints }
output "nat_address" { value = module.network.nat_address }
output "flow_group" { value = aws_cloudwatch_log_group.flows.name }
output "buckets" { value = { for name, bucket in aws_s3_bucket.this : name => bucket.bucket } }
output "groups" { value = { balancer = module.balancer_group.id, service = module.service_group.id, default = module.network.default_group } }
output "cluster" { value = aws_ecs_cluster.this.name }
output "repository" { value = aws_ecr_repository.this.repository_url }
output "peers_list" { value = aws_ec2_managed_prefix_list.peers.id }
