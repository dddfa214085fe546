"""The `rag` command."""

import sys

INTERRUPTED = 130

__all__ = ["main"]


def main() -> None:
    """The entry point; Ctrl-C becomes one line and an exit status, also while the rest is still being imported."""
    try:
        from rag.cli.commands import run

        run()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
