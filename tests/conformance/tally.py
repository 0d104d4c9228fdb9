"""What the runners of other people's suites counted, a line of JSON a suite, and the table made of it."""
import json
import os
import pathlib


def record(suite, passed, failed, excluded):
    """Adds a row to the file that BRUME_CONFORMANCE names, if it names one."""
    if 'BRUME_CONFORMANCE' in os.environ:
        with open(os.environ['BRUME_CONFORMANCE'], 'a') as file:
            file.write(json.dumps([suite, passed, failed, excluded]) + '\n')


def table(path):
    rows = [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]
    width = max(len(row[0]) for row in rows)
    lines = [f'{"suite":{width}} {"passed":>7} {"failed":>7} {"excluded":>9} {"all":>6}']
    for suite, passed, failed, excluded in rows + [['together', *(sum(row[i] for row in rows) for i in (1, 2, 3))]]:
        lines.append(f'{suite:{width}} {passed:7} {failed:7} {excluded:9} {passed + failed + excluded:6}')
    return '\n'.join(lines)
