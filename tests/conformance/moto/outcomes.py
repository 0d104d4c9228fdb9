"""Writes each case's outcome to $BRUME_REPORT as JSON. A case that could not be collected fails as its file."""
import json
import os
import pathlib

_outcomes = {}


def pytest_runtest_logreport(report):
    worse = {'passed': 0, 'skipped': 1, 'failed': 2}
    before = _outcomes.get(report.nodeid, 'passed')
    _outcomes[report.nodeid] = max(before, report.outcome, key=worse.get)


def pytest_collectreport(report):
    if report.failed:
        _outcomes[report.nodeid] = 'failed'


def pytest_sessionfinish(session):
    if not hasattr(session.config, 'workerinput'):
        pathlib.Path(os.environ['BRUME_REPORT']).write_text(json.dumps(_outcomes))
