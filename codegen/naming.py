"""C++ names of AWS names: struct members, functions and namespaces in snake case."""
import re

KEYWORDS = set('''alignas alignof and asm auto bitand bitor bool break case catch char class compl concept const
consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default delete do double
dynamic_cast else enum explicit export extern false float for friend goto if inline int long mutable namespace new
noexcept not nullptr operator or private protected public register reinterpret_cast requires return short signed sizeof
static static_assert static_cast struct switch template this thread_local throw true try typedef typeid typename union
unsigned using virtual void volatile wchar_t while xor'''.split())


def snake(name):
    """CidrBlock -> cidr_block, VPCId -> vpc_id, IPv6Address -> ipv6_address, ChecksumCRC32C -> checksum_crc32c."""
    text = re.sub(r'\W', '_', name).replace('IPv', 'Ipv')
    text = re.sub(r'([A-Z]{2,})s(?=[A-Z]|$)', lambda match: match.group(1).capitalize() + 's', text)
    text = re.sub(r'([A-Z]+)([A-Z][a-z])', r'\1_\2', text)
    text = re.sub(r'([a-z])([A-Z])', r'\1_\2', text)
    text = re.sub(r'([0-9])([A-Z][a-zA-Z])', r'\1_\2', text)
    text = re.sub(r'_+', '_', text).strip('_').lower()
    return text + '_' if text in KEYWORDS else text


def literal(text):
    """A C++ string literal."""
    out = []
    for byte in text.encode():
        char = chr(byte)
        if char in '"\\':
            out.append('\\' + char)
        elif 32 <= byte < 127 and char != '?':
            out.append(char)
        else:
            out.append(f'\\{byte:03o}')
    return '"' + ''.join(out) + '"'
