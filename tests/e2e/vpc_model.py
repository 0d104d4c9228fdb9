"""What a packet may do in a VPC, worked out from the API's describe-calls by the rules of AWS's VPC user guide.

Slow and obvious on purpose, and independent of Brume's own rule compiler: no code, no data and no shape is shared.
"Control traffic to your AWS resources using security groups", "Control subnet traffic with network access control
lists", "Configure route tables", "Internet gateways", "NAT gateways".
"""
import ipaddress

NUMBERS = {'icmp': 1, 'tcp': 6, 'udp': 17}
# What a name for a packet's ICMP message stands for: type and code.
ECHO_REQUEST, ECHO_REPLY = (8, 0), (0, 0)


def inside(address, block):
    return ipaddress.ip_address(address) in ipaddress.ip_network(block)


class Packet:
    """`port`: the destination's; for icmp (type, code)."""

    def __init__(self, source, destination, protocol, port):
        self.source, self.destination, self.protocol, self.port = source, destination, protocol, port


class World:
    """One VPC's state, as the API tells it."""

    def __init__(self, ec2, vpc):
        of_vpc = [{'Name': 'vpc-id', 'Values': [vpc]}]
        self.vpc = ec2.describe_vpcs(VpcIds=[vpc])['Vpcs'][0]
        self.subnets = {each['SubnetId']: each for each in ec2.describe_subnets(Filters=of_vpc)['Subnets']}
        self.tables = ec2.describe_route_tables(Filters=of_vpc)['RouteTables']
        self.acls = ec2.describe_network_acls(Filters=of_vpc)['NetworkAcls']
        self.groups = {each['GroupId']: each for each in ec2.describe_security_groups(Filters=of_vpc)['SecurityGroups']}
        self.interfaces = {each['NetworkInterfaceId']: each
                           for each in ec2.describe_network_interfaces(Filters=of_vpc)['NetworkInterfaces']}
        self.nats = {each['NatGatewayId']: each
                     for each in ec2.describe_nat_gateways(Filter=of_vpc)['NatGateways'] if each['State'] == 'available'}
        attached = ec2.describe_internet_gateways(Filters=[{'Name': 'attachment.vpc-id', 'Values': [vpc]}])
        self.gateways = {each['InternetGatewayId'] for each in attached['InternetGateways']}

    # Who has an address.

    def owner(self, address):
        for interface in self.interfaces.values():
            if interface['InterfaceType'] != 'nat_gateway' and any(
                    each['PrivateIpAddress'] == address for each in interface['PrivateIpAddresses']):
                return interface
        return None

    def public_address(self, interface):
        return interface.get('Association', {}).get('PublicIp')

    def owner_of_public(self, address):
        for interface in self.interfaces.values():
            if interface['InterfaceType'] != 'nat_gateway' and self.public_address(interface) == address:
                return interface
        return None

    def in_vpc(self, address):
        return any(inside(address, each['CidrBlock']) for each in self.vpc['CidrBlockAssociationSet'])

    # Security groups: any rule of any group of the interface lets a packet pass.

    def group_allows(self, interface, direction, packet):
        peer = packet.source if direction == 'IpPermissions' else packet.destination
        return any(self.permits(permission, peer, packet)
                   for group in interface['Groups']
                   for permission in self.groups[group['GroupId']][direction])

    def permits(self, permission, peer, packet):
        if permission['IpProtocol'] != '-1':
            if int(NUMBERS.get(permission['IpProtocol'], permission['IpProtocol'])) != NUMBERS[packet.protocol]:
                return False
            low, high = permission['FromPort'], permission['ToPort']
            if packet.protocol == 'icmp':  # type and code
                if low not in (-1, packet.port[0]) or high not in (-1, packet.port[1]):
                    return False
            elif not low <= packet.port <= high:
                return False
        if any(inside(peer, each['CidrIp']) for each in permission['IpRanges']):
            return True
        # "the private IP addresses of the network interfaces that are associated with the specified security group"
        member = self.owner(peer)
        groups = {each['GroupId'] for each in member['Groups']} if member else set()
        return any(each['GroupId'] in groups for each in permission['UserIdGroupPairs'])

    # Network ACLs: the lowest number that matches decides; in the end everything is denied.

    def acl_of(self, subnet):
        return next(acl for acl in self.acls
                    if any(each['SubnetId'] == subnet for each in acl['Associations']))

    def acl_allows(self, subnet, egress, packet):
        entries = [each for each in self.acl_of(subnet)['Entries'] if each['Egress'] == egress and 'CidrBlock' in each]
        for entry in sorted(entries, key=lambda each: each['RuleNumber']):
            if self.entry_matches(entry, packet.destination if egress else packet.source, packet):
                return entry['RuleAction'] == 'allow'
        return False

    def entry_matches(self, entry, peer, packet):
        if not inside(peer, entry['CidrBlock']):
            return False
        if entry['Protocol'] == '-1':
            return True
        if int(entry['Protocol']) != NUMBERS[packet.protocol]:
            return False
        if packet.protocol == 'icmp':
            wanted = entry.get('IcmpTypeCode', {'Type': -1, 'Code': -1})
            return wanted['Type'] in (-1, packet.port[0]) and wanted['Code'] in (-1, packet.port[1])
        ports = entry.get('PortRange')
        return ports is None or ports['From'] <= packet.port <= ports['To']

    # Route tables: the longest prefix wins.

    def route(self, subnet, address):
        tables = [table for table in self.tables
                  if any(each.get('SubnetId') == subnet for each in table['Associations'])]
        tables = tables or [table for table in self.tables if any(each['Main'] for each in table['Associations'])]
        matching = [each for each in tables[0]['Routes']
                    if 'DestinationCidrBlock' in each and inside(address, each['DestinationCidrBlock'])]
        if not matching:
            return None
        return max(matching, key=lambda each: ipaddress.ip_network(each['DestinationCidrBlock']).prefixlen)

    def exit(self, subnet, address):
        """('local' | 'internet' | 'nat' | None, the NAT gateway). To an interface, nothing here answers for others."""
        route = self.route(subnet, address)
        if route is None:
            return None, None
        if route.get('GatewayId') == 'local':
            return 'local', None
        if route.get('GatewayId') in self.gateways:
            return 'internet', None
        nat = self.nats.get(route.get('NatGatewayId'))
        # "You must route traffic from the NAT gateway to the internet gateway"
        own = self.route(nat['SubnetId'], address) if nat else None
        if own and own.get('GatewayId') in self.gateways:
            return 'nat', nat
        return None, None

    # Whole ways. Each gives 'open' (there and back), 'half' (there only) or 'closed'.

    def verdict(self, there, back):
        if not all(there):
            return 'closed'
        return 'open' if all(back) else 'half'

    def ports(self, protocol, port, source_port):
        return (ECHO_REQUEST, ECHO_REPLY) if protocol == 'icmp' else (port, source_port)

    def between(self, source, address, protocol, port, source_port):
        """From an interface to a private address of this VPC."""
        target = self.owner(address)
        if target is None:
            return 'closed'
        port, answer_port = self.ports(protocol, port, source_port)
        packet = Packet(source['PrivateIpAddress'], address, protocol, port)
        answer = Packet(address, source['PrivateIpAddress'], protocol, answer_port)
        there = [self.group_allows(source, 'IpPermissionsEgress', packet),
                 self.group_allows(target, 'IpPermissions', packet)]
        back = []  # groups are stateful: an answer needs no rule
        if source['SubnetId'] != target['SubnetId']:  # ACLs are not: and they stand at the subnets' borders
            there += [self.acl_allows(source['SubnetId'], True, packet),
                      self.acl_allows(target['SubnetId'], False, packet)]
            back += [self.acl_allows(target['SubnetId'], True, answer),
                     self.acl_allows(source['SubnetId'], False, answer)]
        return self.verdict(there, back)

    def from_internet(self, client, address, protocol, port, source_port):
        """From outside to a public address."""
        target = self.owner_of_public(address)
        if target is None or not self.gateways:
            return 'closed'
        port, answer_port = self.ports(protocol, port, source_port)
        packet = Packet(client, target['PrivateIpAddress'], protocol, port)
        answer = Packet(target['PrivateIpAddress'], client, protocol, answer_port)
        there = [self.acl_allows(target['SubnetId'], False, packet), self.group_allows(target, 'IpPermissions', packet)]
        # An answer that would leave by a NAT gateway, or by none, does not arrive.
        back = [self.acl_allows(target['SubnetId'], True, answer), self.exit(target['SubnetId'], client)[0] == 'internet']
        return self.verdict(there, back)

    def to_internet(self, source, address, protocol, port, source_port):
        """From an interface to an address outside, where somebody answers."""
        return self.verdict(*self.way_out(source, address, protocol, port, source_port)[:2])

    def way_out(self, source, address, protocol, port, source_port):
        """(conditions there, conditions back, the public address it leaves from)."""
        subnet, private = source['SubnetId'], source['PrivateIpAddress']
        port, answer_port = self.ports(protocol, port, source_port)
        packet, answer = Packet(private, address, protocol, port), Packet(address, private, protocol, answer_port)
        how, nat = self.exit(subnet, address)
        there = [self.group_allows(source, 'IpPermissionsEgress', packet), self.acl_allows(subnet, True, packet)]
        back = [self.acl_allows(subnet, False, answer)]
        if how == 'internet':
            public = self.public_address(source)
            return there + [public is not None], back, public
        if how != 'nat':
            return [False], [], None
        place, own = nat['SubnetId'], nat['NatGatewayAddresses'][0]
        if place == subnet:  # within the subnet to the gateway; the border is crossed once, by the gateway's packet
            there, back = there[:1], []
        else:
            there.append(self.acl_allows(place, False, packet))
            back.append(self.acl_allows(place, True, answer))
        there.append(self.acl_allows(place, True, Packet(own['PrivateIp'], address, protocol, port)))
        back.append(self.acl_allows(place, False, Packet(address, own['PrivateIp'], protocol, answer_port)))
        return there, back, own['PublicIp']

    def around(self, source, address, protocol, port, source_port):
        """From an interface to a public address of this same VPC: out by the gateway and in again."""
        there, back, public = self.way_out(source, address, protocol, port, source_port)
        if public is None:
            return 'closed'
        arriving = self.from_internet(public, address, protocol, port, source_port)
        return self.verdict([*there, arriving != 'closed'], [*back, arriving == 'open'])


def assert_one_verdict(way, source_ports):
    """The verdict for a probe, which must be the same for all source ports it may come from."""
    low, high = source_ports
    verdicts = {way(port) for port in (low, (low + high) // 2, high)}
    assert len(verdicts) == 1, 'a rule divides the source ports of the scanner'
    return verdicts.pop()
