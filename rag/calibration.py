"""Signals about an answer → the probability that it is right, and how probable it must be for the answer to be given.

    answerable 0.9, support 0.8, … → 0.85        a logistic regression, one weight a signal
    at most 5 % wrong answers      → 0.72        from the risk–coverage curve of the questions it was fitted on

The model is monotone: a signal never lowers confidence by rising. It is used in plain arithmetic, and fitted with
scikit-learn.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag.errors import CalibrationError
from rag.metrics import risk_coverage

FILE = "calibration.json"

MIN_ANSWERS, MIN_OF_A_KIND = 30, 8
"""Fewest answers to fit on, and fewest right and fewest wrong ones among them."""

REGULARISATION = 0.3
"""scikit-learn's `C`: as if weights were drawn from a normal distribution of variance 0.3, so that few answers can't
make a steep model. For this, and only while fitting, signals are measured in their standard deviations: otherwise a
cosine, which varies by a tenth, would be held down more than a share that goes from 0 to 1."""

SMALLEST_WEIGHT = 0.01
"""For a standard deviation. A signal that weighs less hardly moves a probability (by 0.0025), and is dropped."""

FOLDS = 5

Signals: TypeAlias = Mapping[str, float]
"""By name, each the higher the more speaks for the answer: probabilities and shares in [0, 1], cosines up to 1."""

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
_Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Point:
    """What comes of giving only the answers with at least this confidence."""

    confidence: Share
    coverage: Share
    """Share of the answers that are given."""
    risk: Share
    """Share of those given that are wrong."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted model, and how well it did on questions that it had not seen."""

    features: tuple[str, ...]
    """Names of the signals used."""
    weights: tuple[float, ...]
    """Of each, at least 0: what is added to the log-odds of being right as the signal goes from 0 to 1."""
    intercept: float
    """Log-odds where all signals are 0."""
    curve: tuple[Point, ...]
    """At least one, highest confidence first, of cross-validated probabilities."""
    fitted: str
    """The command that fitted it, and on what."""
    questions: int
    """Answers that it was fitted on."""

    def probability(self, signals: Signals) -> float:
        """That an answer with these signals is right, in [0, 1].

        Signals enter as they are, without scaling; those that the model doesn't use are passed over. Raises
        CalibrationError where one that it uses is missing.
        """
        if missing := [name for name in self.features if name not in signals]:
            raise CalibrationError(
                f"The calibration needs {', '.join(missing)}, and answers come with {', '.join(signals) or 'nothing'}. "
                "It was made for another version: `rag calibrate QUESTIONS` makes a new one."
            )
        pairs = zip(self.features, self.weights, strict=True)
        log_odds = self.intercept + sum(weight * signals[name] for name, weight in pairs)
        return (1 + math.tanh(log_odds / 2)) / 2  # the logistic function, in a form that can't overflow

    def threshold(self, max_wrong: float) -> float:
        """The confidence from which on to give answers so that a share of at most `max_wrong` of them is wrong.

        Of all that keep to it on the questions fitted on it is the lowest, which refuses least; 0, which refuses
        nothing, where giving all answers does. Where none does it is the confidence at which the risk is lowest.

        Geifman and El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS 2017, with the risk as it
        was observed in place of their bound on it: other questions may do a little better or worse.
        """
        point = self.working_point(max_wrong)
        refuses_nothing = point == self._everything and point.risk <= max_wrong
        return 0.0 if refuses_nothing else point.confidence

    def working_point(self, max_wrong: float) -> Point:
        """Where on the curve `threshold` is; its risk is above `max_wrong` where that can't be reached."""
        reached = [point for point in self.curve if point.risk <= max_wrong]
        if reached:
            return min(reached, key=lambda point: point.confidence)
        return min(self.curve, key=lambda point: (point.risk, point.confidence))

    @property
    def _everything(self) -> Point:
        return min(self.curve, key=lambda point: point.confidence)


def fit(rows: Sequence[Signals], right: Sequence[bool], command: str, seed: int = 0) -> Calibration:
    """The model of answers with these signals, of which those are right; `command` becomes `Calibration.fitted`.

    Not balanced, as that would make probabilities of another mix of answers. A signal whose weight comes out below
    `SMALLEST_WEIGHT`, such as one that would lower confidence by rising, is dropped, the least one first, and the
    others are fitted again. Equal `seed`s give equal curves.

    Raises CalibrationError where answers are too few, have different signals, or none of these tells right from wrong.
    """
    features, values, is_right = _checked(rows, right)
    weights, intercept = _fitted(values, is_right)
    used = [at for at, weight in enumerate(weights.tolist()) if weight]
    if not used:
        raise CalibrationError(
            f"No signal ({', '.join(features) or 'there is none'}) is higher where answers are right. "
            "Give `rag calibrate` more questions."
        )
    return Calibration(
        features=tuple(features[at] for at in used),
        weights=tuple(round(float(weights[at]), 3) for at in used),
        intercept=round(intercept, 3),
        curve=_curve(cross_validated(rows, right, seed), right),
        fitted=command,
        questions=len(rows),
    )


def cross_validated(rows: Sequence[Signals], right: Sequence[bool], seed: int = 0) -> tuple[float, ...]:
    """Of each answer, what a model says of it that was fitted, as `fit` does, without it and a fifth of the others.

    Both kinds are spread evenly over the fifths. Raises CalibrationError where answers are too few or have different
    signals.
    """
    from scipy.special import expit
    from sklearn.model_selection import StratifiedKFold

    _, values, is_right = _checked(rows, right)
    found = np.empty(len(rows))
    for others, held_out in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(values, is_right):
        weights, intercept = _fitted(values[others], is_right[others])
        found[held_out] = expit(intercept + values[held_out] @ weights)
    return tuple(found.tolist())


def load(path: Path | None = None) -> Calibration:
    """The calibration in a file that `save` wrote, or the one that comes with Citeline.

    Raises CalibrationError for a file that isn't there or holds no calibration.
    """
    file = path or files("rag").joinpath(FILE)
    remedy = "`rag calibrate QUESTIONS` makes a new one; without the setting `calibration` Citeline uses its own."
    try:
        return _parsed(file.read_text(encoding="utf-8"))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"])) or "its text"
        raise CalibrationError(f"{file} is no calibration: {place}: {problem['msg']}. {remedy}") from error
    except UnicodeDecodeError as error:
        raise CalibrationError(f"{file} is no calibration: it isn't in UTF-8. {remedy}") from error
    except OSError as error:
        raise CalibrationError(f"The calibration {file} can't be read: {error.strerror}. {remedy}") from error


def save(calibration: Calibration, path: Path) -> None:
    """As JSON to be read, changed and committed: a line for each weight and each point of the curve."""
    head = {
        "fitted": calibration.fitted,
        "questions": calibration.questions,
        "intercept": calibration.intercept,
        "weights": dict(zip(calibration.features, calibration.weights, strict=True)),
    }
    points = ",\n".join(f"    {json.dumps(asdict(point))}" for point in calibration.curve)
    text = json.dumps(head, indent=2, ensure_ascii=False).removesuffix("\n}")
    path.write_text(f'{text},\n  "curve": [\n{points}\n  ]\n}}\n', encoding="utf-8")


class _File(BaseModel):
    """What a file holds."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    fitted: str
    questions: Annotated[int, Field(ge=1)]
    intercept: float
    weights: Annotated[dict[str, Annotated[float, Field(ge=0)]], Field(min_length=1)]
    curve: Annotated[tuple[Point, ...], Field(min_length=1)]


def _parsed(text: str) -> Calibration:
    found = _File.model_validate_json(text)
    return Calibration(
        features=tuple(found.weights),
        weights=tuple(found.weights.values()),
        intercept=found.intercept,
        curve=found.curve,
        fitted=found.fitted,
        questions=found.questions,
    )


def _checked(rows: Sequence[Signals], right: Sequence[bool]) -> tuple[tuple[str, ...], _Floats, NDArray[np.bool_]]:
    """Names of the signals, their values of shape (answers, signals), and which answers are right."""
    is_right = np.asarray(right, dtype=bool)
    rights = int(is_right.sum())
    lacking = {
        "answers": MIN_ANSWERS - len(rows),
        "right ones": MIN_OF_A_KIND - rights,
        "wrong ones": MIN_OF_A_KIND - (len(right) - rights),
    }
    if wanted := [f"{count} more {kind}" for kind, count in lacking.items() if count > 0]:
        raise CalibrationError(
            f"{len(rows)} answers, {rights} of them right, are too few: a calibration needs {', '.join(wanted)}. "
            "Give `rag calibrate` more questions; any answer to one that the articles don't answer is wrong."
        )
    features = tuple(rows[0])
    if odd := [tuple(row) for row in rows if row.keys() != rows[0].keys()]:
        raise CalibrationError(
            f"Some answers come with {', '.join(features) or 'nothing'}, some with {', '.join(odd[0]) or 'nothing'}. "
            "A calibration needs the same signals of all."
        )
    return features, np.array([[row[name] for name in features] for row in rows], dtype=np.float64), is_right


def _fitted(values: _Floats, right: NDArray[np.bool_]) -> tuple[_Floats, float]:
    """Weights of the signals as they are, 0 for each that is dropped, and the intercept."""
    from sklearn.linear_model import LogisticRegression

    weights, deviations = np.zeros(values.shape[1]), values.std(axis=0)
    kept = np.flatnonzero(deviations > 1e-9).tolist()
    while kept:
        model = LogisticRegression(C=REGULARISATION, tol=1e-8, max_iter=1000)
        model.fit(values[:, kept] / deviations[kept], right)
        least = int(np.argmin(model.coef_[0]))
        if model.coef_[0, least] >= SMALLEST_WEIGHT:
            weights[kept] = model.coef_[0] / deviations[kept]
            return weights, float(model.intercept_[0])
        del kept[least]
    share = float(right.mean())
    return weights, math.log(share / (1 - share))


def _curve(probabilities: Sequence[float], right: Sequence[bool]) -> tuple[Point, ...]:
    """The risk–coverage curve at whole per cents: rounding down moves no answer across one of them."""
    floored = np.floor(np.asarray(probabilities) * 100 + 1e-9) / 100
    found = risk_coverage(floored.tolist(), right)
    points = zip(found.thresholds, found.coverage, found.risk, strict=True)
    return tuple(Point(round(sure, 2), round(coverage, 4), round(risk, 4)) for sure, coverage, risk in points)
