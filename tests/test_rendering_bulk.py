from dataclasses import replace

import pytest

from rag.rendering import compared_html, files_html, reports_html, running_html, upload_html
from rag.rendering.bulk import time_left, verdict_in_words
from rag.tasks import ReportListed, ReportsCompared, Result, RowDone, ScoreChange, Standing, State, Upload

HOSTILE = '<script>x</script>" onload="x'
ROW = RowDone(3, "What?", Result.ANSWERED, "That.", 0.694, ("Harbour",))
STANDING = Standing(
    "0" * 16, "a.csv", "2026-01-02T03:04:05", True, False, State.RUNNING, "Answering", "", 9, 4, 2, 1, 130.0, (ROW,)
)
SCORE = ScoreChange("F1", "1 %", "2 %", "+1.0 points", "+0.1 to +2.0", "9", "better")
COMPARED = ReportsCompared("old", "new", "passages 4 (now 6)", 9, (SCORE,), ("q1",), ())


def test_progress_says_how_far_it_is_what_came_of_it_and_how_long_it_takes() -> None:
    text = running_html(STANDING)
    assert '<progress max="9" value="7"' in text
    assert "7 of 9 · 4 answered, 2 refused, 1 not asked · about 3 minutes left" in text
    assert 'Answered · confidence 69 % · <span dir="auto">Harbour</span>' in text
    begun = replace(STANDING, doing="Loading the reader … 12 %", answered=0, refused=0, failed=0, rows=())
    assert '<p class="facts">Loading the reader … 12 % …</p>' in running_html(begun)
    assert "Judging …" in running_html(replace(STANDING, doing="Judging", answered=6))
    assert running_html(None) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (59.9, "less than a minute left"),
        (60, "about 1 minute left"),
        (61, "about 2 minutes left"),
        (7200, "about 2 hours left"),
        (200_000, "about 2 days left"),
    ],
)
def test_time_left_is_said_as_roughly_as_it_is_known(seconds: float | None, words: str) -> None:
    assert time_left(seconds) == words


def test_a_file_offers_what_can_be_done_with_it() -> None:
    offered = {
        State.STOPPED: ["go-on", "remove"],
        State.FAILED: ["go-on", "remove"],
        State.CHANGED: ["afresh", "mixed", "remove"],
        State.DONE: ["remove"],
    }
    for state, actions in offered.items():
        text = files_html([replace(STANDING, state=state)], {STANDING.id: [("CSV", "handed/x")]})
        assert [part.split('"')[0] for part in text.split('data-does="')[1:]] == actions
        assert '<a href="handed/x" download>CSV</a>' in text
    untouched = replace(STANDING, state=State.STOPPED, answered=0, refused=0, failed=0, rows=())
    assert "Download" not in files_html([untouched], {STANDING.id: [("CSV", "handed/x")]})


def test_a_file_says_how_many_questions_it_has_and_which_rows_are_none() -> None:
    text = upload_html(Upload("a.csv", 1200, ("What?",), ((2, "It is empty."),), 3, False))
    assert "1,200 questions" in text
    assert "and 1,199 more" in text
    assert "3 rows can’t be asked" in text
    assert "Row 2:" in text
    assert "and 2 more" in text
    assert 'role="note"' not in upload_html(Upload("a.csv", 1, ("What?",), (), 0, False))
    assert upload_html(None) == ""


def test_the_verdict_names_what_changed_and_counts_what_nobody_can_tell() -> None:
    unclear = [replace(SCORE, name=name, verdict="can't tell") for name in "ab"]
    worse, same = replace(SCORE, name="cost", verdict="worse"), replace(SCORE, name="MRR", verdict="the same")
    assert verdict_in_words(COMPARED) == "Better: F1."
    assert verdict_in_words(replace(COMPARED, scores=(SCORE, worse, *unclear, same))) == (
        "Better: F1. Worse: cost. Nothing can be told about 2 others."
    )
    assert verdict_in_words(replace(COMPARED, scores=(*unclear, same))) == (
        "Nothing got better or worse that chance alone can’t explain."
    )
    text = compared_html(replace(COMPARED, scores=(*unclear, SCORE, worse, same)))
    assert text.index(">cost<") < text.index(">F1<") < text.index(">a<") < text.index("1 score is the same")
    assert "Changed: passages 4 (now 6)." in text


def test_whatever_stands_in_names_questions_answers_and_reports_is_text() -> None:
    row = RowDone(1, HOSTILE, Result.ANSWERED, HOSTILE, 0.5, (HOSTILE,))
    standing = replace(STANDING, id=HOSTILE, name=HOSTILE, doing=HOSTILE, message=HOSTILE, rows=(row,))
    score = ScoreChange(*[HOSTILE] * 7)
    texts = [
        upload_html(Upload(HOSTILE, 1, (HOSTILE,), ((1, HOSTILE),), 1, False)),
        running_html(standing),
        *(files_html([replace(standing, state=state)], {HOSTILE: [(HOSTILE, HOSTILE)]}) for state in State),
        reports_html([ReportListed(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1, ((HOSTILE,) * 3,))], {HOSTILE: HOSTILE}),
        compared_html(ReportsCompared(HOSTILE, HOSTILE, HOSTILE, 1, (score,), (HOSTILE,), (HOSTILE,))),
    ]
    for text in texts:
        assert "&lt;script&gt;" in text
        assert "<script" not in text
        assert '" onload=' not in text
