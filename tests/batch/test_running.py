"""Files of questions through a real library, with an engine whose probabilities show what it computed and how."""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rag.batch.asking import LibraryAsker
from rag.batch.questions import BadRow
from rag.batch.runfile import WINDOW, read_records
from rag.batch.running import BatchReport, run_batch
from rag.errors import EngineError, InputError
from rag.index import open_library
from rag.indexing import index_paths
from rag.pipeline import Pipeline, library_identity
from rag.settings import Settings, load_settings
from rag.types import Answer, Failure, Limits, Prompt, Question
from tests.calibrated import write_calibration
from tests.fakes import WordEmbedder

TOWNS = ("Varel", "Jever", "Esens", "Aurich", "Norden", "Leer")
SUBJECTS = ("harbour", "mill", "bridge")


class ComputingEngine:
    """Keeps the parts of its last prompt as they were computed, which depends on where the reading of them began.

    Its probability of a Yes is a checksum of all that, so two answers have the same only if both were computed alike.
    Raises what `raises` holds for the n-th answer, counted from 1.
    """

    name = "computing"
    model = "checksums"
    context_tokens = 4096

    def __init__(self, raises: dict[int, BaseException] | None = None) -> None:
        self.raises = raises or {}
        self.answers = 0
        self.read = 0
        """Passages read rather than reused."""
        self._kept: list[tuple[str, int]] = []

    def _compute(self, prompt: Prompt) -> None:
        parts = [prompt.instructions, *prompt.passages, prompt.request]
        shared = 0
        while shared < len(parts) and shared < len(self._kept) and parts[shared] == self._kept[shared][0]:
            shared += 1
        self.read += max(0, len(parts) - 1 - max(shared, 1))
        self._kept = self._kept[:shared] + [(part, shared) for part in parts[shared:]]

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:  # noqa: ARG002
        self.answers += 1
        if self.answers in self.raises:
            raise self.raises[self.answers]
        self._compute(prompt)
        yield prompt.passages[0].split("\n")[-1].split(". ")[0] + "."

    def choose(self, prompt: Prompt, options: Sequence[str]) -> tuple[float, ...]:  # noqa: ARG002
        self._compute(prompt)
        yes = 0.6 + zlib.crc32(repr(self._kept).encode()) % 100_000 / 1_000_000
        return yes, 1 - yes

    def warm(self, prompt: Prompt) -> Iterator[None]:
        self._compute(prompt)
        yield

    def forget(self) -> None:
        self._kept = []

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def close(self) -> None:
        pass


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    articles = tmp_path / "articles"
    articles.mkdir()
    for town in TOWNS:
        for subject in SUBJECTS:
            (articles / f"{subject} {town}.txt").write_text(
                f"The {subject} of {town}\n\nThe {subject} of {town} opened in 1912. It cost 3 million marks."
            )
    made = load_settings(
        index=tmp_path / "index",
        models=tmp_path / "models",
        embedder="words",
        passages=2,
        calibration=write_calibration(tmp_path),
    )
    index_paths([articles], made.index, library_identity(made, WordEmbedder()), WordEmbedder())
    return made


class Setting:
    """A library that questions can be put to, each time with an engine of one's own."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.run_file = folder / "answers.jsonl"

    def run(
        self,
        rows: Sequence[Question | BadRow],
        engine: ComputingEngine | None = None,
        path: Path | None = None,
        replace: bool = False,
        mix: bool = False,
    ) -> BatchReport:
        with open_library(self.settings.index) as library:
            pipeline = Pipeline(self.settings, library, WordEmbedder(), engine or ComputingEngine())
            return run_batch(LibraryAsker(pipeline), rows, path or self.run_file, replace=replace, mix=mix)


@pytest.fixture
def setting(settings: Settings, tmp_path: Path) -> Setting:
    return Setting(settings, tmp_path)


def question(row: int, text: str, documents: tuple[str, ...] = ()) -> Question:
    return Question(row, f"q{row}", text, documents, {"topic": "towns"})


QUESTIONS: list[Question] = [
    question(row, f"When did the {SUBJECTS[row % 3]} of {TOWNS[row % 6]} open{'?' * (row // 6)}")
    for row in range(1, WINDOW + 9)
]


def without_timings(path: Path) -> list[str]:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [json.dumps({**line, "timings": None}) for line in lines]


def test_every_question_has_its_record_in_the_order_of_the_file(setting: Setting) -> None:
    report = setting.run(QUESTIONS)
    records = list(read_records(setting.run_file))
    assert [record.question for record in records] == QUESTIONS
    assert report == BatchReport(answered=len(QUESTIONS))
    for record in records:
        assert isinstance(record.outcome, Answer)
        assert record.outcome.text.startswith("The ")
        assert record.outcome.text.endswith("opened in 1912.")


def test_questions_that_share_passages_are_asked_one_after_another(setting: Setting) -> None:
    together, apart = ComputingEngine(), ComputingEngine()
    setting.run(QUESTIONS, together)
    for row in QUESTIONS:
        setting.run([row], apart, setting.run_file.with_name("one.jsonl"), replace=True)
    assert together.read < apart.read / 2


@pytest.mark.parametrize("stopped_at", [1, 2, 13, WINDOW, WINDOW + 1, len(QUESTIONS)])
def test_an_interrupted_run_goes_on_to_the_very_same_file(setting: Setting, stopped_at: int) -> None:
    whole = setting.run_file.with_name("whole.jsonl")
    setting.run(QUESTIONS, path=whole)
    with pytest.raises(KeyboardInterrupt):
        setting.run(QUESTIONS, ComputingEngine({stopped_at: KeyboardInterrupt()}))
    assert len(list(read_records(setting.run_file))) == stopped_at - 1
    report = setting.run(QUESTIONS)
    assert report == BatchReport(answered=len(QUESTIONS), kept=stopped_at - 1)
    assert without_timings(setting.run_file) == without_timings(whole)


def test_a_line_that_a_crash_cut_short_is_answered_again(setting: Setting) -> None:
    setting.run(QUESTIONS)
    whole = setting.run_file.read_bytes()
    expected = without_timings(setting.run_file)
    for length in (1, 40, len(whole) // 2, len(whole) - 1):
        setting.run_file.write_bytes(whole[:length])
        setting.run(QUESTIONS)
        assert without_timings(setting.run_file) == expected


def test_a_finished_file_is_left_alone(setting: Setting) -> None:
    setting.run(QUESTIONS)
    before = setting.run_file.read_bytes()
    engine = ComputingEngine()
    assert setting.run(QUESTIONS, engine) == BatchReport(answered=len(QUESTIONS), kept=len(QUESTIONS))
    assert (setting.run_file.read_bytes(), engine.answers) == (before, 0)
    assert [path.name for path in setting.run_file.parent.glob("answers*")] == ["answers.jsonl"]


def test_rows_that_cant_be_asked_are_recorded_in_their_place_and_stop_nothing(setting: Setting) -> None:
    rows: list[Question | BadRow] = [
        question(1, "When did the mill of Leer open?"),
        BadRow(question(2, ""), "Row 2 has no question."),
        question(3, "When did the mill of Leer open?", documents=("mill Leer.txt",)),
        question(4, "When did the mill of Leer open?", documents=("nothing.txt",)),
        question(5, "x" * 3000),
    ]
    report = setting.run(rows)
    assert report == BatchReport(answered=2, failed=3)
    outcomes = [record.outcome for record in read_records(setting.run_file)]
    assert [isinstance(outcome, Failure) for outcome in outcomes] == [False, True, False, True, True]
    assert outcomes[1] == Failure("Row 2 has no question.")
    assert "nothing.txt" in str(outcomes[3])
    assert "3,000 characters" in str(outcomes[4])


def test_a_filter_limits_the_passages_to_its_documents(setting: Setting) -> None:
    setting.run([question(1, "When did the mill of Leer open?", documents=("mill Jever.txt", "mill Esens.txt"))])
    (record,) = read_records(setting.run_file)
    assert isinstance(record.outcome, Answer)
    names = {Path(passage.document.source).name for passage in record.outcome.passages}
    assert names == {"mill Jever.txt", "mill Esens.txt"}


def test_one_failure_of_the_engine_is_recorded_and_three_in_a_row_end_the_run(setting: Setting) -> None:
    broken = EngineError("The engine is gone.")
    assert setting.run(QUESTIONS[:6], ComputingEngine({2: broken, 4: broken, 5: broken})).failed == 3
    with pytest.raises(EngineError, match="gone"):
        setting.run(QUESTIONS[:6], ComputingEngine({2: broken, 3: broken, 4: broken}), replace=True)
    assert len(list(read_records(setting.run_file))) == 3


def test_other_settings_are_refused_with_what_differs_and_the_ways_on(setting: Setting) -> None:
    setting.run(QUESTIONS[:3])
    before = setting.run_file.read_bytes()
    setting.settings = setting.settings.model_copy(update={"passages": 3})
    with pytest.raises(InputError, match=r"passages 2 \(now 3\).*--replace.*--mix"):
        setting.run(QUESTIONS[:5])
    assert setting.run_file.read_bytes() == before
    assert setting.run(QUESTIONS[:5], mix=True).kept == 3
    assert setting.run(QUESTIONS[:5], replace=True).kept == 0


def test_other_articles_in_the_library_are_refused(setting: Setting, tmp_path: Path) -> None:
    setting.run(QUESTIONS[:3])
    more = tmp_path / "articles" / "more.txt"
    more.write_text("More\n\nThere is more.")
    index_paths([], setting.settings.index, library_identity(setting.settings, WordEmbedder()), WordEmbedder())
    with pytest.raises(InputError, match="other articles"):
        setting.run(QUESTIONS[:5])


@pytest.mark.parametrize(
    "rows",
    [
        [replace(QUESTIONS[0], text="Why?"), *QUESTIONS[1:5]],
        [*QUESTIONS[:2], *QUESTIONS[3:5]],
        [QUESTIONS[7]],
    ],
)
def test_a_file_with_answers_to_other_questions_is_refused_and_kept(setting: Setting, rows: list[Question]) -> None:
    setting.run(QUESTIONS[:3])
    before = setting.run_file.read_bytes()
    with pytest.raises(InputError, match="--replace"):
        setting.run(rows)
    assert setting.run_file.read_bytes() == before


@pytest.mark.parametrize("content", ["Dear diary,\nnothing happened.\n", "Dear diary", '{"row": 1}\n', '{"id": 3}'])
def test_a_file_that_is_something_else_is_refused_and_kept(setting: Setting, content: str) -> None:
    setting.run_file.write_text(content)
    with pytest.raises(InputError, match="rag batch"):
        setting.run(QUESTIONS[:3])
    assert setting.run_file.read_text() == content


def test_progress_counts_rows_up_to_all_of_them(setting: Setting) -> None:
    seen: list[tuple[int, int]] = []
    with open_library(setting.settings.index) as library:
        asker = LibraryAsker(Pipeline(setting.settings, library, WordEmbedder(), ComputingEngine()))
        run_batch(asker, QUESTIONS[:4], setting.run_file, progress=lambda *done: seen.append(done), total=4)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4), (4, 4)]
