"""A file of questions, looked through before anything is asked."""

from pathlib import Path

from rag.errors import InputError
from rag.tasks import Upload

MOST_QUESTIONS = 20_000
"""In a file handed in on the page: a week's work for two cores."""
SHOWN = 5
"""Questions, and rows that can't be asked, that are shown at most."""


def look_through(path: Path) -> Upload:
    """How many questions a file has, and what is wrong with its other rows.

    Raises InputError for a file that can't be used at all, or has more than `MOST_QUESTIONS`. Messages name the file
    without its folder.
    """
    from rag.batch import BadRow, read_questions  # here and below: loading it takes seconds, and the page should show

    first: list[str] = []
    bad: list[tuple[int, str]] = []
    questions = 0
    try:
        for row in read_questions(path):
            if isinstance(row, BadRow):
                bad.append((row.question.row, row.problem))
                continue
            questions += 1
            if len(first) < SHOWN:
                first.append(row.text)
            if questions > MOST_QUESTIONS:
                raise InputError(
                    f"{path.name} has more than {MOST_QUESTIONS:,} questions. Split it, or run `rag batch` on it."
                )
    except InputError as error:
        raise InputError(str(error).replace(str(path), path.name)) from error  # the folder is none of the reader's
    if not questions:
        raise InputError(f"{path.name} has no question that can be asked. Row {bad[0][0]}: {bad[0][1]}")
    return Upload(
        path.name, questions, tuple(first), tuple(bad[:SHOWN]), len(bad), not bad and _says_what_is_right(path)
    )


def _says_what_is_right(path: Path) -> bool:
    if path.suffix.lower() != ".jsonl":
        return False
    from rag.evaluation.sets import load_set

    try:
        known = load_set(path)
    except InputError:
        return False
    return any(gold.answers or gold.evidence or not gold.answerable for _, gold in known.golds)
