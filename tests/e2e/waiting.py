"""Waiting for a condition with a deadline: the only place of the end-to-end tests that lets time pass."""
import time

now = time.time  # the machine's clock, which loads and logs use too


def wait_until(condition, deadline, what='the condition', every=0.1):
    """The first true value of condition(), or a failure after `deadline` seconds that says what was last seen."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'{what} did not come about in {deadline} s (last: {value!r})')
        time.sleep(every)
