"""A question set's own library, in the cache folder: made once, and used again while nothing it depends on changes."""

import hashlib
from dataclasses import replace
from pathlib import Path

import platformdirs

from rag.errors import LibraryEmpty, LibraryUnwritable
from rag.evaluation.sets import Corpus, QuestionSet, set_key
from rag.index import Identity
from rag.indexing import Report, index_documents
from rag.pipeline import library_identity
from rag.settings import Settings
from rag.stores import Place, Servers, open_library, place_of
from rag.types import Embedder

NAME_CHARACTERS = 60
"""Of a set's name, at most so many are in the name of its library's folder."""


def library_for(
    questions: QuestionSet,
    settings: Settings,
    embedder: Embedder,
    report: Report | None = None,
    cache: Path | None = None,
) -> Place:
    """Where the library lies that holds exactly the set's articles, or the library in use where it brings none.

    It lies in `cache`, or the platform's cache folder such as ~/.cache/citeline/evaluations, under the set's name and
    12 hex digits that stand for the articles and for all that chunks and vectors depend on; with the library in use on
    servers it lies there, in a schema of its own. It is made where it isn't there or not complete; an interrupted run
    loses at most a minute's work.

    Raises the RagErrors of `open_library` and `index_documents`.
    """
    corpus = questions.corpus
    if corpus is None:
        return place_of(settings)
    identity = library_identity(settings, embedder)
    key = hashlib.sha256(f"{identity} {set_key(corpus)}".encode()).hexdigest()[:12]
    in_use = place_of(settings)
    cache = cache or platformdirs.user_cache_path("citeline") / "evaluations"
    # Under another set's name, too: files of questions share the articles they lie beside.
    folder: Place = next(cache.glob(f"*-{key}"), cache / f"{questions.name[:NAME_CHARACTERS]}-{key}")
    if isinstance(in_use, Servers):
        folder = replace(in_use, name=f"eval_{key}")
    if not _is_complete(folder, identity, corpus):
        total = len(corpus.hashes)
        index_documents(corpus.read(), folder, identity, embedder, total=total, command="rag eval", report=report)
    return folder


def _is_complete(folder: Place, identity: Identity, corpus: Corpus) -> bool:
    try:
        with open_library(folder, identity) as library:
            return {listed.id: listed.content_hash for listed in library.documents()} == corpus.hashes
    except LibraryEmpty:
        return False
    except LibraryUnwritable as error:
        raise LibraryUnwritable(
            f"The library of a question set in {folder} can't be read. Remove the folder, and it is made again."
        ) from error
