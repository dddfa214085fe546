"""Who answers the questions of a file."""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Protocol

from rag.errors import QuestionError
from rag.index import AnyLibrary
from rag.pipeline import Pipeline
from rag.types import Answer, Conditions, Passage, Question


class Asker(Protocol):
    """Answers questions so that equal questions in equal order after `forget` get equal answers."""

    def conditions(self) -> Conditions: ...

    def passages(self, question: Question) -> tuple[Passage, ...]:
        """What would be read to answer it. Raises the RagErrors of `answer`."""
        ...

    def read_ahead(self, question: Question, passages: tuple[Passage, ...]) -> Iterator[None]:
        """Bring the engine where it was after answering the question, but for the answer."""
        ...

    def answer(self, question: Question) -> Answer: ...

    def forget(self) -> None: ...


class LibraryAsker:
    """Asks a pipeline, whose engine should be a repeatable one."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._ids = ids_by_name(pipeline.library)

    def conditions(self) -> Conditions:
        return self.pipeline.conditions()

    def passages(self, question: Question) -> tuple[Passage, ...]:
        return self.pipeline.find_passages(question.text, self.documents(question))

    def read_ahead(self, question: Question, passages: tuple[Passage, ...]) -> Iterator[None]:
        return self.pipeline.read_ahead(question.text, passages)

    def answer(self, question: Question) -> Answer:
        self.pipeline.embedder.forget()  # its vectors may depend on what was asked before, in their last digits
        return self.pipeline.answer(question.text, documents=self.documents(question))

    def forget(self) -> None:
        self.pipeline.forget()

    def documents(self, question: Question) -> frozenset[str] | None:
        """Ids of the documents it may be answered from; None for all. Raises QuestionError for an unknown one."""
        if not question.documents:
            return None
        unknown = [name for name in question.documents if name not in self._ids]
        if unknown:
            raise QuestionError(
                f"The library has no article {unknown[0]!r}. Name articles by path, file name or id, or index it first."
            )
        return frozenset().union(*(self._ids[name] for name in question.documents))


def ids_by_name(library: AnyLibrary) -> Mapping[str, frozenset[str]]:
    """Ids of the articles that an id, a path or else a file name means; a file name may be that of several."""
    found: dict[str, set[str]] = {}
    documents = library.documents()
    for listed in documents:
        found.setdefault(PurePath(listed.source).name, set()).add(listed.id)
    exact = {name: frozenset({listed.id}) for listed in documents for name in (listed.source, listed.id)}
    return {name: frozenset(ids) for name, ids in found.items()} | exact
