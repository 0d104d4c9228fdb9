"""The fuzz targets: their runs, what their corpora cover, and the bugs seeded for them. Steps of tools/test.

tests/fuzz/targets.toml names every target (src/**/NAME_fuzz.cpp), what it covers and its seeded bugs; its corpus is
tests/corpus/NAME_fuzz, what is found while running goes to build/corpus/NAME_fuzz. docs/fuzzing.md says how to add one.
"""
import base64
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / 'build/asan'
CORPORA = ROOT / 'tests/corpus'
FOUND = ROOT / 'build/corpus'
JOBS = os.cpu_count() or 2
# What one input may take: seconds, and memory of the whole process.
LIMITS = ['-timeout=10', '-rss_limit_mb=2560']
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS='detect_stack_use_after_return=1:allocator_may_return_null=1',
                   UBSAN_OPTIONS='print_stacktrace=1', TMPDIR='/dev/shm' if os.access('/dev/shm', os.W_OK) else '/tmp',
                   ASAN_SYMBOLIZER_PATH=shutil.which('llvm-symbolizer-19') or '')


def load(chosen=()):
    """The targets of targets.toml, and what is wrong with the list."""
    listed = tomllib.loads((ROOT / 'tests/fuzz/targets.toml').read_text())
    sources = {source.stem: source for source in ROOT.glob('src/**/*_fuzz.cpp')}
    problems = [f'{name} is not in tests/fuzz/targets.toml' for name in sources if name not in listed]
    for name, target in listed.items():
        target['name'] = name
        if name not in sources:
            problems.append(f'{name} of tests/fuzz/targets.toml has no source')
            continue
        target['source'] = sources[name]
        if not any((CORPORA / name).glob('*')):
            problems.append(f'{name} has no corpus in tests/corpus')
        if not target.get('bugs'):
            problems.append(f'{name} has no seeded bug')
        problems += [f'{name} covers {path}, which is not there' for path in target['covers']
                     if not any(ROOT.glob(path))]
        problems += [f"{name} has a bug for {bug['file']} whose passage is not there once: {bug['what']}"
                     for bug in target.get('bugs', []) if passages(bug) != 1]
    return [target for target in listed.values() if 'source' in target and
            (not chosen or target['name'] in chosen)], problems


def passages(bug):
    """How often the place of a seeded bug is in its file; 1 is right."""
    path = ROOT / bug['file']
    return path.read_text().count(bug['old']) if path.exists() else 0


def arguments(target):
    words = LIMITS + [f"-max_len={target.get('max_len', 4096)}"]
    if target.get('threads'):  # after each input their own memory would be taken for a leak and looked into
        words.append('-detect_leaks=0')
    if 'dictionary' in target:
        words.append(f"-dict={ROOT / 'tests/fuzz' / target['dictionary']}")
    return words


def build(names):
    command = ['ninja', f'-j{JOBS}', '-C', str(BUILD), *names]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stdout[-4000:])
    return done.returncode == 0


def statistic(output, name):
    found = re.findall(rf'stat::{name}:\s+(\d+)', output)
    return int(found[-1]) if found else 0


def run_target(target, seconds):
    """One target for some seconds: whether it held, and what to tell."""
    name = target['name']
    work = FOUND / name
    work.mkdir(parents=True, exist_ok=True)
    # The gate tries the same inputs for every change, so that what it finds is the change's; the night explores.
    seed = ['-seed=1'] if os.environ.get('CI') == 'true' else []
    command = [BUILD / name, *seed, f'-max_total_time={seconds}', '-print_final_stats=1', f'-artifact_prefix={FOUND}/{name}-',
               *arguments(target), work, CORPORA / name]
    done = subprocess.run([str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, env=ENVIRONMENT,
                          capture_output=True, text=True, errors='replace')
    if done.returncode != 0:
        return False, done.stderr
    runs = statistic(done.stderr, 'number_of_executed_units')
    return True, f'{name}: {runs} runs in {seconds} s, {statistic(done.stderr, "average_exec_per_sec")} a second'


def found(output):
    """In one line what a target that failed has found, and the input that shows it."""
    reasons = re.findall(r'.*check failed:.*|.*runtime error:.*|.*ERROR: AddressSanitizer:.*|.*ERROR: libFuzzer:.*', output)
    kept = [pathlib.Path(path) for path in re.findall(r'Test unit written to (\S+)', output)]
    inputs = [base64.b64encode(path.read_bytes()).decode() for path in kept if path.exists()]
    return ', '.join([reasons[0].strip() if reasons else output.strip()[-200:],
                      f'with {inputs[0][:6000]}' if inputs else 'with an input that was not kept'])


def at_once(function, items):
    with concurrent.futures.ThreadPoolExecutor(max_workers=JOBS) as pool:
        yield from zip(items, pool.map(function, items))


def fuzz(tally, seconds, chosen=()):
    """Every target for some seconds, one a core, from its corpus."""
    targets, problems = load(chosen)
    for problem in problems:
        tally.fail(f'fuzz: {problem}')
    if not build([target['name'] for target in targets]):
        return tally.fail('the fuzz targets do not build')
    for target, (held, text) in at_once(lambda each: run_target(each, seconds or 10), targets):
        print(text[-6000:], flush=True)
        tally.ok() if held else tally.fail(f"fuzz {target['name']}: {found(text)}")


def merge(tally, _, chosen=()):
    """Takes into the corpora what earlier runs found and what reaches something new, as small as it comes."""
    targets, _ = load(chosen)
    if not build([target['name'] for target in targets]):
        return tally.fail('the fuzz targets do not build')
    for target in targets:
        name, before = target['name'], len(list((CORPORA / target['name']).glob('*')))
        (FOUND / name).mkdir(parents=True, exist_ok=True)
        (CORPORA / name).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as most:
            # Small inputs only, and without the counters of how often an edge was taken: a file for each edge at most.
            for path in (FOUND / name).iterdir():
                if path.stat().st_size <= target.get('max_kept', 512):
                    shutil.copy(path, most)
            command = [BUILD / name, '-merge=1', '-use_counters=0', f'-artifact_prefix={FOUND}/{name}-', *arguments(target),
                       CORPORA / name, most]
            done = subprocess.run([str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, env=ENVIRONMENT,
                                  capture_output=True, text=True, errors='replace')
        after = len(list((CORPORA / name).glob('*')))
        print(f'{name}: {before} files, now {after}', flush=True)
        tally.ok() if done.returncode == 0 else tally.fail(f'fuzz-merge {name}')


# --- Variants of a target's program: some of its objects are compiled anew and linked before the library that has them
# as they are everywhere else.


def compile_command(source):
    for entry in json.loads((BUILD / 'compile_commands.json').read_text()):
        if entry['file'] == str(source):
            return shlex.split(entry['command'])
    raise LookupError(f'{source} is not compiled')


def link_command(name):
    done = subprocess.run(['ninja', '-C', BUILD, '-t', 'commands', name], capture_output=True, text=True, check=True)
    words = shlex.split(done.stdout.strip().splitlines()[-1])
    return [word for word in words[words.index('&&') + 1:] if word not in ('&&', ':')]


def run_checked(command):
    done = subprocess.run(command, cwd=BUILD, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-3000:] or done.stdout[-3000:])


def build_variant(target, place, sources, flags):
    """`sources`: pairs of the file whose command is taken and the file that is compiled with it."""
    link = link_command(target['name'])
    for number, (source, compiled) in enumerate(sources):
        command, output = compile_command(source), str(place / f'{number}.o')
        command[command.index('-o') + 1] = output
        command[command.index('-c') + 1] = str(compiled)
        first = next(at for at, word in enumerate(command) if word.startswith(('-D', '-I')))
        command[first:first] = flags
        run_checked(command)
        # In the place of the target's own object; before the library that has it.
        own = next((at for at, word in enumerate(link) if word.endswith(f'/{source.relative_to(ROOT)}.o')), None)
        if own is not None:
            link[own] = output
        else:
            link.insert(link.index('-o'), output)
    link[link.index('-o') + 1] = str(place / 'program')
    run_checked(link + [flag for flag in flags if flag.startswith('-f')])
    return place / 'program'


def empty_place(kind, name):
    place = BUILD / kind / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


# --- Coverage: the lines that the committed corpus reaches in the files that the target covers.


def covered_lines(target):
    name = target['name']
    place = empty_place('covered', name)
    wanted = sorted({path for pattern in target['covers'] for path in ROOT.glob(pattern)
                     if not path.stem.endswith(('_test', '_bench', '_fuzz'))})
    sources = [path for path in wanted if path.suffix == '.cpp']
    if len(sources) < len(wanted):
        sources.append(target['source'])  # headers are compiled into the target
    program = build_variant(target, place, [(path, path) for path in sources],
                            ['-fprofile-instr-generate', '-fcoverage-mapping'])
    environment = dict(ENVIRONMENT, LLVM_PROFILE_FILE=str(place / 'raw'))
    done = subprocess.run([program, '-runs=0', *arguments(target), CORPORA / name], env=environment, cwd=ROOT,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace')
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-3000:])
    run_checked(['llvm-profdata-19', 'merge', '-o', place / 'profile', place / 'raw'])
    report = subprocess.run(['llvm-cov-19', 'export', '-summary-only', '-instr-profile', place / 'profile', program],
                            capture_output=True, text=True, check=True, cwd=BUILD)
    reached = lines = 0
    for file in json.loads(report.stdout)['data'][0]['files']:
        if any(file['filename'].endswith(f'/{path.relative_to(ROOT)}') for path in wanted):
            reached += file['summary']['lines']['covered']
            lines += file['summary']['lines']['count']
    return reached, lines


def coverage(tally, _, chosen=()):
    """Prints what the corpora cover, and fails when it is less than the target promises."""
    targets, _ = load(chosen)
    if not build([target['name'] for target in targets]):
        return tally.fail('the fuzz targets do not build')

    def measure(target):
        try:
            return covered_lines(target)
        except (LookupError, RuntimeError) as error:
            return str(error)
    for target, result in at_once(measure, targets):
        name, least = target['name'], target.get('least_percent', 50)
        if isinstance(result, str):
            print(result)
            tally.fail(f'fuzz-coverage {name}')
            continue
        percent = 100 * result[0] // max(result[1], 1)
        files = len(list((CORPORA / name).iterdir()))
        print(f'{name}: its corpus of {files} covers {result[0]} of {result[1]} lines ({percent} %) of '
              f"{', '.join(target['covers'])}", flush=True)
        tally.ok() if percent >= least else tally.fail(f'fuzz-coverage {name}: {percent} %, {least} % are promised')


# --- Seeded bugs: one source file with one passage replaced. The sources themselves know nothing of it.


def build_seeded(target, number, bug):
    """The target's program with the bug in it."""
    place = empty_place('seeded', f"{target['name']}-{number}")
    sound = (ROOT / bug['file']).read_text()
    if passages(bug) != 1:
        raise RuntimeError(f"{bug['file']} has the bug's passage {passages(bug)} times, not once: bring "
                           'tests/fuzz/targets.toml up to date')
    copy = place / bug['file']
    copy.parent.mkdir(parents=True)
    copy.write_text(sound.replace(bug['old'], bug['new']))
    header = bug['file'].endswith('.h')
    pair = (target['source'], target['source']) if header else (ROOT / bug['file'], copy)
    return build_variant(target, place, [pair], [f'-I{place}/src'])


def find_seeded(work):
    """Whether the target finds the bug within its runs, from the committed corpus, and after how many."""
    target, number, bug = work
    try:
        program = build_seeded(target, number, bug)
    except (LookupError, RuntimeError) as error:
        return False, f'cannot be seeded: {error}'
    most = bug.get('runs', 500_000)
    with tempfile.TemporaryDirectory() as found:
        command = [program, '-seed=1', f'-runs={most}', '-max_total_time=600', '-print_final_stats=1',
                   f'-artifact_prefix={found}/', *arguments(target), found, CORPORA / target['name']]
        done = subprocess.run([str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, env=ENVIRONMENT,
                              capture_output=True, text=True, errors='replace')
    runs = statistic(done.stderr, 'number_of_executed_units')
    caught = done.returncode != 0 and re.search(r'ERROR: (libFuzzer|AddressSanitizer|LeakSanitizer)|runtime error:',
                                                done.stderr)
    if not caught:
        return False, f'not found in {runs} runs\n{done.stderr[-1500:]}'
    inputs = len(list((CORPORA / target['name']).iterdir())) + 1
    return True, f'found after {runs} runs' + (', by the corpus itself' if runs <= inputs else '')


def seeds(tally, _, chosen=()):
    """Every target finds the bugs that were seeded for it."""
    targets, problems = load(chosen)
    for problem in problems:
        tally.fail(f'fuzz-seeds: {problem}')
    if not build([target['name'] for target in targets]):
        return tally.fail('the fuzz targets do not build')
    work = [(target, number, bug) for target in targets for number, bug in enumerate(target.get('bugs', []))]
    for (target, number, bug), (caught, text) in at_once(find_seeded, work):
        print(f"{target['name']}: {bug['what']}: {text}", flush=True)
        tally.ok() if caught else tally.fail(f"fuzz-seeds {target['name']} {number}: {bug['what']}")
