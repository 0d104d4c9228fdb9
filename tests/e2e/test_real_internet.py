"""The real internet from inside, for tools and not for workloads: a package by its ordinary client (DECISIONS 10)."""
import sys


def test_package_is_fetched_and_aws_is_still_here(fresh_cloud):
    cloud = fresh_cloud(offline=False, host=True).up()
    cloud.exec(sys.executable, '-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--no-cache-dir',
               '--dest', cloud.work / 'packages', 'iniconfig==2.0.0', timeout=120)
    assert list((cloud.work / 'packages').iterdir())
    shown = cloud.exec('getent', 'ahostsv4', 'sts.eu-west-1.amazonaws.com').stdout
    assert shown.startswith('198.18.'), 'a name of AWS never leaves'
    assert cloud.exec('getent', 'hosts', 'sns.eu-west-1.amazonaws.com', check=False).returncode == 2


def test_offline_closes_it(fresh_cloud):
    cloud = fresh_cloud(host=True).up()
    assert cloud.exec('getent', 'hosts', 'pypi.org', check=False).returncode == 2
