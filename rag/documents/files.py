"""Files and folders → the files that hold articles."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from rag.documents.kinds import BEGINNING, accepted_formats, kind_by_name, kind_of
from rag.errors import DocumentError

NO_ARTICLES = frozenset({"questions.jsonl", "queries.jsonl", "qrels.tsv"})
"""What lies beside the articles of a question set, and is not indexed with them."""


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The article files among `paths` and in the folders among them, resolved, sorted, each once.

    In a folder, at any depth, files that aren't named like articles are passed over, the questions of a question set,
    hidden files and folders, and a link that leads out of the folder or to another folder. A file named by itself is
    taken even if it is hidden or a link, or if only its content shows that it is an article.
    Raises DocumentError for a path that isn't there, a folder that can't be listed or has no article in it, and a file
    of another format.
    """
    try:
        return sorted({file for path in paths for file in _files_of(path)})
    except OSError as error:
        raise DocumentError(f"{error.filename} can't be read: {error.strerror}. Make it readable.") from error


def _files_of(path: Path) -> list[Path]:
    if not path.exists():
        raise DocumentError(f"There is no file or folder {path}. Give the path of a folder of articles.")
    if path.is_dir():
        files = list(_files_in(path.resolve()))
        if not files:
            raise DocumentError(f"There is no article in {path}. Accepted formats: {accepted_formats()}.")
        return files
    if kind_by_name(path.name) is None:
        with path.open("rb") as file:
            kind_of(file.read(BEGINNING), path.name, str(path))  # a PDF is one under any name
    return [path.resolve()]


def _files_in(root: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(root, onerror=_refuse):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            file = Path(folder, name)
            if name.startswith(".") or name.lower() in NO_ARTICLES or kind_by_name(name) is None:
                continue
            target = _inside(root, file)
            if target:
                yield target


def _inside(root: Path, file: Path) -> Path | None:
    """The article file that `file` is or links to, if it lies in `root`."""
    try:
        target = file.resolve(strict=True)
    except (OSError, RuntimeError):  # a link to nothing, or one that leads in a circle
        return None
    is_article = target.is_file() and kind_by_name(target.name) is not None
    return target if is_article and target.is_relative_to(root) else None


def _refuse(error: OSError) -> None:
    raise error
