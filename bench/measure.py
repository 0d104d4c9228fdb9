"""What every figure is made of: CPU time and memory of processes, medians with their spread, tables with their goals."""
import pathlib
import statistics

ROUNDS = 10
PROC = pathlib.Path('/proc')


def cpu_us(pids):
    """CPU time of these processes' living threads in microseconds, user and system, to the nanosecond of the scheduler.

    The ticks of /proc/PID/stat are 10 ms, which is a thousand requests."""
    total = 0
    for pid in pids:
        for thread in (PROC / str(pid) / 'task').iterdir():
            try:
                total += int((thread / 'schedstat').read_text().split()[0])
            except OSError:
                pass  # it ended meanwhile
    return total / 1000


def memory_kib(pid):
    """(anonymous, resident) of a process; the difference is mapped files, which the machine holds once."""
    fields = dict(line.split(':')[:2] for line in (PROC / str(pid) / 'smaps_rollup').read_text().split('\n')[1:] if line)
    return int(fields['Anonymous'].split()[0]), int(fields['Rss'].split()[0])


def median(values):
    return statistics.median(values)


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method='inclusive')
    return low, high


def shown(values, digits=1):
    """The median and the quartiles around it: "12.3 (11.9–13.0)"."""
    low, high = quartiles(values)
    return f'{median(values):.{digits}f} ({low:.{digits}f}–{high:.{digits}f})'


def ratio(ours, theirs, digits=2):
    """Of the two medians, and the quartiles of the rounds' own ratios: what the machine did to both cancels out."""
    rounds = [mine / other for mine, other in zip(ours, theirs)]
    low, high = quartiles(rounds)
    return median(ours) / median(theirs), f'{median(ours) / median(theirs):.{digits}f} ({low:.{digits}f}–{high:.{digits}f})'


class Table:
    """Rows as they come, aligned at the end, in the form that bench/README.md holds."""

    def __init__(self, title, *columns):
        self.title, self.rows = title, [list(columns)]

    def add(self, *cells):
        self.rows.append([str(cell) for cell in cells])

    def text(self):
        widths = [max(len(row[i]) for row in self.rows) for i in range(len(self.rows[0]))]
        lines = ['| ' + ' | '.join(cell.ljust(width) for cell, width in zip(row, widths)) + ' |' for row in self.rows]
        lines.insert(1, '|' + '|'.join('-' * (width + 2) for width in widths) + '|')
        return f'\n### {self.title}\n\n' + '\n'.join(lines)

    def show(self):
        print(self.text(), flush=True)


def judged(value, goal, at_least=False):
    """The goal, and whether it is met."""
    is_met = value >= goal if at_least else value <= goal
    return f'{"≥" if at_least else "≤"} {goal:g} {"met" if is_met else "MISSED"}'
