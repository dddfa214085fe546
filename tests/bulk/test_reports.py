"""Evaluations on disk: listed, opened under a policy of their own, compared."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rag.bulk import Reports
from rag.errors import InputError
from tests.evaluation.samples import QUESTIONS, evaluation, judged


@pytest.fixture
def reports(tmp_path: Path) -> Reports:
    return Reports(tmp_path / "reports")


def test_reports_are_listed_the_newest_first_with_their_telling_scores(reports: Reports, tmp_path: Path) -> None:
    assert reports.listed() == []
    reports.write(replace(evaluation(), name="old", made="2024-01-02T03:04:05+00:00"))
    assert reports.write(evaluation()) == "seeds"
    assert reports.write(evaluation()) == "seeds-2"
    assert reports.write(replace(evaluation(), name="../../a b")) == "a-b"
    (tmp_path / "reports" / "other").mkdir()
    (tmp_path / "reports" / "broken").mkdir()
    (tmp_path / "reports" / "broken" / "report.json").write_text("{")
    assert [report.key for report in reports.listed()] == ["seeds-2", "seeds", "a-b", "old"]
    first = reports.listed()[0]
    assert (first.name, first.mode, first.questions) == ("seeds", "normal", 4)


def test_a_report_is_read_again_once_it_has_changed(reports: Reports, tmp_path: Path) -> None:
    reports.write(evaluation())
    assert reports.listed()[0].questions == 4
    reports.write(replace(evaluation(QUESTIONS[:2]), name="less"))
    file = tmp_path / "reports" / "seeds" / "report.json"
    file.unlink()
    (tmp_path / "reports" / "less" / "report.json").rename(file)
    assert [(report.key, report.questions) for report in reports.listed()] == [("seeds", 2)]


def test_the_policy_of_a_report_allows_its_own_style_and_script_only(reports: Reports, tmp_path: Path) -> None:
    key = reports.write(evaluation())
    policy = reports.policy(key)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("; frame-ancestors 'none'")
    page = tmp_path / "reports" / key / "report.html"
    assert reports.page(key) == page.read_bytes()
    text = page.read_text(encoding="utf-8")
    for changed in (
        re.sub(r"default-src [^;]*;", "default-src *;", text.replace("&#x27;", "'").replace("&#39;", "'"), count=1),
        text.replace("Content-Security-Policy", "X-Policy"),
        f"{'x' * 5000}{text}",
    ):
        assert changed != text
        page.write_text(changed, encoding="utf-8")
        with pytest.raises(InputError, match="another version"):
            reports.policy(key)


@pytest.mark.parametrize("key", ["..", "../seeds", "", "a/b", "/etc", "gone"])
def test_a_key_leads_to_no_other_folder(key: str, reports: Reports) -> None:
    reports.write(evaluation())
    for read in (reports.page, reports.policy):
        with pytest.raises(InputError, match=r"no such report|no report gone"):
            read(key)
    with pytest.raises(InputError, match=r"no such report|no report gone"):
        reports.compared(key, "seeds")


def test_two_reports_are_compared_in_words(reports: Reports) -> None:
    rows = [judged(row, right=False, F1=0.0) for row in range(1, 9)]
    better = [judged(row, right=True, F1=0.5) for row in range(1, 9)]
    before, after = reports.write(evaluation(rows)), reports.write(evaluation(better))
    found = reports.compared(before, after)
    assert (found.before, found.after, found.changed, found.questions) == ("seeds", "seeds-2", "", 8)
    [score] = [score for score in found.scores if score.name == "F1"]
    assert (score.before, score.after, score.difference, score.interval, score.questions, score.verdict) == (
        "0.0 %",
        "50.0 %",
        "+50.0 points",
        "+50.0 to +50.0",
        "8",
        "better",
    )
    assert found.gained == tuple(f"q{row}" for row in range(1, 9))
    assert found.lost == ()
    reports.write(replace(evaluation([judged(99)]), name="strange"))
    with pytest.raises(InputError, match="no question in common"):
        reports.compared(before, "strange")
