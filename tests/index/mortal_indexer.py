"""`python -m tests.index.mortal_indexer PLACE...` indexes each place in a process of its own and kills that.

A place is followed by "@" and when: the number of a step (see `tests.index.boundaries`), or "t" and a number of
milliseconds. The processes are forks of one that has imported everything, so that fifty take a second or two. Prints
a line for each: whether it was killed or had ended before.
"""

import os
import signal
import sys
import time
from pathlib import Path

from tests.index.boundaries import At, steps, work


def die(_: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def index_and_die(place: Path, when: str) -> None:
    if when.startswith("t"):
        work(place)
        return
    with steps(At(int(when), die)):
        work(place)


def main(given: str) -> str:
    place, _, when = given.rpartition("@")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            index_and_die(Path(place), when)
            code = 0
        finally:
            os._exit(code)
    if when.startswith("t"):
        time.sleep(float(when[1:]) / 1000)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else f"ended {os.WEXITSTATUS(status)}"


if __name__ == "__main__":
    for given in sys.argv[1:]:
        sys.stdout.write(f"{main(given)}\n")
