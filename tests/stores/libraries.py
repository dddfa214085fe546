"""Libraries at any place."""

from typing import Any

from rag.index import AnyLibrary
from rag.stores import Place, open_library, open_writer
from tests.fakes import WordEmbedder
from tests.index.shelf import ARTICLES, IDENTITY, put


def make_library(place: Place, articles: dict[str, str] = ARTICLES) -> Place:
    """One commit of `articles`; returns `place`."""
    with open_writer(place, IDENTITY) as writer:
        for name, text in articles.items():
            put(writer, name, text)
        writer.commit()
    return place


def opened(place: Place) -> AnyLibrary:
    return open_library(place, IDENTITY)


def state(place: Place) -> dict[str, Any]:
    """All that can be read of a library, but for the random stamp and the scores of words."""
    with opened(place) as library, library.snapshot() as now:
        documents = now.documents_by_id(listed.id for listed in now.documents())
        questions = [documents[name].text for name in sorted(documents)]
        return {
            "generation": now.manifest.generation,
            "count": now.count(),
            "listed": now.documents(),
            "documents": documents,
            "roots": now.roots(),
            "visits": now.visits(),
            "origins": now.origins(),
            "dates": now.dates(),
            "copies": {name: now.duplicates_of(name) for name in documents},
            "nearest": [
                sorted(
                    (hit.chunk.id, round(hit.score, 5)) for hit in now.nearest(WordEmbedder().embed_query(text), 100)
                )
                for text in questions
            ],
            "matching": [sorted(hit.chunk.id for hit in now.matching(text, 100)) for text in questions],
        }
