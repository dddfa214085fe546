"""The work that comes before the first word of an answer, done while its question is still being typed.

What is read ahead is what will be read: the same prompts, made in the same order. As long as a question that grows
brings the same passages, all but its last words has been read; once it is finished, its check has been made too, and
the prompt of its answer read to the end.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeAlias

from rag import prompting
from rag.ahead import Prepared
from rag.retrieval import Retrieved
from rag.types import Engine, Limits, Turn

REWRITE = Limits(max_tokens=80, stop=("\n",))

GivenUp: TypeAlias = Callable[[str, Retrieved, float], bool]
"""(standalone question, what was found for it, the probability that this states the answer) → whether it is refused."""


def stand_alone(question: str, history: Sequence[Turn], engine: Engine) -> Generator[None, None, str]:
    """Return the question so that it can be understood without `history`; the reader writes it where that is needed."""
    if not (history and prompting.leans_on_history(question)):
        return question
    written = ""
    for piece in engine.stream(prompting.standalone_prompt(question, history), REWRITE):
        written += piece
        yield
    return prompting.standalone_question(written, question)


def prepare(
    question: str,
    history: Sequence[Turn],
    engine: Engine,
    retrieve: Callable[[str], Retrieved],
    is_given_up: GivenUp,
    today: date,
) -> Generator[Prepared, None, None]:
    """See `Pipeline.prepare`."""
    prepared = Prepared(question, tuple(history))
    writing = stand_alone(question, history, engine)
    while True:
        try:
            next(writing)
        except StopIteration as end:
            prepared = replace(prepared, standalone=end.value)
            break
        yield prepared
    yield prepared
    standalone = prepared.standalone
    found = retrieve(standalone)
    yield prepared
    if not found.passages:
        return
    check = prompting.check_prompt(standalone, found.passages, today)
    for _ in engine.warm(check):
        yield prepared
    answerable = engine.choose(check, prompting.YES_NO)[0]
    prepared = replace(prepared, answerable={check: answerable})
    yield prepared
    if is_given_up(standalone, found, answerable):
        return
    for _ in engine.warm(prompting.answer_prompt(standalone, found.passages, today)):
        yield prepared
