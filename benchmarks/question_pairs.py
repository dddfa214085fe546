"""Questions of a set in pairs about one document, a document of every article before the second of any."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import TypeAlias

from rag.evaluation.libraries import library_for
from rag.evaluation.results import Gold
from rag.evaluation.sets import QuestionSet
from rag.pipeline import Pipeline, library_identity, open_embedder, open_reader
from rag.settings import Settings
from rag.stores import open_library
from rag.types import Question

Asked: TypeAlias = tuple[Question, Gold]


def by_article(questions: QuestionSet) -> list[list[list[Asked]]]:
    """Articles, that is documents of one title, each as the questions of its documents, in the order of the set."""
    assert questions.corpus is not None, "the set has to bring its documents along"
    titles = {document.id: document.title for document in questions.corpus.read()}
    found: dict[str, dict[str, list[Asked]]] = defaultdict(lambda: defaultdict(list))
    for question, gold in questions.golds:
        if gold.answerable and gold.answers and (name := next(iter(gold.relevance), None)) in titles:
            found[titles[name]][name].append((question, gold))
    return [list(documents.values()) for documents in found.values()]


def pairs(questions: QuestionSet) -> Iterator[tuple[Asked, Asked]]:
    """The first and the last question about a document that has two or more."""
    several = ([asked for asked in article if len(asked) > 1] for article in by_article(questions))
    for row in itertools.zip_longest(*several):
        yield from ((asked[0], asked[-1]) for asked in row if asked)


def open_for(questions: QuestionSet, settings: Settings, *, repeatable: bool = False) -> Pipeline:
    """The pipeline on the library that `rag eval` makes of the set."""
    embedder = open_embedder(settings)
    place = library_for(questions, settings, embedder)
    library = open_library(place, library_identity(settings, embedder))
    return Pipeline(settings, library, embedder, open_reader(settings, repeatable=repeatable))
