"""How much a file may ask for. All of it is counted while reading, never taken from what the file says of itself."""

from rag.errors import DocumentError

MAX_BYTES = 100_000_000
"""Of a file."""

MAX_UNPACKED = 500_000_000
"""Bytes that all members of a zip, a Word file, a book and so on may have together."""

MAX_MEMBERS = 10_000
"""Of a zip; Word, PowerPoint, Excel files and books are zips, too."""

MAX_PAGES = 10_000

MAX_ROWS = 1_048_576
"""As many as a sheet of Excel has."""

MAX_CELLS = 5_000_000
"""Of a table, empty ones included."""

MAX_ARTICLES = 100_000
"""In one file."""

MAX_CHARACTERS = 100_000_000
"""That all articles of a file may have together."""

SECONDS = 60.0
"""Of processor time to read an article."""

PATIENCE = 5
"""So many times as long may that take by the clock: a busy machine gives a process only a share of its time."""

TOTAL_SECONDS = 900.0
"""To read all articles of a file."""

MEMORY = 2_000_000_000
"""Bytes of address space of the process that reads."""


def too_many(source: str, limit: int, what: str) -> DocumentError:
    """ "news.zip has more than the 10,000 files …"."""
    return DocumentError(f"{source} has more than the {limit:,} {what} that one file may have. Split it.")


class Allowance:
    """So much of something that a file may have, and what of it is left."""

    def __init__(self, limit: int, what: str, source: str) -> None:
        self.left = limit
        self._limit = limit
        self._what = what
        self._source = source

    def take(self, amount: int = 1) -> None:
        """Raises DocumentError where less is left."""
        self.left -= amount
        if self.left < 0:
            raise too_many(self._source, self._limit, self._what)
