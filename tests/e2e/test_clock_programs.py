"""Whole programs as people use them, under a clock that is ahead and faster: Java and Perl wait by it, and what goes by
the stamps of files (make, Python's caches, git) is not misled by stamps that stay the machine's."""
import pathlib
import shutil
import subprocess
import sys

import pytest

from test_clock import dial  # noqa: F401  a fixture
from test_clock_forms import turned  # noqa: F401  a fixture
from test_clock_tools import PROGRAMS, SECONDS, judge

JAVA_KINDS = 10
PERL = '''
use Time::HiRes qw(stat);
my ($path, $seconds) = @ARGV;
sub machine { utime undef, undef, $path; return (stat $path)[9]; }
open my $file, ">", $path; close $file;
sub wait_by {
  my ($name, $wait) = @_;
  my ($real, $begun) = (machine(), Time::HiRes::time());
  $wait->();
  my $took = Time::HiRes::time() - $begun;
  printf "%s %.3f %.3f %.3f\\n", $name, $took, $took, machine() - $real;
}
wait_by("perl_sleep", sub { sleep $seconds });
wait_by("perl_select", sub { select undef, undef, undef, $seconds });
wait_by("perl_alarm", sub { eval { local $SIG{ALRM} = sub { die }; alarm $seconds; select undef, undef, undef, 9 * $seconds } });
'''


@pytest.fixture(scope='module')
def java_program(tmp_path_factory):
    directory = tmp_path_factory.mktemp('java')
    subprocess.run(['javac', '-d', directory, PROGRAMS / 'Waits.java'], check=True)
    return directory


def test_java_waits(turned, java_program):  # noqa: F811
    """Where libraries that are preloaded hang: monitors, parked threads and selectors wait by CLOCK_MONOTONIC."""
    java = str(pathlib.Path(shutil.which('java') or '/usr/bin/java'))
    assert judge(turned.exec(java, '-cp', java_program, 'Waits', SECONDS, turned.work / 'java').stdout,
                 tolerance=0.25) == JAVA_KINDS  # what it loads and compiles at the first use counts


def test_perl_waits(turned):  # noqa: F811
    assert judge(turned.exec('perl', '-e', PERL, turned.work / 'perl', SECONDS).stdout) == 3


def test_a_limit_on_a_command_counts_cloud_time(turned):  # noqa: F811
    done = turned.exec('bash', '-c', 'a=$SECONDS; timeout 60 sleep 100000; echo $? $((SECONDS - a))')
    code, seen = map(int, done.stdout.split())
    assert code == 124 and 60 <= seen <= 66


MAKEFILE = 'copy: original\n\tcp original copy; echo fresh\n'


def test_make_and_caches_go_by_the_stamps_of_files(turned):  # noqa: F811
    """Stamps are the machine's for every file, so that comparing two of them is right by any clock."""
    directory = turned.work / 'made'
    directory.mkdir()
    (directory / 'Makefile').write_text(MAKEFILE)
    (directory / 'original').write_text('1')
    (directory / 'module.py').write_text('value = 1')

    def made():
        done = turned.exec('make', '-C', directory)
        assert 'skew' not in done.stdout + done.stderr
        return 'fresh' in done.stdout
    assert made() and not made()
    turned.brume('clock', 'advance', '1d')
    assert not made()
    turned.exec('touch', directory / 'original')
    assert made() and not made()

    def compiled():
        turned.exec(sys.executable, '-c', 'import module', cwd=directory, env={'PYTHONDONTWRITEBYTECODE': ''})
        cache, = (directory / '__pycache__').iterdir()
        return cache.stat().st_ino, cache.stat().st_mtime_ns
    first = compiled()
    turned.brume('clock', 'advance', '1d')
    assert compiled() == first
    out = turned.exec('bash', '-c', 'git init -q . && git add original && git -c user.name=a -c user.email=a@b commit -qm a &&'
                      ' git status --porcelain original; find . -newer copy -name original; touch new; find . -newer copy -name new',
                      cwd=directory).stdout
    assert out.split() == ['./new']


def test_a_stamp_beside_the_time_of_day_is_behind_by_the_advances(turned):  # noqa: F811
    """As docs/user/time.md says: what asks for the age of a file gets more, unless the stamp is set by the clock."""
    directory = turned.work / 'aged'
    directory.mkdir()
    young = turned.exec('bash', '-c', 'touch a; touch -d @$(date +%s) b; find . -type f -mmin -60', cwd=directory).stdout
    assert young.split() == ['./b']
