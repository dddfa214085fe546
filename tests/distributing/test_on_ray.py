"""A library made on a real Ray of this machine with two workers, some of which are killed."""

import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import ray

from rag.distributing import Connection, Task, code_here, reader_on
from rag.documents import USUAL_FIELDS
from rag.errors import ClusterError
from rag.indexing import IndexReport, index_paths
from rag.types import Progress, Vectors
from rag.visiting import FileReader
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY
from tests.indexing.folders import index, names, write
from tests.stores.libraries import state

TWO_WORKERS = Connection("local", 2, 0)
ARTICLES = {f"{number:02}.txt": f"Stone {number} is heavy. It lies in row {number % 7}." for number in range(40)}


@dataclass(frozen=True)
class Mortal:
    """Makes the embedder of a worker, which is killed by the first "unlucky" text, and by every "deadly" one."""

    marker: Path

    def __call__(self) -> WordEmbedder:
        return MortalEmbedder(self.marker)


class MortalEmbedder(WordEmbedder):
    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        unlucky = any("unlucky" in text for text in texts) and not self._marker.exists()
        if unlucky:
            self._marker.touch()
        if unlucky or any("deadly" in text for text in texts):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().embed_passages(texts, progress)


@pytest.fixture(scope="module")
def local_ray() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")  # with tokens it would write one into the home folder
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init("local", num_cpus=2, object_store_memory=100_000_000, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


def on_ray(library: Path, folder: Path, read: FileReader) -> IndexReport:
    return index_paths([folder], library, IDENTITY, WordEmbedder(), read=read)


@pytest.mark.usefixtures("local_ray")
def test_killed_workers_change_nothing_in_the_library_and_a_file_that_kills_them_all_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "news", {**ARTICLES, "20.txt": "An unlucky stone.", "99.txt": "A deadly stone."})
    marker, library, plain = tmp_path / "killed", tmp_path / "index", tmp_path / "plain"
    read = reader_on(TWO_WORKERS, Task(IDENTITY, Mortal(marker), USUAL_FIELDS, code_here()))
    done = on_ray(library, folder, read)
    assert marker.exists()
    assert (len(done.added), done.unchanged, done.documents) == (40, 0, 40)
    (refused,) = done.refused
    assert refused.startswith(f"{folder / '99.txt'} ended the worker that read it, 3 times.")
    (folder / "99.txt").unlink()
    index(plain, folder)
    assert {**state(library), "generation": 1} == {**state(plain), "generation": 1}
    again = on_ray(library, folder, read)
    assert (names(again.added), again.unchanged, again.documents) == ([], 40, 40)


@pytest.mark.usefixtures("local_ray")
def test_workers_with_another_version_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "news", {"a.txt": "A stone."})
    read = reader_on(TWO_WORKERS, Task(IDENTITY, WordEmbedder, USUAL_FIELDS, "older"), shared=True)
    with pytest.raises(ClusterError, match="A worker has another version of Citeline"):
        on_ray(tmp_path / "index", folder, read)
