"""Which fields of records hold what of an article, as the settings say: `names`."""

from pathlib import Path

from rag.documents import FieldNames
from rag.index import open_library
from rag.indexing import IndexReport, index_paths
from rag.syncing import stale_files, sync_folders
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY
from tests.indexing.folders import AttentiveEmbedder, texts, write, zip_of

STORIES = '{"story": "One.", "text": "Uno."}\n{"story": "Two.", "text": "Due."}\n'


def index(library: Path, mapping: str, *paths: Path, embedder: WordEmbedder | None = None) -> IndexReport:
    return index_paths(paths, library, IDENTITY, embedder or WordEmbedder(), names=FieldNames.of(mapping))


def stale(library: Path, mapping: str) -> dict[str, list[str]]:
    with open_library(library) as now:
        return {Path(one.source).name: list(one.reasons) for one in stale_files(now, {}, FieldNames.of(mapping))}


def test_fields_of_records_can_be_named(tmp_path: Path, library: Path) -> None:
    folder = write(tmp_path / "news", {"a.jsonl": STORIES})
    assert index(library, "text=story", folder).refused == ()
    assert texts(library) == ["One.", "Two."]


def test_another_mapping_makes_files_with_fields_stale_and_they_are_read_again(tmp_path: Path, library: Path) -> None:
    folder = write(tmp_path / "news", {"a.jsonl": STORIES, "b.txt": "Plain.", "c.csv": "title,text\nT,Three.\n"})
    zip_of(folder / "d.zip", {"d.json": '{"story": "Four.", "text": "Quattro."}'})
    index(library, "", folder)
    assert texts(library) == ["Due.", "Plain.", "Quattro.", "Three.", "Uno."]
    assert stale(library, "") == {}
    changed = ["fields changed"]
    assert stale(library, "text=story") == {"a.jsonl": changed, "c.csv": changed, "d.zip": changed}
    embedder = AttentiveEmbedder()
    done = sync_folders(library, IDENTITY, embedder, names=FieldNames.of("text=story"))
    assert (len(done.updated), done.unchanged, embedder.calls) == (4, 1, 1)
    assert texts(library) == ["Four.", "One.", "Plain.", "Three.", "Two."]
    assert stale(library, " text = story ") == {}
    assert stale(library, "") == {"a.jsonl": changed, "c.csv": changed, "d.zip": changed}


def test_a_field_that_no_record_has_is_refused_and_those_that_are_there_are_named(
    tmp_path: Path, library: Path
) -> None:
    folder = write(tmp_path / "news", {"a.jsonl": STORIES, "b.json": '{"text": "Three.", "head": "T"}', "c.txt": "C."})
    report = index(library, "text=storry,title=head,author=by", folder)
    assert report.documents == 4
    assert report.refused == tuple(
        f"No record has a field called '{name}', as fields = title=head,text=storry,author=by says; "
        f"{folder}/a.jsonl has story, text. Correct --set fields=…, RAG_FIELDS or fields in rag.toml."
        for name in ("storry", "by")
    )


def test_a_field_that_other_articles_have_is_not_missed_in_a_new_one(tmp_path: Path, library: Path) -> None:
    folder = write(tmp_path / "news", {"a.jsonl": STORIES})
    index(library, "text=story", folder)
    write(folder, {"b.json": '{"text": "Three."}'})
    report = index(library, "text=story")
    assert (len(report.added), report.refused) == (1, ())
    assert index(library, "text=story").unchanged == 3


def test_without_records_no_field_is_missed(news: Path, library: Path) -> None:
    assert index(library, "text=story", news).refused == ()
    assert stale(library, "text=body") == {}
