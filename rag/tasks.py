"""Files of questions that a running page answers, and evaluations, as values to be shown."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How the work on a file stands."""

    RUNNING = "running"
    STOPPED = "stopped"
    CHANGED = "changed"
    """What answers depend on has changed since it was begun, so somebody has to say how to go on."""
    FAILED = "failed"
    DONE = "done"


class Result(StrEnum):
    """What became of a row."""

    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RowDone:
    """A row that has been dealt with."""

    row: int
    question: str
    result: Result
    text: str
    """The answer, why there is none, or what went wrong."""
    confidence: float | None
    """None where there is no answer."""
    sources: tuple[str, ...]
    """Titles of the articles cited."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of questions that was looked through and not begun yet."""

    name: str
    questions: int
    """That can be asked."""
    first: tuple[str, ...]
    bad: tuple[tuple[int, str], ...]
    """Row and problem of the first that can't be asked."""
    bad_count: int
    scorable: bool
    """Whether it says what right answers are, so that answers can be scored."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the work on one file stands."""

    id: str
    name: str
    made: str
    """ISO 8601, UTC."""
    strict: bool
    scored: bool
    """Whether it ends with a report on how good the answers are."""
    state: State
    doing: str
    """In a few words, such as "Answering"; empty where that is nothing of note."""
    message: str
    """Why it failed, or what has changed."""
    total: int
    answered: int
    refused: int
    failed: int
    seconds_left: float | None
    """None where nobody can tell yet."""
    rows: tuple[RowDone, ...]
    """The newest first while it runs, later the first ones in their order."""

    @property
    def done(self) -> int:
        """Rows dealt with."""
        return self.answered + self.refused + self.failed


@dataclass(frozen=True, slots=True)
class ReportListed:
    """An evaluation's report on disk."""

    key: str
    """Name of its folder."""
    name: str
    mode: str
    made: str
    """ISO 8601, UTC."""
    questions: int
    scores: tuple[tuple[str, str, str], ...]
    """Name, value and 95 % interval of the most telling ones, in words."""


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """One score of two reports; numbers in words."""

    name: str
    before: str
    after: str
    difference: str
    interval: str
    """Of the difference, 95 %."""
    questions: str
    verdict: str
    """"better", "worse", "can't tell" or "the same"."""


@dataclass(frozen=True, slots=True)
class ReportsCompared:
    """What two reports say together."""

    before: str
    after: str
    changed: str
    """What differs in the conditions; empty where nothing does."""
    questions: int
    """In both."""
    scores: tuple[ScoreChange, ...]
    gained: tuple[str, ...]
    """Ids of questions that were wrong and are right."""
    lost: tuple[str, ...]
