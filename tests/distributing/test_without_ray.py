"""What needs no cluster: how a reader is stopped, and addresses that are none."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from rag.distributing import connected
from rag.documents import FieldNames
from rag.errors import ClusterError, InputError
from rag.indexing import index_paths
from rag.visiting import FileRead, Stopped, read_here
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY
from tests.indexing.folders import NEWS, index, names, texts, write


def test_what_was_read_before_a_stop_is_committed_and_the_next_run_goes_on(tmp_path: Path) -> None:
    def stopped(files: Iterable[Path], fields: FieldNames) -> Iterator[FileRead]:
        for number, read in enumerate(read_here(files, fields)):
            if number == 2:
                raise Stopped
            yield read

    news, library = write(tmp_path / "news", NEWS), tmp_path / "index"
    with pytest.raises(KeyboardInterrupt):
        index_paths([news], library, IDENTITY, WordEmbedder(), read=stopped)
    assert texts(library) == sorted([NEWS["apples.txt"], NEWS["bread.md"]])
    report = index(library)
    assert (names(report.added), report.unchanged) == (["coal.txt"], 2)


def test_an_address_of_no_cluster_is_refused() -> None:
    with pytest.raises(InputError, match="Give local, ray://HOST:10001 or HOST:6379"), connected("everywhere"):
        pass


def test_without_ray_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.distributing.connecting.find_spec", lambda _: None)
    with pytest.raises(ClusterError, match=r"pip install 'citeline\[ray\]'"), connected("local"):
        pass
