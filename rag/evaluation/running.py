"""A question set → an `Evaluation`, by the same pipeline and the same batch as anybody's questions."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path

import platformdirs

from rag.batch import LibraryAsker, ids_by_name, read_records, run_batch
from rag.errors import InputError
from rag.evaluation.judging import Found, Known, judge
from rag.evaluation.libraries import NAME_CHARACTERS, library_for
from rag.evaluation.results import Evaluation, Gold, Mode
from rag.evaluation.scoring import scores
from rag.evaluation.sets import Golds, QuestionSet, load_set, sample
from rag.index import AnyLibrary
from rag.metrics import ranking_measures
from rag.pipeline import (
    Pipeline,
    Report,
    answer_settings,
    code_revision,
    library_fingerprint,
    library_identity,
    open_embedder,
    open_reader,
)
from rag.retrieval import DENSE, FUSED, RERANKED, WORDS, Budget, documents_ranked, rankings, retrieve
from rag.settings import Settings
from rag.stores import open_library
from rag.types import Answer, Conditions, Embedder, Engine, Failure, Models, Passage, Progress, Question


class ClosedBookAsker(LibraryAsker):
    """Has nothing read. Questions have nothing in common, so each is answered as if it were the first."""

    def passages(self, question: Question) -> tuple[()]:  # noqa: ARG002
        return ()

    def answer(self, question: Question) -> Answer:
        self.forget()
        return self.pipeline.recall(question.text)


def evaluate(
    path: Path,
    settings: Settings,
    mode: Mode = Mode.NORMAL,
    limit: int | None = None,
    *,
    command: str = "",
    cache: Path | None = None,
    report: Report | None = None,
) -> Evaluation:
    """Ask the questions of a set, or a fixed sample of `limit` of them, and judge what comes back.

    The set's own library and the answers lie in `cache`, or the platform's cache folder: an evaluation that was
    interrupted goes on where it stopped, and one that has been made under the same conditions is only judged again.
    Raises InputError for a set that can't be used, and the RagErrors of indexing and answering.
    """
    report = report or _silent
    questions = load_set(path)
    golds = sample(questions.golds, limit) if limit is not None else questions.golds
    if not golds:
        raise InputError(f"{path} holds no question. Put one in, or ask for more than --limit {limit}.")
    mode = Mode.RETRIEVAL if questions.retrieval_only else mode
    cache = cache or platformdirs.user_cache_path("citeline") / "evaluations"
    embedder = open_embedder(settings, report)
    place = library_for(questions, settings, embedder, report, cache)
    with ExitStack() as opened:
        library = opened.enter_context(open_library(place, library_identity(settings, embedder)))
        if mode is Mode.RETRIEVAL:
            engine = None
        else:
            engine = open_reader(settings, report, repeatable=True)
            opened.callback(engine.close)
        return evaluate_with(
            questions, golds, settings, mode, library, embedder, engine, command=command, cache=cache, report=report
        )


def evaluate_with(
    questions: QuestionSet,
    golds: Golds,
    settings: Settings,
    mode: Mode,
    library: AnyLibrary,
    embedder: Embedder,
    engine: Engine | None,
    *,
    cache: Path,
    command: str = "",
    report: Report | None = None,
    asking: Callable[[Pipeline], LibraryAsker] = LibraryAsker,
) -> Evaluation:
    """`evaluate` with its parts at hand; `engine` is None for `Mode.RETRIEVAL` only. `asking` makes who asks."""
    report = report or _silent
    ids = ids_by_name(library)
    asked = [_asked(question, gold, mode, ids) for question, gold in golds]
    searched = () if mode is Mode.CLOSED_BOOK else tuple(zip(asked, (gold for _, gold in golds), strict=True))
    ranked = dict(_ranked(searched, settings, library, embedder, ids, report))
    known = Known(ids, _ranking(searched, ranked, ids), (engine or embedder).count_tokens)
    if engine is None:
        conditions = _conditions(settings, library, embedder)
        outcomes: Mapping[str, Answer | Failure] = {}
    else:
        pipeline = Pipeline(settings, library, embedder, engine)
        asker = ClosedBookAsker(pipeline) if mode is Mode.CLOSED_BOOK else asking(pipeline)
        conditions = asker.conditions()
        run_file = _run_file(cache, questions.name, mode, conditions, asked)
        run_batch(asker, asked, run_file, progress=_answering(report), total=len(asked))
        outcomes = {record.question.id: record.outcome for record in read_records(run_file)}
    judged = []
    for at, ((question, gold), put) in enumerate(zip(golds, asked, strict=True), start=1):
        outcome = outcomes.get(question.id)
        found = None
        if question.id in ranked:
            given = outcome.passages if isinstance(outcome, Answer) else None
            found = Found(
                ranked=tuple(ranked[question.id][RERANKED]),
                passages=_passages(put, settings, library, embedder, ids) if given is None else given,
            )
        judged.append(judge(question, gold, outcome, found, known))
        report("Judging", at, len(golds))
    return Evaluation(
        name=questions.name,
        mode=mode,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        conditions=conditions,
        scores=scores(judged),
        questions=tuple(judged),
    )


def _ranked(
    golds: Golds,
    settings: Settings,
    library: AnyLibrary,
    embedder: Embedder,
    ids: Mapping[str, frozenset[str]],
    report: Report,
) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Of each question of which the set knows a relevant document: id, and documents by search, best first."""
    judged = [(question, gold) for question, gold in golds if gold.relevance]
    with library.snapshot() as now:
        for at, (question, _) in enumerate(judged, start=1):
            found = rankings(question.text, embedder, now, settings.candidates, _only(question, ids))
            yield question.id, {search: documents_ranked(hits) for search, hits in found.items()}
            report("Searching", at, len(judged))


def _ranking(
    golds: Golds,
    ranked: Mapping[str, Mapping[str, list[str]]],
    ids: Mapping[str, frozenset[str]],
) -> dict[str, dict[str, dict[str, float]]]:
    """Search → question id → measure → value. Documents that the library lacks stay relevant, under the set's name.

    Raises InputError where ir-measures isn't installed.
    """
    relevance = {
        question.id: {found: grade for name, grade in gold.relevance.items() for found in ids.get(name, {name})}
        for question, gold in golds
        if gold.relevance
    }
    if not relevance:
        return {}
    try:
        return {
            search: ranking_measures({name: searches[search] for name, searches in ranked.items()}, relevance)
            for search in (WORDS, DENSE, FUSED, RERANKED)
        }
    except ImportError as error:  # on Linux on ARM, where there is no wheel of it
        raise InputError(
            "Rankings are scored by ir-measures, which isn't installed. "
            "`.venv/bin/pip install ir-measures` does so, and needs a compiler where there is no wheel."
        ) from error


def _asked(question: Question, gold: Gold, mode: Mode, ids: Mapping[str, frozenset[str]]) -> Question:
    """The question as it is put in this mode, without what the set says about its answer."""
    documents = question.documents
    if mode is Mode.ORACLE and (relevant := tuple(name for name in gold.relevance if name in ids)):
        documents = relevant
    return replace(question, documents=documents, carried={})


def _run_file(cache: Path, name: str, mode: Mode, conditions: Conditions, asked: Sequence[Question]) -> Path:
    """The same for equal questions under equal conditions, so that nothing is asked twice."""
    content = json.dumps([asdict(conditions), [asdict(question) for question in asked]], sort_keys=True)
    key = hashlib.sha256(content.encode()).hexdigest()[:12]
    folder = cache / "answers"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name[:NAME_CHARACTERS]}-{mode.replace(' ', '-')}-{key}.jsonl"


def _passages(
    question: Question, settings: Settings, library: AnyLibrary, embedder: Embedder, ids: Mapping[str, frozenset[str]]
) -> tuple[Passage, ...]:
    """What a reader would be given, its tokens counted as the embedder's word pieces, which are nearly as many."""
    budget = Budget(settings.passages, settings.passage_tokens, embedder.count_tokens)
    only, today = _only(question, ids), date.today()
    with library.snapshot() as now:
        return retrieve(question.text, embedder, now, budget, settings.candidates, only, today).passages


def _only(question: Question, ids: Mapping[str, frozenset[str]]) -> frozenset[str] | None:
    if not question.documents:
        return None
    return frozenset[str]().union(*(ids.get(name, frozenset()) for name in question.documents))


def _conditions(settings: Settings, library: AnyLibrary, embedder: Embedder) -> Conditions:
    return Conditions(
        answer_settings(settings),
        Models(embedder.name, "", ""),
        {"embedder": embedder.revision, "code": code_revision()},
        library_fingerprint(library),
    )


def _answering(report: Report) -> Progress:
    return lambda done, total: report("Answering", done, total)


def _silent(what: str, done: int, total: int) -> None:
    """Report to nobody."""
