"""An evaluation of five questions about a ferry, its parts, and text that means harm."""

from collections.abc import Sequence
from dataclasses import replace

from rag.evaluation.results import Evaluation, Evidence, Gold, Judged, Mode, Score, Stage
from rag.types import (
    Answer,
    Chunk,
    Citation,
    Claim,
    Conditions,
    Document,
    Failure,
    Models,
    Passage,
    Question,
    Reason,
    Timings,
    Verdict,
)

NAN = float("nan")
ARTICLE = "The ferry sails daily. Dogs need a lead. Bicycles travel free."
SENTENCE = "Dogs need a lead."
MODELS = Models("words", "script", "scripted")
GOLD = Gold(("a lead",), True, (Evidence("ferry.txt", SENTENCE, 23),), {"ferry.txt": 1}, (), ())

HOSTILE = (
    "<script>alert(1)</script>",
    "</script></style></title><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "]]><![CDATA[ <!-- --> &lt;b&gt;",
    "</details></main><iframe src=https://evil.example>",
    "evil\u202egpj.exe\u202c",
    "javascript:alert(1)",
    "[x](javascript:alert(1)) url(https://evil.example/x)",
    "{{7*7}} {% for x in y %} {# no #} ${7*7}",
    "\ud800 lone",
)


def passage(title: str = "The ferry", text: str = ARTICLE, source: str = "ferry.txt", author: str = "Ann") -> Passage:
    document = Document("d1", title, text, source, "2024-05-01", author, "")
    return Passage(1, Chunk("c1", "d1", 0, len(text)), document, text)


def answer(text: str = "They need a lead.", confidence: float = 0.9, read: Passage | None = None) -> Answer:
    """One doubtful sentence that cites `SENTENCE`."""
    read = read or passage()
    start = max(read.text.find(SENTENCE), 0)
    citation = Citation(read, start, start + len(SENTENCE))
    claim = Claim(text, 0, len(text), (citation,), Verdict.PARTLY_SUPPORTED, 0.5)
    timings = Timings(retrieval=0.1, total=2.5)
    return Answer("?", "?", text, (claim,), (read,), False, Reason.ANSWERED, confidence, timings, MODELS)


def refusal(confidence: float = 0.2) -> Answer:
    timings = Timings(total=0.5)
    return Answer("?", "?", "", (), (passage(),), True, Reason.UNLIKELY, confidence, timings, MODELS)


def judged(
    row: int,
    text: str = "What do dogs need?",
    outcome: Answer | Failure | None = None,
    right: bool | None = None,
    stage: Stage | None = None,
    gold: Gold = GOLD,
    **measures: float,
) -> Judged:
    return Judged(Question(row, f"q{row}", text, (), {}), gold, outcome, right, measures, stage)


def share(name: str, value: float, low: float, high: float) -> Score:
    return Score("answers", name, value, low, high, 4, True, True)


SCORES = (
    share("right", 0.8642, 0.801, 0.91),
    replace(share("refused wrongly", 0.05, NAN, NAN), group="refusing", higher_is_better=False),
    Score("cost", "prompt tokens", 1043.2, 998.0, 1100.9, 4, False, False),
)

QUESTIONS = (
    judged(1, outcome=answer(), right=True, F1=0.75),
    judged(2, "Do whales sing?", answer("They never sing."), False, Stage.READ_WRONGLY, F1=0.0),
    judged(3, "When does it sail?", refusal(), False, Stage.REFUSED_WRONGLY),
    judged(4, "Who pays?", Failure("No reader. Run `rag models`."), False, Stage.FAILED),
)


def evaluation(
    questions: Sequence[Judged] = QUESTIONS, scores: Sequence[Score] = SCORES, mode: Mode = Mode.NORMAL
) -> Evaluation:
    conditions = Conditions({"passages": 5, "max_wrong": 0.6}, MODELS, {"embedder": "1", "reader": "r7"}, "4f2a")
    made, command = "2025-01-02T03:04:05+00:00", "rag eval seeds"
    return Evaluation("seeds", mode, made, command, conditions, tuple(scores), tuple(questions))


def hostile_evaluation(text: str) -> Evaluation:
    """The text in every place that can hold one."""
    read = passage(text, f"{text} {SENTENCE} {text}", text, text)
    gold = Gold((text,), True, (Evidence(text, text, None),), {text: 1}, (text,), (text,))
    models = Models(text, text, text)
    given = replace(answer(text, read=read), standalone_question=text, models=models)
    outcomes: tuple[Answer | Failure, ...] = (given, replace(refusal(), passages=(read,), models=models), Failure(text))
    questions = [
        Judged(Question(row, text, text, (text,), {text: text}), gold, outcome, False, {text: 1.0}, Stage.READ_WRONGLY)
        for row, outcome in enumerate(outcomes, start=1)
    ]
    return Evaluation(
        text,
        Mode.NORMAL,
        "2025-01-02T03:04:05+00:00",
        text,
        Conditions({text: text}, models, {"embedder": text, "reader": text}, text),
        (Score(text, text, 0.5, 0.4, 0.6, 3, True, True),),
        tuple(questions),
    )
