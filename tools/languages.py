"""Bring the page's translations in step with the texts in the code.

python -m tools.languages         # every rag/languages/*.po: new texts added, those that are gone dropped
python -m tools.languages it      # the same, and begin Italian
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "rag" / "languages"
ONE_TEXT = ("said", "told", "later", "label")
"""Functions whose first argument is a text."""


def texts() -> Catalog:
    """All texts in the code, with the files that they stand in."""
    found = Catalog(project="Citeline", charset="utf-8")
    for path in sorted((ROOT / "rag").rglob("*.py")):
        for text in _texts_in(path):
            found.add(text, locations=[(path.relative_to(ROOT).as_posix(), 0)], flags=_flags(text))
    return found


def translated(language: str) -> Catalog:
    """A language's file as it is; empty where there is none yet."""
    path = FOLDER / f"{language}.po"
    if not path.exists():
        return Catalog(language, project="Citeline", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, language)


def _texts_in(path: Path) -> Iterator[str | tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        given = [value.value for value in node.args if isinstance(value, ast.Constant) and isinstance(value.value, str)]
        if node.func.id in ONE_TEXT and node.args[:1] and isinstance(node.args[0], ast.Constant):
            yield given[0]
        elif node.func.id == "counted" and len(given) > 1:
            yield given[0], given[1]


def _flags(text: str | tuple[str, str]) -> list[str]:
    return ["python-brace-format"] if "{" in str(text) else []


def main() -> None:
    """Write the files."""
    known = sorted({*(path.stem for path in FOLDER.glob("*.po")), *sys.argv[1:]})
    for language in known:
        catalog = translated(language)
        made = catalog.creation_date
        catalog.update(texts(), no_fuzzy_matching=True)
        catalog.creation_date = made  # else every run would change every file
        catalog.obsolete.clear()
        with (FOLDER / f"{language}.po").open("wb") as file:
            write_po(file, catalog, width=120, sort_output=True, include_lineno=False, omit_header=False)
        missing = sum(not message.string or not all(message.string) for message in catalog if message.id)
        sys.stdout.write(f"{language}: {len(catalog)} texts, {missing} to be translated\n")


if __name__ == "__main__":
    main()
