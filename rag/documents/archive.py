"""Zip of articles → the `Article`s of all its members."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath

from rag.documents.article import Article, Found, Note
from rag.documents.cleaning import one_line
from rag.documents.kinds import Kind, accepted_formats, kind_by_name
from rag.documents.unpacking import Package
from rag.errors import DocumentError

MARKS = {
    "word/": Kind.DOCX, "ppt/": Kind.PPTX, "xl/": Kind.XLSX, "META-INF/container.xml": Kind.EPUB,
}  # fmt: skip
"""How the names of members begin that show what kind of file is packed like a zip."""

NAME_CHARACTERS = 300

ReadMember = Callable[[bytes, str, str], Iterator[Found]]
"""Called with the bytes of a member, its name and its source."""


def packed_kind(package: Package) -> Kind:
    """What a zip is: a Word file, a book and so on, or a ZIP of other files."""
    names = package.names()
    if "EncryptedPackage" in names:
        raise DocumentError(f"{package.source} is encrypted. Save it without its password.")
    office = "[Content_Types].xml" in names
    for mark, kind in MARKS.items():
        if (office or kind is Kind.EPUB) and any(name.startswith(mark) for name in names):
            return kind
    if "mimetype" in names and "content.xml" in names:
        raise DocumentError(f"{package.source} is an OpenDocument file. Save it as .docx, .pptx or .xlsx.")
    return Kind.ZIP


def read_archive(package: Package, read: ReadMember) -> Iterator[Found]:
    """The articles of each member that would be read in a folder, its name in front of their part.

    Names are never used as paths. A zip in a zip is not read. There is a note for each member that can't be read;
    raises DocumentError where none can.
    """
    found, problems = False, []
    taken: set[str] = set()
    for member in package.members:
        name = _name(member.filename, taken)
        if not _is_article(member.filename):
            continue
        source = f"{package.source}#{name}"
        try:
            if kind_by_name(name) is Kind.ZIP:
                raise DocumentError(f"{source} is a zip in a zip. Unpack the outer one.")
            for one in read(package.read(member), name, source):
                if isinstance(one, Article):
                    found = True
                    yield replace(one, part=f"{name}#{one.part}" if one.part else name)
                else:
                    yield one
        except DocumentError as error:
            if package.exhausted:
                raise
            problems.append(str(error))
            yield Note(str(error))
    if not found:
        raise DocumentError(problems[0] if problems else _without_articles(package.source))


def _without_articles(source: str) -> str:
    return f"There is no article in {source}. Accepted formats: {accepted_formats()}."


def _is_article(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    hidden = any((part.startswith(".") and part not in (".", "..")) or part == "__MACOSX" for part in parts)
    return not hidden and kind_by_name(name) is not None


def _name(name: str, taken: set[str]) -> str:
    """What the member is called in sources: one line, like no other's, and leading nowhere.

    "news/a.txt" → "news/a.txt", the second time "news/a (2).txt"; "../../etc/a.txt" → "etc/a.txt"
    """
    steps = (step for step in name.replace("\\", "/").split("/") if step.strip() not in ("", ".", ".."))
    path = PurePosixPath(one_line("/".join(steps), NAME_CHARACTERS) or "unnamed")
    plain, count = str(path), 1
    while plain in taken:
        count += 1
        plain = str(path.with_name(f"{path.stem} ({count}){path.suffix}"))
    taken.add(plain)
    return plain
