"""Documents from elsewhere against the library made of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag import indexing
from rag.errors import LibraryBusy, LibraryMismatch
from rag.index import open_library
from rag.indexing import IndexReport, index_documents
from rag.types import Document
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, article, state
from tests.indexing.folders import AttentiveEmbedder, finds, interrupted_at, roots

LETTERS = (article("ada", "Dear Ada."), article("bo", "Dear Bo."), article("cy", "Dear Cy."))


def hold(
    library: Path, *documents: Document, embedder: WordEmbedder | None = None, total: int = 0, **given: Any
) -> IndexReport:
    return index_documents(iter(documents), library, IDENTITY, embedder or WordEmbedder(), total=total, **given)


def held(library: Path) -> list[Document]:
    """By title."""
    with open_library(library, IDENTITY) as now:
        found = now.documents_by_id(listed.id for listed in now.documents())
        return [found[listed.id] for listed in now.documents()]


def test_documents_from_elsewhere_become_a_library_as_they_are(library: Path) -> None:
    assert hold(library, *LETTERS) == IndexReport(
        added=tuple(letter.source for letter in LETTERS),
        updated=(),
        removed=(),
        unchanged=0,
        refused=(),
        documents=3,
    )
    assert held(library) == list(LETTERS)
    assert finds(library, "Bo")
    assert roots(library) == []


def test_the_library_holds_exactly_the_documents_given(library: Path) -> None:
    hold(library, *LETTERS)
    ada, bo, _ = LETTERS
    changed, new = article("bo", "Dear Bodil."), article("di", "Dear Di.")
    embedder = AttentiveEmbedder()
    report = hold(library, new, changed, ada, embedder=embedder)
    assert report == IndexReport((new.source,), (bo.source,), (LETTERS[2].source,), 1, (), documents=3)
    assert held(library) == [ada, changed, new]
    assert not finds(library, "Cy")
    assert embedder.calls == 1


def test_the_same_documents_again_change_and_embed_nothing(library: Path) -> None:
    hold(library, *LETTERS)
    before = state(library)
    embedder = AttentiveEmbedder()
    assert hold(library, *LETTERS, embedder=embedder) == IndexReport((), (), (), unchanged=3, refused=(), documents=3)
    assert state(library) == before
    assert embedder.calls == 0


def test_documents_of_another_identity_are_refused(library: Path) -> None:
    hold(library, *LETTERS)
    with pytest.raises(LibraryMismatch):
        index_documents(LETTERS, library, replace(IDENTITY, chunk_tokens=64), WordEmbedder())


@pytest.mark.usefixtures("one_by_one")
def test_documents_stored_before_an_interruption_are_not_embedded_again(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "COMMIT_SECONDS", -1.0)
    old = article("old", "Yours, Ol.")
    hold(library, old)
    with pytest.raises(KeyboardInterrupt):
        hold(library, *LETTERS, embedder=interrupted_at(3))
    assert held(library) == [*LETTERS[:2], old]
    embedder = AttentiveEmbedder()
    report = hold(library, *LETTERS, embedder=embedder)
    assert (report.added, report.removed, report.unchanged) == ((LETTERS[2].source,), (old.source,), 2)
    assert held(library) == list(LETTERS)
    assert embedder.calls == 1


@pytest.mark.usefixtures("one_by_one")
def test_progress_counts_documents(library: Path) -> None:
    told: list[tuple[str, int, int]] = []
    hold(library, LETTERS[1])
    hold(library, *LETTERS, total=3, report=lambda *now: told.append(now))
    assert {(what, total) for what, _, total in told} == {("Indexing", 3)}
    done = [done for _, done, _ in told]
    assert done == sorted(done)
    assert set(done) == {0, 1, 2, 3}
    told.clear()
    hold(library, *LETTERS, report=lambda *now: told.append(now))
    assert told[-1] == ("Indexing", 3, 0)


def test_who_writes_documents_says_what_for(library: Path) -> None:
    def meanwhile(_: int) -> None:
        with pytest.raises(LibraryBusy, match=r"Another `rag read` \(process \d+"):
            hold(library, *LETTERS)

    assert hold(library, *LETTERS, embedder=AttentiveEmbedder(meanwhile), command="rag read").documents == 3
