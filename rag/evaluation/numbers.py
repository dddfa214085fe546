"""The numbers of an evaluation as JSON, to be read again and compared."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from rag.errors import InputError
from rag.evaluation.results import Evaluation, Judged, Mode, Score, Stage
from rag.records import conditions_fields
from rag.types import Answer, Conditions

FORMAT = 1
"""Of the JSON; another number means that older versions can't read it."""


@dataclass(frozen=True, slots=True)
class QuestionNumbers:
    """What the JSON holds of a `Judged`."""

    id: str
    row: int
    right: bool | None
    stage: Stage | None
    measures: Mapping[str, float]
    answerable: bool
    confidence: float | None
    """None where there is no answer."""
    abstained: bool
    """False where there is no answer."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the JSON holds of an `Evaluation`; fields of the same name mean the same."""

    name: str
    mode: Mode
    made: str
    command: str
    conditions: Conditions
    scores: tuple[Score, ...]
    questions: tuple[QuestionNumbers, ...]


def report_json(evaluation: Evaluation) -> str:
    """The numbers of the page as JSON, for `read_report`; what is no finite number becomes null."""
    found = {
        "format": FORMAT,
        "name": evaluation.name,
        "mode": evaluation.mode,
        "made": evaluation.made,
        "command": evaluation.command,
        "conditions": conditions_fields(evaluation.conditions),
        "scores": [asdict(score) for score in evaluation.scores],
        "questions": [_question_fields(judged) for judged in evaluation.questions],
    }
    return json.dumps(_finite(found), indent=1, allow_nan=False) + "\n"


def read_report(text: str) -> Numbers:
    """What `report_json` wrote; numbers that it couldn't write come back as nan. InputError for anything else."""
    try:
        found = json.loads(text)
        if found["format"] != FORMAT:
            raise InputError(
                f"This report has format {found['format']!r}, and only format {FORMAT} can be read. "
                "Make it again with this version: its field `command` says how."
            )
        for numbers in (*found["scores"], *(question["measures"] for question in found["questions"])):
            numbers |= {name: math.nan for name, value in numbers.items() if value is None}
        return TypeAdapter(Numbers).validate_json(json.dumps(found), strict=True)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(
            "This is no report of an evaluation. Give the file report.json that `rag eval` wrote."
        ) from error


def _question_fields(judged: Judged) -> dict[str, Any]:
    answer = judged.outcome if isinstance(judged.outcome, Answer) else None
    return {
        "id": judged.question.id,
        "row": judged.question.row,
        "right": judged.right,
        "stage": judged.stage,
        "measures": dict(judged.measures),
        "answerable": judged.answerable,
        "confidence": judged.confidence,
        "abstained": answer is not None and answer.abstained,
    }


def _finite(value: object) -> object:
    """The value, in which numbers that aren't finite are None."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {name: _finite(one) for name, one in value.items()}
        case list():
            return [_finite(one) for one in value]
    return value
