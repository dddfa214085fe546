from collections.abc import Generator, Iterator

from rag.types import Engine, Limits, Prompt


def answer(engine: Engine, prompt: Prompt, limits: Limits) -> str:
    return "".join(engine.stream(prompt, limits))


def stop(pieces: Iterator[object]) -> None:
    """Close the iterator, as Stop does."""
    assert isinstance(pieces, Generator)
    pieces.close()
