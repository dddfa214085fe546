"""What was measured, a line of JSON each, so that an interrupted run goes on where it was."""

import json
from pathlib import Path
from typing import Any


def kept(file: Path) -> dict[str, Any]:
    """Name → what `keep` wrote; a line that was being written when a run was interrupted is taken out of the file."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
    if lines and not lines[-1].endswith("\n"):
        lines.pop()
        file.write_text("".join(lines), encoding="utf-8")
    return dict(map(json.loads, lines))


def keep(file: Path, name: str, found: Any) -> None:
    with file.open("a", encoding="utf-8") as opened:
        opened.write(json.dumps([name, found]) + "\n")
