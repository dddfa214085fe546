"""Scores of answers, rankings and refusals as pure functions of plain values."""

from rag.metrics.citations import CitationMeasures, Verifier, citation_measures
from rag.metrics.cost import percentiles
from rag.metrics.excerpts import ExcerptMeasures, Span, excerpt_measures
from rag.metrics.intervals import (
    Interval,
    interval,
    mean_interval,
    paired_difference,
    paired_statistic_difference,
)
from rag.metrics.ranking import ranking_measures
from rag.metrics.refusing import (
    ReliabilityBin,
    RiskCoverage,
    area_under_risk_coverage,
    auc,
    expected_calibration_error,
    reliability,
    risk_coverage,
)
from rag.metrics.short_answers import SquadMeasures, contained, squad_measures

__all__ = [
    "CitationMeasures",
    "ExcerptMeasures",
    "Interval",
    "ReliabilityBin",
    "RiskCoverage",
    "Span",
    "SquadMeasures",
    "Verifier",
    "area_under_risk_coverage",
    "auc",
    "citation_measures",
    "contained",
    "excerpt_measures",
    "expected_calibration_error",
    "interval",
    "mean_interval",
    "paired_difference",
    "paired_statistic_difference",
    "percentiles",
    "ranking_measures",
    "reliability",
    "risk_coverage",
    "squad_measures",
]
