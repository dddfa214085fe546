"""Runs that are interrupted, that meet, and how far they say they are."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from rag import indexing
from rag.errors import LibraryBusy
from rag.indexing import index_paths
from rag.types import Progress, Vectors
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, state
from tests.indexing.folders import NEWS, AttentiveEmbedder, index, interrupted_at, names, texts, write, zip_of


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize("start_over", [False, True])
def test_an_interrupted_run_leaves_the_old_library_and_the_next_completes(
    start_over: bool, news: Path, library: Path
) -> None:
    def interrupt(call: int) -> None:
        assert state(library) == before
        if call == 3:
            raise KeyboardInterrupt

    index(library, news)
    before = state(library)
    write(news, dict.fromkeys(NEWS, "All is new."))
    with pytest.raises(KeyboardInterrupt):
        index(library, news, embedder=AttentiveEmbedder(interrupt), start_over=start_over)
    assert state(library) == before
    report = index(library, news, start_over=start_over)
    assert names(report.added if start_over else report.updated) == list(NEWS)
    assert texts(library) == ["All is new."] * 3


@pytest.mark.usefixtures("one_by_one")
def test_what_was_committed_before_an_interruption_is_not_done_again(
    news: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "COMMIT_SECONDS", -1.0)
    with pytest.raises(KeyboardInterrupt):
        index(library, news, embedder=interrupted_at(3))
    assert texts(library) == sorted([NEWS["apples.txt"], NEWS["bread.md"]])
    report = index(library)
    assert (names(report.added), report.unchanged, report.documents) == (["coal.txt"], 2, 3)


@pytest.mark.usefixtures("one_by_one")
def test_a_library_made_anew_is_seen_only_when_it_is_complete(
    news: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "COMMIT_SECONDS", -1.0)
    index(library, news)
    before = state(library)
    seen = []
    write(news, dict.fromkeys(NEWS, "All is new."))
    index(library, news, embedder=AttentiveEmbedder(lambda _: seen.append(state(library) == before)), start_over=True)
    assert seen == [True, True, True]
    assert texts(library) == ["All is new."] * 3


@pytest.mark.usefixtures("one_by_one")
def test_an_interruption_never_leaves_half_of_a_files_documents(
    tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "COMMIT_SECONDS", -1.0)
    folder = write(tmp_path / "news", {"a.txt": "First of all."})
    zip_of(folder / "all.zip", NEWS)
    with pytest.raises(KeyboardInterrupt):
        index(library, folder, embedder=interrupted_at(4))
    assert texts(library) == ["First of all."]
    report = index(library, folder)
    assert (len(report.added), report.unchanged, report.documents) == (3, 1, 4)


def test_two_runs_at_once_are_one_too_many(news: Path, library: Path, tmp_path: Path) -> None:
    letters = write(tmp_path / "letters", {"ada.txt": "Dear Ada."})

    def meanwhile(_: int) -> None:
        with pytest.raises(LibraryBusy, match=r"Another `rag index` \(process \d+, since .*wait for it to end"):
            index(library, letters)

    assert index(library, news, embedder=AttentiveEmbedder(meanwhile)).documents == 3
    assert index(library, letters).documents == 4


def test_progress_counts_bytes_up_to_all_of_them(news: Path, library: Path) -> None:
    told: list[tuple[str, int, int]] = []
    (news / "bits.txt").write_bytes(b"\x00\x01")
    index(library, news / "coal.txt")
    index_paths([news], library, IDENTITY, WordEmbedder(), report=lambda *told_now: told.append(told_now))
    size = sum(len(text) for text in NEWS.values()) + 2
    assert {(what, total) for what, _, total in told} == {("Indexing", size)}
    done = [done for _, done, _ in told]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, size)
    assert 2 in done  # the bits are done with while the apples before them wait to be embedded


def test_progress_is_made_within_a_long_article_and_never_lost(library: Path, tmp_path: Path) -> None:
    class Slices(WordEmbedder):
        def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
            assert progress
            with (folder / "short.txt").open("a", encoding="utf-8") as file:
                file.write("It grows while it is read. " * 50)
            for done in range(0, len(texts) + 1, 10):
                progress(done, len(texts))
            return super().embed_passages(texts, progress)

    told: list[int] = []
    long = "".join(f"Stone number {number} lies in the long row of stones. " for number in range(2000))
    folder = write(tmp_path / "stones", {"long.txt": long, "short.txt": "A short one."})
    index_paths([folder], library, IDENTITY, Slices(), report=lambda _what, done, _total: told.append(done))
    assert told == sorted(told)
    assert len(set(told)) > 10
    assert told[-1] == len(long) + len("A short one.")
