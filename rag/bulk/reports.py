"""The reports that `rag eval` and the page write: folders with a report.html, a report.json and a report.md each."""

import html
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import InputError, RagError
from rag.rights import Readable, Rights
from rag.tasks import ReportListed, ReportsCompared, ScoreChange
from rag.types import Answer

if TYPE_CHECKING:
    from rag.evaluation import Evaluation
    from rag.evaluation.numbers import Numbers

PAGE, NUMBERS, TEXT = "report.html", "report.json", "report.md"
READER = "reader.json"
"""Of a report that the page made: for whom, and the sources of the articles in it."""
MOST_LISTED = 50
TELLING = (
    "answer contained", "right when it answers", "refused as it should", "refused though it should not",
    "citation precision", "nDCG@10",
)  # fmt: skip
"""Names of scores of which the list shows the first `SHOWN` that a report has."""
SHOWN = 3

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
_OWN_TEXTS_ONLY = re.compile(
    r"default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-[\w+/=]+'; img-src data:; base-uri 'none'; "
    r"form-action 'none'"
)


class Reports:
    """The reports in one folder.

    Who may read every article sees all of them; others those that the page made for them, while they may read the
    articles in them. For them the rest isn't there.
    """

    def __init__(self, folder: Path, rights: Rights | None = None) -> None:
        self._folder = folder
        self._rights = rights or Rights(None)
        self._known: dict[str, tuple[int, ReportListed | None]] = {}  # by folder's name: as of when, and what it holds

    def listed(self, reader: str | None = None) -> list[ReportListed]:
        """Those that the reader may see, the newest first, `MOST_LISTED` at most.

        Folders that hold no report are passed over.
        """
        with suppress(OSError):
            readable = self._rights.or_nothing(reader)
            seen = [folder for folder in self._folder.iterdir() if _may_see(folder, reader, readable)]
            found = [self._listed(folder) for folder in seen]
            listed = sorted((one for one in found if one), key=lambda one: (one.made, one.key), reverse=True)
            return listed[:MOST_LISTED]
        return []

    def page(self, key: str, reader: str | None = None) -> bytes:
        """The page of a report. Raises InputError where there is none."""
        try:
            return (self._at(key, reader) / PAGE).read_bytes()
        except OSError as error:
            raise InputError(f"There is no report {key} any more.") from error

    def policy(self, key: str, reader: str | None = None) -> str:
        """The Content-Security-Policy that the page of a report names itself.

        Raises InputError where there is none, or where it would allow more than its own style and script.
        """
        try:
            with (self._at(key, reader) / PAGE).open("rb") as page:
                head = page.read(4096).decode("utf-8", "replace")
        except OSError as error:
            raise InputError(f"There is no report {key} any more.") from error
        found = _POLICY.search(head)
        policy = html.unescape(found[1]) if found else ""
        if not _OWN_TEXTS_ONLY.fullmatch(policy):
            raise InputError(f"The report {key} was made by another version. Run `rag eval` again to look at it here.")
        return f"{policy}; frame-ancestors 'none'"

    def compared(self, before: str, after: str, reader: str | None = None) -> ReportsCompared:
        """What changed from one report to another. Raises InputError for reports that can't be compared."""
        from rag.evaluation import compare
        from rag.evaluation.wording import difference_cells

        found = compare(self._numbers(before, reader), self._numbers(after, reader))
        return ReportsCompared(
            before=before,
            after=after,
            changed=found.settings,
            questions=found.questions,
            scores=tuple(ScoreChange(*difference_cells(one)) for one in found.differences),
            gained=found.gained,
            lost=found.lost,
        )

    def write(self, evaluation: "Evaluation", reader: str | None = None) -> str:
        """Into a folder of its own, beside earlier ones of that name; returns its key. Raises RagError."""
        from rag.evaluation import report_html, report_json, report_markdown

        name = re.sub(r"[^\w.-]+", "-", evaluation.name).strip(".-")[:60] or "report"
        try:
            folder = self._new(name)
            for file, text in (
                (PAGE, report_html(evaluation)),
                (TEXT, report_markdown(evaluation)),
                (NUMBERS, report_json(evaluation)),
                (READER, json.dumps({"reader": reader, "sources": _sources(evaluation)})),
            ):
                (folder / file).write_text(text, encoding="utf-8")
        except OSError as error:
            raise RagError(
                f"{self._folder} can’t be written ({error.strerror}). Free some space, or make it writable."
            ) from error
        return folder.name

    def _new(self, name: str) -> Path:
        """A folder that wasn't there: rates, rates-2, rates-3 …"""
        number = 1
        while True:
            folder = self._folder / (name if number == 1 else f"{name}-{number}")
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                number += 1
                continue
            return folder

    def _at(self, key: str, reader: str | None) -> Path:
        """Raises InputError for what is no name of a folder in the folder, or not for this reader."""
        named = Path(key).name == key and key not in ("", ".", "..")
        if not named or not _may_see(self._folder / key, reader, self._rights.or_nothing(reader)):
            raise InputError("There is no such report.")
        return self._folder / key

    def _numbers(self, key: str, reader: str | None) -> "Numbers":
        return self._read(self._at(key, reader).name)

    def _read(self, key: str) -> "Numbers":
        from rag.evaluation import read_report

        try:
            text = (self._folder / key / NUMBERS).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"There is no report {key} any more.") from error
        try:
            return read_report(text)
        except InputError as error:
            raise InputError(f"{key}: {error}") from error

    def _listed(self, folder: Path) -> ReportListed | None:
        """Read again only when the file has changed: with thousands of questions it has some megabytes."""
        try:
            changed = (folder / NUMBERS).stat().st_mtime_ns
        except OSError:
            return None
        known, listed = self._known.get(folder.name, (0, None))
        if known != changed:
            try:
                listed = _in_words(folder.name, self._read(folder.name))
            except InputError:
                listed = None
            self._known[folder.name] = (changed, listed)
        return listed


def _in_words(key: str, report: "Numbers") -> ReportListed:
    from rag.evaluation.report import interval_in_words, value_in_words

    scores = {score.name: score for score in report.scores}
    telling = [scores[name] for name in TELLING if name in scores][:SHOWN]
    return ReportListed(
        key=key,
        name=report.name,
        mode=str(report.mode),
        made=report.made,
        questions=len(report.questions),
        scores=tuple((score.name, value_in_words(score), interval_in_words(score)) for score in telling),
    )


def _sources(evaluation: "Evaluation") -> list[str]:
    """Of all articles that stand in the report."""
    answers = [judged.outcome for judged in evaluation.questions if isinstance(judged.outcome, Answer)]
    passages = [passage for answer in answers for passage in answer.passages]
    return sorted({source for passage in passages for source in (passage.document.source, *passage.copies)})


def _may_see(folder: Path, reader: str | None, readable: Readable) -> bool:
    if readable.everything:
        return True
    try:
        made = json.loads((folder / READER).read_text(encoding="utf-8"))
        return made["reader"] == reader and all(map(readable.reads, made["sources"]))
    except (OSError, ValueError, KeyError, TypeError):  # `rag eval` made it
        return False
