"""Who may include whom, and which heavy headers may be read where."""
import re

from .repository import Problem, cpp_files, is_test, lines

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^">]+)[">]')

# A layer sees itself and these. Planes see core and the keeper; services see planes only through INTERFACES.
SEES = {
    'core': set(),
    'store': {'core'},
    'aws': {'core', 'store'},
    'front': {'core', 'store', 'aws'},
    'planes': {'core', 'planes/keeper'},
    'services': {'core', 'store', 'aws', 'gen'},
}
# The faces of the planes: interfaces, values and fakes. Everything else of a plane is its implementation, which only
# src/app names.
INTERFACES = {'planes/network/network.h', 'planes/containers/containers.h', 'planes/containers/images.h',
              'planes/balancer/balancer.h', 'planes/names/names.h', 'planes/keeper/keeper.h'}

# Headers that cost seconds to compile (DECISIONS 29): path prefixes that may include them.
HEAVY = {
    'boost/asio': ['src/front/http/'],
    'boost/beast': ['src/front/http/'],
    'simdjson.h': ['src/front/protocols/'],
    're2/': ['src/front/protocols/', 'src/aws/'],
    'pugixml.hpp': ['src/front/protocols/'],
    'rocksdb/': ['src/store/'],
    'CLI/': ['src/app/main.cpp'],
    'archive': ['src/planes/containers/'],
    'spdlog/': ['src/core/log.cpp'],
    'iostream': ['src/app/commands/'],  # reads the answer to a question; std::cout is for nobody
    'regex': ['src/app/commands/'],     # reads the user's own Terraform; elsewhere re2, which runs in linear time
}
# Heavy in a header that others include; fine in a .cpp.
HEAVY_IN_HEADERS_ALLOWED = {'src/front/http/tls.h'}  # its contexts are OpenSSL's; front/http alone includes it
HEAVY_IN_HEADERS = ['boost/json.hpp', 'openssl/', 're2/', 'rocksdb/', 'simdjson.h', 'pugixml.hpp', 'archive']


def unit_of(path):
    """src/planes/network/x.cpp and planes/network/x.h -> planes/network; src/core/id.h -> core."""
    parts = path.removeprefix('src/').split('/')
    return '/'.join(parts[:2]) if parts[0] in ('planes', 'services') else parts[0]


def check_project(path, number, included):
    here, there = unit_of(path), unit_of(included)
    layer = here.split('/')[0]
    if here == there or layer == 'app' or there in SEES[layer] or there.split('/')[0] in SEES[layer]:
        return
    if there.startswith('planes/'):
        face = included in INTERFACES or (is_test(path) and re.match(r'fake.*\.h|testing\.h', included.rsplit('/', 1)[-1]))
        if layer == 'services' and face:
            return
        yield Problem(path, number, f'includes {included}: outside src/app a plane is known by its interface only')
    elif there.startswith('services/') and layer == 'services':
        yield Problem(path, number, f'includes {included}: a service declares what it needs (needs.h); src/app adapts it')
    else:
        yield Problem(path, number, f'includes {included}: {here} lies below {there}')


def check_system(path, number, included):
    for prefix, allowed in HEAVY.items():
        whole = prefix.endswith(('/', '.h', '.hpp')) or prefix in ('boost/asio', 'boost/beast', 'archive')
        if (included.startswith(prefix) if whole else included == prefix) and not path.startswith(tuple(allowed)):
            if not (is_test(path) and prefix in ('iostream',)):
                yield Problem(path, number, f'includes <{included}>: only {", ".join(allowed)} may (heavy, or replaced)')
    if path.endswith('.h') and not is_test(path) and path not in HEAVY_IN_HEADERS_ALLOWED:
        for prefix in HEAVY_IN_HEADERS:
            if included.startswith(prefix):
                yield Problem(path, number, f'includes <{included}> in a header: declare here, include it in the .cpp')


def check():
    for path in cpp_files():
        for number, line in enumerate(lines(path), 1):
            match = INCLUDE.match(line)
            if match and match.group(1) == '"':
                yield from check_project(path, number, match.group(2))
            elif match:
                yield from check_system(path, number, match.group(2))
