"""Random changes of a three-tier VPC's groups, network ACLs and routes, from a seed: each is one call of the API."""
import random

from botocore.exceptions import ClientError

PORTS = [80, 443, 5353, 5432, 8000, 8001]
# Ranges divide the ports above, and never the scanner's source ports (probes.SOURCE_PORTS).
RANGES = [(0, 65535), (1, 1023), (1024, 65535), (32768, 60999), (49152, 65535), (5000, 5400), (8000, 8001), (443, 8000)]
# What AWS says of a change that is no change, or that cannot be now: another one is tried instead.
HARMLESS = ('InvalidPermission.Duplicate', 'InvalidPermission.NotFound', 'NetworkAclEntryAlreadyExists',
            'InvalidNetworkAclEntry.NotFound', 'RouteAlreadyExists', 'InvalidRoute.NotFound', 'DependencyViolation',
            'RulesPerSecurityGroupLimitExceeded', 'NetworkAclEntryLimitExceeded', 'Gateway.NotAttached',
            'Resource.AlreadyAssociated', 'InvalidParameterValue')


class Changes:
    def __init__(self, system, seed):
        self.system, self.ec2, self.random = system, system.ec2, random.Random(seed)
        self.opening = False
        # How often each kind of change comes: when much passes, and when little does.
        self.kinds = {self.authorize: (6, 6), self.revoke: (10, 0), self.modify: (4, 2), self.change_acl: (8, 4),
                      self.drop_acl_entry: (4, 8), self.move_acl: (3, 2), self.route: (4, 2), self.move_table: (3, 1),
                      self.balancer_groups: (4, 3)}

    def step(self, opening):
        """Makes one change and says what it was. `opening`: one that lets more through, since little passes now."""
        self.opening = opening
        while True:
            weights = [each[self.opening] for each in self.kinds.values()]
            kind = self.random.choices(list(self.kinds), weights)[0]
            try:
                done = kind()
            except ClientError as error:
                if error.response['Error']['Code'] not in HARMLESS:
                    raise
                continue
            if done:
                return done

    # Parts.

    def block(self):
        addresses = [each['PrivateIpAddress'] for each in self.system.interfaces()]
        subnets = [f'{self.system.block}.{row}.0/24' for row in (0, 1, 16, 17, 32, 33)]
        host = self.random.choice(addresses)
        if self.opening:
            return self.random.choice(['0.0.0.0/0', f'{self.system.block}.0.0/16'])
        near = host.rsplit('.', 1)[0] + f'.{int(host.rsplit(".", 1)[1]) & 0xF0}/28'
        return self.random.choice(['0.0.0.0/0', '0.0.0.0/0', f'{self.system.block}.0.0/16', f'{self.system.block}.0.0/20',
                                   f'{self.system.block}.16.0/20', f'{self.system.block}.32.0/20', f'{host}/32', near, self.random.choice(subnets), '198.18.0.0/15', '198.19.0.0/16'])

    def protocol(self):
        """(protocol, from, to) as a group's rule has it."""
        kind = self.random.choice(['tcp', 'tcp', 'tcp', 'udp', 'udp', 'icmp', '-1'])
        if kind == '-1':
            return kind, -1, -1
        if self.opening and kind != 'icmp':
            return kind, 0, 65535
        if kind == 'icmp':
            return (kind, *self.random.choice([(-1, -1), (8, -1), (8, 0), (0, -1), (3, 4)]))
        if self.random.random() < 0.5:
            port = self.random.choice(PORTS)
            return kind, port, port
        return (kind, *self.random.choice(RANGES))

    def permission(self):
        kind, low, high = self.protocol()
        made = {'IpProtocol': self.random.choice([kind, kind, kind, {'tcp': '6', 'udp': '17', 'icmp': '1', '-1': '-1'}[kind]])}
        if kind != '-1':
            made.update(FromPort=low, ToPort=high)
        if self.random.random() < 0.5:
            made['IpRanges'] = [{'CidrIp': self.block()}]
        else:
            made['UserIdGroupPairs'] = [{'GroupId': self.random.choice(list(self.system.groups.values()))}]
        return made

    def a_rule(self):
        group = self.random.choice(list(self.system.groups.values()))
        rules = self.ec2.describe_security_group_rules(Filters=[{'Name': 'group-id', 'Values': [group]}])['SecurityGroupRules']
        return self.random.choice(sorted(rules, key=lambda each: each['SecurityGroupRuleId'])) if rules else None

    # Security groups.

    def authorize(self):
        tier = self.random.choice([name for name in self.system.groups if name != 'extra' or not self.opening])
        permission, egress = self.permission(), self.random.random() < 0.4
        call = self.ec2.authorize_security_group_egress if egress else self.ec2.authorize_security_group_ingress
        call(GroupId=self.system.groups[tier], IpPermissions=[permission])
        return f'{tier} {"egress" if egress else "ingress"} + {permission}'

    def revoke(self):
        rule = self.a_rule()
        if not rule or self.opening:
            return None
        call = self.ec2.revoke_security_group_egress if rule['IsEgress'] else self.ec2.revoke_security_group_ingress
        call(GroupId=rule['GroupId'], SecurityGroupRuleIds=[rule['SecurityGroupRuleId']])
        return f'- {rule}'

    def modify(self):
        rule = self.a_rule()
        if not rule:
            return None
        kind, low, high = self.protocol()
        changed = {'IpProtocol': kind, 'FromPort': low, 'ToPort': high}
        if 'ReferencedGroupInfo' in rule:
            changed['ReferencedGroupId'] = self.random.choice(list(self.system.groups.values()))
        else:
            changed['CidrIpv4'] = self.block()
        self.ec2.modify_security_group_rules(GroupId=rule['GroupId'], SecurityGroupRules=[
            {'SecurityGroupRuleId': rule['SecurityGroupRuleId'], 'SecurityGroupRule': changed}])
        return f'{rule["SecurityGroupRuleId"]} becomes {changed}'

    # Membership: of a task's interface it is its task's for life, on AWS too.

    def some_groups(self):
        groups = list(self.system.groups.values())
        return self.random.sample(groups, self.random.randint(1, 3))

    def balancer_groups(self):
        groups = self.some_groups()
        self.system.elb.set_security_groups(LoadBalancerArn=self.system.balancer, SecurityGroups=groups)
        return f'the load balancer is in {groups}'

    # Network ACLs.

    def change_acl(self):
        tier, egress = self.random.choice(list(self.system.acls)), self.random.random() < 0.5
        kind, low, high = self.protocol()
        entry = {'NetworkAclId': self.system.acls[tier], 'Egress': egress, 'CidrBlock': self.block(),
                 'RuleNumber': self.random.randint(1, 90) * 10,
                 'RuleAction': self.random.choice(['allow', 'allow' if self.opening else 'deny']),
                 'Protocol': {'tcp': '6', 'udp': '17', 'icmp': '1', '-1': '-1'}[kind]}
        if kind == 'icmp':
            entry['IcmpTypeCode'] = {'Type': low, 'Code': high}
        elif kind != '-1':
            entry['PortRange'] = {'From': low, 'To': high}
        existing = self.entries(tier, egress)
        if self.random.random() < 0.5:  # before all others
            entry['RuleNumber'] = max(1, min([*existing, 900]) - self.random.randint(1, 20))
        if len(existing) > 8 or (existing and self.random.random() < 0.3):
            entry['RuleNumber'] = self.random.choice(existing)
            self.ec2.replace_network_acl_entry(**entry)
        else:
            self.ec2.create_network_acl_entry(**entry)
        return f'ACL of {tier}: {entry}'

    def entries(self, tier, egress, action=None):
        acl = self.ec2.describe_network_acls(NetworkAclIds=[self.system.acls[tier]])['NetworkAcls'][0]
        return [each['RuleNumber'] for each in acl['Entries'] if each['Egress'] == egress and
                each['RuleNumber'] < 32767 and action in (None, each['RuleAction'])]

    def drop_acl_entry(self):
        tier, egress = self.random.choice(list(self.system.acls)), self.random.random() < 0.5
        numbers = [number for number in self.entries(tier, egress, 'deny' if self.opening else None)
                   if number != 1000 or self.random.random() < 0.1]
        if not numbers:
            self.ec2.create_network_acl_entry(NetworkAclId=self.system.acls[tier], RuleNumber=1000, Egress=egress,
                                              Protocol='-1', RuleAction='allow', CidrBlock='0.0.0.0/0')
            return f'ACL of {tier} {egress} opened'
        number = self.random.choice(numbers)
        self.ec2.delete_network_acl_entry(NetworkAclId=self.system.acls[tier], RuleNumber=number, Egress=egress)
        return f'ACL of {tier} {egress} - {number}'

    def move_acl(self):
        subnet = self.random.choice(list(self.system.subnets.values()))
        acl = self.random.choice(list(self.system.acls.values()))
        self.system.associate_acl(acl, subnet)
        return f'{subnet} has {acl}'

    # Routes.

    def route(self):
        tier = self.random.choice(list(self.system.tables))
        table = self.system.tables[tier]
        present = {each['DestinationCidrBlock'] for each in
                   self.ec2.describe_route_tables(RouteTableIds=[table])['RouteTables'][0]['Routes']}
        block = self.random.choice(['0.0.0.0/0', '0.0.0.0/0', '198.18.0.0/15', '198.18.0.0/16', '198.19.0.0/16'])
        target = self.random.choice([{'GatewayId': self.system.gateway}, {'NatGatewayId': self.system.nat},
                                     {'NetworkInterfaceId': self.system.spare}, None])
        if self.opening:
            target = {'GatewayId': self.system.gateway} if tier == 'public' else {'NatGatewayId': self.system.nat}
        if target is None:
            self.ec2.delete_route(RouteTableId=table, DestinationCidrBlock=block)
            return f'{tier} has no route {block}'
        call = self.ec2.replace_route if block in present else self.ec2.create_route
        call(RouteTableId=table, DestinationCidrBlock=block, **target)
        return f'{tier} has {block} by {target}'

    def move_table(self):
        tier = self.random.choice(list(self.system.tables))
        subnet = self.random.choice(list(self.system.subnet_associations))
        made = self.ec2.replace_route_table_association(AssociationId=self.system.subnet_associations[subnet],
                                                        RouteTableId=self.system.tables[tier])
        self.system.subnet_associations[subnet] = made['NewAssociationId']
        return f'{subnet} has the routes of {tier}'
