"""Three articles, and a pipeline whose reader follows a script."""

from collections.abc import Sequence

from rag.pipeline import (
    Pipeline,
)
from rag.types import Answer, Event, Finished, TextPiece, Turn
from tests.fakes import ScriptedEngine

HARBOUR = (
    "The harbour of Varel\n\nThe harbour of Varel opened in 1912. It cost 3 million marks. Timber comes from Norway."
)
BAKERY = "The bakery of Ada Nyberg\n\nAda Nyberg founded the bakery in 1950. She was 31 years old then."
BRIDGE = "The bridge over the Jade\n\nThe bridge over the Jade carries two trains an hour."

QUESTION = "What did the harbour of Varel cost?"
REPLY = "It cost 3 million marks [1]."
YES, NO = (0.9, 0.1), (0.1, 0.9)

TALK = (Turn("Who founded the bakery?", "Ada Nyberg founded the bakery in 1950."),)
FOLLOW_UP = "How old was she then?"
REWRITTEN = "How old was Ada Nyberg in 1950?"

ABC = "ba7816bf8f01"
"""The beginning of the sha256 of "abc", as FIPS 180-2 gives it."""


class Scripted:
    """A pipeline whose reader gets a new script for each question."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def reads(
        self, *replies: str, yes: Sequence[tuple[float, ...]] = (YES, YES), **changed: object
    ) -> tuple[Pipeline, ScriptedEngine]:
        engine = ScriptedEngine(replies, yes)
        settings = self._pipeline.settings.model_copy(update=changed)
        return Pipeline(settings, self._pipeline.library, self._pipeline.embedder, engine), engine


def streamed(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextPiece))


def finished(events: Sequence[Event]) -> Answer:
    (answer,) = (event.answer for event in events if isinstance(event, Finished))
    return answer


def number_of(name: str, answer: Answer) -> int:
    """Of the passage that comes from the file `name`.txt."""
    (number,) = (passage.number for passage in answer.passages if passage.document.source.endswith(f"/{name}.txt"))
    return number


def cited(answer: Answer) -> list[tuple[str, list[str]]]:
    """Each sentence of the answer with the sentences it rests on."""
    return [(claim.text, [citation.text for citation in claim.citations]) for claim in answer.claims]
