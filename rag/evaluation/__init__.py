"""Question sets → scores, reports and comparisons, by the very pipeline that answers on the page."""

from rag.evaluation.comparing import Change, Comparison, Difference, compare
from rag.evaluation.numbers import read_report, report_json
from rag.evaluation.report import report_html, report_markdown
from rag.evaluation.results import Evaluation, Mode
from rag.evaluation.running import evaluate

__all__ = [
    "Change",
    "Comparison",
    "Difference",
    "Evaluation",
    "Mode",
    "compare",
    "evaluate",
    "read_report",
    "report_html",
    "report_json",
    "report_markdown",
]
