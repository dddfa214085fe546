"""What confidence is worth: which answers it would be better to refuse, and whether it means what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """One entry for each distinct confidence, highest first, so `coverage` rises to 1."""

    thresholds: tuple[float, ...]
    """Answers with at least this confidence are given, the others refused."""
    coverage: tuple[float, ...]
    """Share of the answers that are given, in (0, 1]."""
    risk: tuple[float, ...]
    """Share of those given that are wrong, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The answers whose confidence is above `low` and at most `high`; the lowest bin holds 0 too."""

    low: float
    high: float
    confidence: float
    """Mean of theirs."""
    right: float
    """Share of them that are right; equals `confidence` where that is calibrated."""
    count: int
    """At least 1."""


def risk_coverage(confidence: Sequence[float], right: Sequence[bool]) -> RiskCoverage:
    """Risk and coverage of refusing below each threshold.

    El-Yaniv and Wiener, "On the Foundations of Noise-free Selective Classification", JMLR 2010, with the 0/1 loss.
    Confidence may be on any scale. Raises ValueError where there are no answers, where there aren't as many of the one
    as of the other, or where a confidence isn't finite.
    """
    thresholds, counts, wrong = _steps(confidence, right)
    given = np.cumsum(counts)
    return RiskCoverage(
        thresholds=tuple(thresholds.tolist()),
        coverage=tuple((given / given[-1]).tolist()),
        risk=tuple((np.cumsum(wrong) / given).tolist()),
    )


def area_under_risk_coverage(confidence: Sequence[float], right: Sequence[bool]) -> float:
    """AURC in [0, 1], lower is better: the mean, over k, of the risk of giving only the k surest answers.

    Geifman, Uziel and El-Yaniv, "Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers", ICLR 2019. They
    leave open what comes first of equally sure answers: this is the mean over all such orders, so where all are
    equally sure it is the share of wrong answers. Raises ValueError as `risk_coverage` does.
    """
    _, counts, wrong = _steps(confidence, right)
    expected_wrong = np.repeat(wrong / counts, counts)
    return float(np.mean(np.cumsum(expected_wrong) / np.arange(1, len(expected_wrong) + 1)))


def reliability(confidence: Sequence[float], right: Sequence[bool], bins: int = 10) -> tuple[ReliabilityBin, ...]:
    """Points of the reliability diagram: those of `bins` bins of equal width over [0, 1] that hold answers.

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017. Raises ValueError as `risk_coverage` does, and
    for a confidence outside [0, 1].
    """
    sure, is_right = _checked(confidence, right)
    if sure.min() < 0 or sure.max() > 1:
        raise ValueError(f"Confidences from {sure.min()} to {sure.max()} are no probabilities.")
    edges = np.arange(bins + 1) / bins
    places = np.searchsorted(edges[1:-1], sure, side="left")
    return tuple(
        ReliabilityBin(
            low=float(edges[place]),
            high=float(edges[place + 1]),
            confidence=float(sure[places == place].mean()),
            right=float(is_right[places == place].mean()),
            count=int(np.count_nonzero(places == place)),
        )
        for place in np.unique(places).tolist()
    )


def expected_calibration_error(confidence: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """ECE in [0, 1], lower is better: how far the bins' confidence is from their share of right answers, on average.

    Guo et al. 2017: the mean of the absolute differences over the bins of `reliability`, weighted by their counts.
    Raises ValueError as `reliability` does.
    """
    points = reliability(confidence, right, bins)
    return sum(point.count * abs(point.right - point.confidence) for point in points) / len(confidence)


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Area under the ROC curve, in [0, 1]: the chance that a positive scores higher than a negative, ties half.

    Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic curve", Radiology
    1982. 0.5 is no better than guessing. Raises ValueError where there are no positives or no negatives.
    """
    from sklearn.metrics import roc_auc_score

    if not len(positive) or not len(negative):
        raise ValueError(f"{len(positive)} positives and {len(negative)} negatives: both are needed.")
    labels = [1] * len(positive) + [0] * len(negative)
    return float(roc_auc_score(labels, [*positive, *negative]))


def _steps(confidence: Sequence[float], right: Sequence[bool]) -> tuple[_Floats, NDArray[np.int64], _Floats]:
    """Of each distinct confidence, highest first: itself, how many answers have it and how many of those are wrong."""
    sure, is_right = _checked(confidence, right)
    values, places, counts = np.unique(sure, return_inverse=True, return_counts=True)
    wrong = np.bincount(places, weights=1 - is_right).astype(np.float64)
    return values[::-1], counts[::-1], wrong[::-1]


def _checked(confidence: Sequence[float], right: Sequence[bool]) -> tuple[_Floats, _Floats]:
    if not len(confidence) or len(confidence) != len(right):
        raise ValueError(
            f"{len(confidence)} confidences of {len(right)} answers: as many are needed, and at least one."
        )
    sure = np.asarray(confidence, dtype=np.float64)
    if not np.isfinite(sure).all():
        raise ValueError("A confidence isn't finite.")
    return sure, np.asarray(right, dtype=bool).astype(np.float64)
