"""Files of answers, and reports, of readers who may not read everything."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from rag.bulk import Jobs, Reports
from rag.desk import Desk
from rag.errors import InputError
from rag.rights import Rights
from rag.tasks import Standing
from tests.bulk.small import Shelf, questions
from tests.bulk.test_jobs import begin, ended
from tests.evaluation.samples import QUESTIONS, evaluation

ALL = '[collections]\nharbour = "articles/harbour.txt"\nrest = ["articles", "!articles/harbour.txt"]\n[readers]\n'


def rights(folder: Path, readers: str) -> Path:
    path = folder / "rights.toml"
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(ALL + readers, encoding="utf-8")
    os.utime(path, ns=(before + 10**9, before + 10**9))
    return path


def said(standing: Standing) -> str:
    return f"{standing.rows} {standing.message}"


def test_a_file_is_answered_from_what_its_reader_may_read_and_withheld_when_that_ends(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    settings = shelf.settings(rights=rights(tmp_path, 'everyone = "rest"\nann = "harbour"\n'))
    desk = Desk(settings, lambda _settings, _report: shelf.pipeline())
    jobs = Jobs(desk, settings, Reports(tmp_path / "reports", desk.rights))
    desk.open()
    try:
        for reader in ("ann", "bob"):
            begin(jobs, questions(tmp_path, 1), reader)
        assert "3 million" in said(ended(jobs, "ann"))
        assert "harbour.txt" in jobs.answers("ann", ended(jobs, "ann").id, ".jsonl").decode()
        bobs = jobs.answers("bob", ended(jobs, "bob").id, ".jsonl").decode()
        assert "question" in bobs
        assert "harbour.txt" not in bobs
        rights(tmp_path, 'everyone = "rest"\n')
        standing = ended(jobs, "ann")
        assert (standing.rows, standing.answered) == ((), 1)
        assert "may not read" in standing.message
        with pytest.raises(InputError, match="may not read"):
            jobs.answers("ann", standing.id, ".jsonl")
    finally:
        desk.close()


def test_a_report_is_for_who_had_it_made_and_for_who_may_read_everything(tmp_path: Path) -> None:
    readers = 'ann = ["harbour", "rest"]\nbob = ["harbour", "rest"]\nchief = "*"\n'
    reports = Reports(tmp_path / "reports", Rights(rights(tmp_path, readers)))
    [one, *_] = QUESTIONS
    made = reports.write(replace(evaluation(), questions=()), "ann")
    by_command = reports.write(replace(evaluation(), name="command"))
    (tmp_path / "reports" / by_command / "reader.json").unlink()
    assert [report.key for report in reports.listed("ann")] == [made]
    assert reports.listed("bob") == reports.listed(None) == []
    assert {report.key for report in reports.listed("chief")} == {made, by_command}
    assert reports.page(made, "ann")
    for reader, key in (("bob", made), ("ann", by_command)):
        for look in (reports.page, reports.policy):
            with pytest.raises(InputError, match="There is no such report"):
                look(key, reader)
        with pytest.raises(InputError, match="There is no such report"):
            reports.compared(made, by_command, reader)
    elsewhere = reports.write(replace(evaluation([one]), name="elsewhere"), "ann")
    assert elsewhere not in [report.key for report in reports.listed("ann")]
