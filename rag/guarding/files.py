"""Files of this machine on their way to a browser: what is read of them, and under which name it is saved."""

import os
import re
import stat
from pathlib import Path
from urllib.parse import quote


def contents(path: Path, most: int) -> bytes | None:
    """Of a regular file of at most `most` bytes; None for anything else, such as a pipe that would keep us waiting."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as stream:
        data = stream.read(most + 1)
    return data if len(data) <= most else None


def harmless(name: str) -> str:
    """A file name in characters that no header and no folder takes for anything else."""
    return re.sub(r"[^A-Za-z0-9._ -]", "_", name)[-100:].lstrip(". ") or "article"


def disposition(name: str, shown: bool) -> str:
    """The Content-Disposition of a file that a browser may show or may only save, under a name in any letters.

    >>> disposition("Müller.csv", shown=False)
    'attachment; filename="M_ller.csv"; filename*=UTF-8\\'\\'M%C3%BCller.csv'
    """
    name = re.sub(r'[\x00-\x1f\x7f-\x9f/\\"<>|?*:\u200b-\u200f\u202a-\u202e\u2060-\u2069]', "_", name)[-100:]
    name = name.lstrip(". ") or "file"
    plain = f'{"inline" if shown else "attachment"}; filename="{harmless(name)}"'
    encoded = quote(name, safe="", errors="replace")
    return plain if encoded == name else f"{plain}; filename*=UTF-8''{encoded}"
