"""The page as a process: until it is told to end."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

from rag.desk import OpenPipeline, open_pipeline
from rag.logs import write_json_lines
from rag.page.loading import load_gradio
from rag.service import COUNTED_IN, Stopping
from rag.settings import LogFormat, Settings

GLANCE = 0.2
"""Seconds between two looks at whether the end was asked for."""


def run(settings: Settings, workers: int = 0, opener: OpenPipeline = open_pipeline) -> None:
    """Run the page, and so many processes for chats beside it, until Ctrl-C or SIGTERM.

    SIGTERM lets running answers finish, for `stop_seconds` at most; a second one doesn't wait for them, and neither
    does Ctrl-C. Raises RagError when it can't listen.
    """
    if settings.log_format is LogFormat.JSON:
        write_json_lines()
    stopping = Stopping()

    def end(_number: int, _frame: FrameType | None) -> None:
        stopping.begin()

    before = signal.signal(signal.SIGTERM, end)
    try:
        load_gradio()
        from rag.page.serving import serving  # which imports Gradio

        with (
            _counting_together() if settings.metrics and workers else nullcontext(),
            serving(settings, opener, stopping, workers) as address,
        ):
            sys.stdout.write(f"Citeline is at {address} (Ctrl-C ends it).\n")
            sys.stdout.flush()
            while not stopping.begun:
                time.sleep(GLANCE)
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _counting_together() -> Iterator[None]:
    """Inside the block, this process and those it starts count in one folder."""
    if COUNTED_IN in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="citeline-metrics-") as folder:
        os.environ[COUNTED_IN] = folder
        try:
            yield
        finally:
            del os.environ[COUNTED_IN]
