"""`python -m tests.index.mortal_writer FOLDER MOMENT` changes a library and is killed at that moment.

`MOMENT` is one of `MOMENTS`, or `whenever` to commit a new article over and over until somebody kills it.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

from rag.index import Writer, open_writer
from tests.index.shelf import IDENTITY, put

LEAVE_OLD = ("between articles", "before the vectors are synced", "before the rename", "after the rename")
LEAVE_NEW = ("after the commit", "after the old file is removed")


def change(writer: Writer) -> None:
    writer.remove("salt")
    put(writer, "iron", "Iron is heavy.\nIt sinks.")
    put(writer, "wood", "Wood floats.")
    writer.remember_root("articles")


def die(*_: Any, **__: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit


def prepare(moment: str) -> None:
    """Have the process killed at `moment`; nothing it could still tidy up, it will."""
    rename = Path.replace
    if moment == "before the vectors are synced":
        os.fsync = die
    if moment == "before the rename":
        Path.replace = die  # type: ignore[method-assign]
    if moment == "after the rename":
        Path.replace = lambda *given: (rename(*given), die())  # type: ignore[assignment, method-assign]
    if moment == "after the commit":
        Path.unlink = die  # type: ignore[method-assign]


def main(folder: Path, moment: str) -> None:
    if moment == "whenever":
        for number in count():
            with open_writer(folder, IDENTITY) as writer:
                for part in range(5):
                    put(writer, f"{os.getpid()}-{number}-{part}", f"Stone {number} of heap {part}.")
                writer.commit()
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()
    with open_writer(folder, IDENTITY) as writer:
        prepare(moment)
        change(writer)
        if moment == "between articles":
            die()
        writer.commit()
        die()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
