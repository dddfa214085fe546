"""A server as a process of its own: `python -m tests.service.server [WORKERS]` with the settings of its environment.

Its reader writes a word every tenth of a second where `SLOWLY` is set, and dies of the question "die?".
"""

import os
import sys
import time
from collections.abc import Iterator
from typing import Any

from rag.page.running import run
from rag.pipeline import Pipeline
from rag.settings import Settings, load_settings
from rag.types import Event
from tests.service.conftest import replying

SLOWLY = "TESTED_SLOWLY"


class Slow:
    """A pipeline that takes its time over every piece."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def stream_answer(self, question: str, *given: Any, **named: Any) -> Iterator[Event]:
        for number, event in enumerate(self._pipeline.stream_answer(question, *given, **named)):
            if question == "die?" and number > 3:
                os._exit(9)
            time.sleep(float(os.environ.get(SLOWLY, "0")))
            yield event

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipeline, name)


def opener(settings: Settings, report: object) -> Any:
    return Slow(replying(settings, report))


if __name__ == "__main__":
    run(load_settings(), int(sys.argv[1]) if len(sys.argv) > 1 else 0, opener)
