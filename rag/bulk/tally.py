"""What has become of the rows of a file so far, read from its run file as it grows."""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rag.tasks import Result, RowDone

SHOWN = 30
"""Rows that are shown, at most."""


class Tally:
    """Counts the lines of a run file, each of them once."""

    def __init__(self, find: Callable[[], Path | None]) -> None:
        """`find` tells the run file, which may not be there yet."""
        self._find = find
        self.reset()

    def reset(self) -> None:
        """Begin again at the first line: the file may be another, or in another order."""
        self._path: Path | None = None
        self._read = 0
        self.counts: Counter[Result] = Counter()
        self._first: list[RowDone] = []
        self._newest: deque[RowDone] = deque(maxlen=SHOWN)
        self.sources: set[str] = set()
        """Of all articles in the answers."""

    @property
    def rows(self) -> int:
        """Dealt with."""
        return self.counts.total()

    def first(self) -> tuple[RowDone, ...]:
        """In the order of the file."""
        return tuple(self._first)

    def newest(self) -> tuple[RowDone, ...]:
        """The last first."""
        return tuple(reversed(self._newest))

    def advance(self) -> None:
        """Read the lines that have come; a last one that isn't whole yet waits."""
        path = self._find()
        if path is None or path != self._path:
            self.reset()
            self._path = path
        if path is None:
            return
        try:
            with path.open("rb") as lines:
                lines.seek(self._read)
                for line in lines:
                    if not line.endswith(b"\n"):
                        return
                    self._read += len(line)
                    record = json.loads(line)
                    self._add(_row_done(record))
                    self.sources.update(_sources_in(record))
        except (OSError, ValueError, KeyError, TypeError):  # it isn't there yet; `run_batch` says what else is wrong
            return

    def _add(self, row: RowDone) -> None:
        self.counts[row.result] += 1
        self._newest.append(row)
        if len(self._first) < SHOWN:
            self._first.append(row)


def _sources_in(line: Mapping[str, Any]) -> Iterator[str]:
    for passage in line["passages"] or ():
        yield passage["document"]["source"]
        yield from passage.get("copies", ())


def _row_done(line: Mapping[str, Any]) -> RowDone:
    row, question = line["row"], line["question"]
    if line["error"] is not None:
        return RowDone(row, question, Result.FAILED, line["error"], None, ())
    if line["abstained"]:
        return RowDone(row, question, Result.REFUSED, line["reason"], None, ())
    titles = {passage["document"]["id"]: passage["document"]["title"] for passage in line["passages"]}
    cited = dict.fromkeys(titles[citation["document"]] for claim in line["claims"] for citation in claim["citations"])
    return RowDone(row, question, Result.ANSWERED, line["answer"], line["confidence"], tuple(cited))
