"""Question → `Answer`, by all the stages in their order."""

import copy
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import takewhile

from rag import calibration, prompting, suggesting
from rag.ahead import UNPREPARED, Prepared
from rag.errors import LibraryEmpty, QuestionError
from rag.grounding import Grounder, cited_pieces, is_abstention, rivals, supported_only, with_rivals
from rag.index import AnyLibrary
from rag.inspecting import Inspection
from rag.pipeline import inspecting, preparing, signals
from rag.pipeline.conditions import (
    answer_settings,
    calibration_revision,
    code_revision,
    library_fingerprint,
    reader_revision,
)
from rag.pipeline.writing import Stopwatch, Writing, as_text, overheard, stoppable
from rag.remembering import Remembering
from rag.retrieval import RERANKED, Budget, Retrieved, explain, rankings, retrieve
from rag.rights import Allowed, Readable, ReadableLibrary
from rag.settings import Settings
from rag.syncing import stale_sources
from rag.types import (
    Answer,
    Claim,
    Conditions,
    Document,
    Embedder,
    Engine,
    Event,
    Finished,
    Hit,
    Limits,
    Models,
    Passage,
    PassagesFound,
    Reason,
    Turn,
    Verdict,
)

QUESTION_CHARACTERS = 2000
"""The longest question accepted."""

QUESTION_TOKENS = 2000
"""The longest question in the reader's tokens: 450 of them hold QUESTION_CHARACTERS of English, but not of emoji."""

DIFFERS_FROM = 0.5
"""The reader's probability from which another article is taken to give another answer."""


class Pipeline:
    """Answers questions from one library with one embedder and one engine. Questions are answered one at a time."""

    def __init__(
        self,
        settings: Settings,
        library: AnyLibrary,
        embedder: Embedder,
        engine: Engine,
        today: Callable[[], date] = date.today,
    ) -> None:
        """`today` tells which day it is, for questions about last week."""
        self.settings = settings
        self.library = library
        self.embedder = Remembering.around(embedder)
        self.engine = engine
        self._today = today
        self._allowed = Allowed()
        self._calibration = calibration.load(settings.calibration)
        self._threshold = self._calibration.threshold(settings.max_wrong)

    def seen_with(self, readable: Callable[[], Readable]) -> "Pipeline":
        """The same pipeline with a library that holds only what may be read, as `readable` tells at each moment.

        Engine and embedder are shared, so it is not to be closed.
        """
        seen = copy.copy(self)
        seen.library = ReadableLibrary(self.library, readable, self._allowed)
        return seen

    def answer(self, question: str, history: Sequence[Turn] = (), documents: frozenset[str] | None = None) -> Answer:
        """`stream_answer`, waited for."""
        for event in self.stream_answer(question, history, documents):
            if isinstance(event, Finished):
                return event.answer
        raise RuntimeError("stream_answer ended without Finished")

    def stream_answer(
        self,
        question: str,
        history: Sequence[Turn] = (),
        documents: frozenset[str] | None = None,
        strict: bool | None = None,
        prepared: Prepared = UNPREPARED,
    ) -> Generator[Event, None, None]:
        """Yield `PassagesFound`, then the answer's `TextPiece`s, then `Finished`.

        `documents` limits the search to the documents with these ids; `strict` is as in the settings, where given;
        `prepared` is what `prepare` did for it ahead.
        Pieces may be empty: they come while the reader is still reading, so that whoever closes the iterator stops the
        work at once. Raises QuestionError for a question that is empty or too long, and whatever RagError the library
        or the engine meets.
        """
        question = self._accepted(question)
        watch = Stopwatch()
        standalone = prepared.standalone_for(question, history)
        if not standalone:
            standalone = yield from overheard(preparing.stand_alone(question, history, self.engine))
        watch.note("standalone")
        found = self._retrieve(standalone, documents)
        watch.note("retrieval")
        yield PassagesFound(found.passages)
        writing = Writing(question, standalone, found, lambda: self._models, watch)
        if not found.passages:
            yield writing.refused(Reason.NOTHING_FOUND)
            return
        today = self._today()
        check = prompting.check_prompt(standalone, found.passages, today)
        answerable = prepared.answerable.get(check)
        if answerable is None:
            # Reading is what takes long, and while it warms up an engine can be stopped; `choose` can't be.
            yield from stoppable(self.engine.warm(check))
            answerable = self.engine.choose(check, prompting.YES_NO)[0]
        writing.signals = signals.before(standalone, found, answerable)
        writing.confidence = signals.at_best(self._calibration, writing.signals)
        watch.note("checking")
        if writing.confidence < self._threshold:
            yield writing.refused(Reason.UNLIKELY)
            return
        grounder = Grounder(found.passages, standalone)
        prompt = prompting.answer_prompt(standalone, found.passages, today)
        pieces = self.engine.stream(prompt, Limits(self.settings.answer_tokens))
        written = yield from as_text(cited_pieces(pieces, grounder), watch)
        watch.note("generation")
        text, claims = grounder.ground(written)
        if is_abstention(text):
            yield writing.refused(Reason.READER_ABSTAINED)
            return
        if all(claim.verdict is Verdict.UNSUPPORTED for claim in claims):
            yield writing.refused(Reason.UNSUPPORTED)
            return
        kept_text, kept = supported_only(text, claims)
        verify = prompting.verify_prompt(standalone, found.passages, kept_text, today)
        verified = self.engine.choose(verify, prompting.YES_NO)[0]
        writing.signals = signals.after(standalone, writing.signals, kept, verified)
        writing.confidence = self._calibration.probability(writing.signals)
        if writing.confidence < self._threshold:
            watch.add("checking")
            yield writing.refused(Reason.UNSURE)
            return
        if self.settings.strict if strict is None else strict:
            text, claims = kept_text, kept
        text, claims = self._with_rivals(standalone, text, claims, found.passages)
        watch.add("checking")
        yield writing.answered(text, claims)

    def prepare(
        self, question: str, history: Sequence[Turn] = (), documents: frozenset[str] | None = None
    ) -> Generator[Prepared, None, None]:
        """Do ahead what `stream_answer` does until the first word, for a question that may still be being typed.

        Yields how far that is, often, so that whoever closes the iterator stops the work at once; the last value is
        for `stream_answer`. What was read stays with the engine, also where the question goes on. Raises as
        `stream_answer` does.
        """
        question = self._accepted(question)
        today = self._today()

        def is_given_up(standalone: str, found: Retrieved, answerable: float) -> bool:
            known = signals.before(standalone, found, answerable)
            return signals.at_best(self._calibration, known) < self._threshold

        yield from preparing.prepare(
            question, history, self.engine, lambda text: self._retrieve(text, documents), is_given_up, today
        )

    def recall(self, question: str) -> Answer:
        """What the reader says from memory, with nothing to read: shows how much of a score is memory."""
        question = check_question(question)
        watch = Stopwatch()
        pieces = self.engine.stream(prompting.recall_prompt(question), Limits(self.settings.answer_tokens))
        text = "".join(pieces).strip()
        watch.note("generation")
        abstained = is_abstention(text)
        return Answer(
            question=question,
            standalone_question=question,
            text=prompting.ABSTENTION if abstained else text,
            claims=(),
            passages=(),
            abstained=abstained,
            reason=Reason.READER_ABSTAINED if abstained else Reason.ANSWERED,
            confidence=0.0,
            timings=watch.timings(),
            models=self._models,
        )

    def find_passages(self, question: str, documents: frozenset[str] | None = None) -> tuple[Passage, ...]:
        """What the reader would be given to read, from the newest state of the library."""
        return self._retrieve(question, documents).passages

    def search(
        self, question: str, most: int, documents: frozenset[str] | None = None
    ) -> tuple[tuple[Hit, Document], ...]:
        """At most `most` chunks that have to do with the question, best first, each with the document it is of.

        No reader takes part, so another thread may be answering meanwhile. Raises QuestionError for a question that is
        empty or too long.
        """
        question, candidates = check_question(question), max(most, self.settings.candidates)
        with self.library.snapshot() as catalogue:
            hits = rankings(question, self.embedder, catalogue, candidates, documents)[RERANKED][:most]
            known = catalogue.documents_by_id({hit.chunk.document_id for hit in hits})
        return tuple((hit, known[hit.chunk.document_id]) for hit in hits)

    def documents_by_id(self, ids: Iterable[str]) -> dict[str, Document]:
        """Those of them that are in the library now."""
        return self.library.documents_by_id(ids)

    def inspect(
        self,
        answer: Answer,
        history: Sequence[Turn] = (),
        documents: frozenset[str] | None = None,
        made: Conditions | None = None,
    ) -> Inspection:
        """How an answer came about, also one made long ago: searches again, which takes as long as it did then.

        `history` and `documents` should be what the question was asked with; `made` are the conditions of the answer,
        where they are known. What has changed since is said in `Inspection.changes`. The reader isn't asked anything,
        so another thread may be answering meanwhile.
        """
        with self.library.snapshot() as catalogue:
            question, candidates = answer.standalone_question, self.settings.candidates
            found = explain(question, self.embedder, catalogue, self._budget, candidates, documents, answer.timeframe)
            known = catalogue.documents_by_id({passage.document.id for passage in answer.passages})
        decided = inspecting.decision(answer, self._calibration, self.settings)
        differing = self._differing(made) if made else ()
        return inspecting.inspection(
            answer,
            replace(found, passages=self._with_staleness(found.passages)),
            self.settings,
            prompts=inspecting.prompts(answer, history, self.engine.count_tokens),
            answer_tokens=0 if answer.abstained else self.engine.count_tokens(answer.text),
            decided=decided,
            changes=inspecting.changes(answer, found, known, self._models, decided, differing),
        )

    def suggest(
        self, answer: Answer, documents: frozenset[str] | None = None, leave: threading.Event | None = None
    ) -> tuple[str, ...]:
        """Up to three questions worth asking next that the library answers; fewer or none where it offers no good ones.

        The reader takes no part, so another thread may be answering meanwhile; at most six searches, and none after
        `leave` is set. `documents` limits them as it did the answer's.
        """
        with self.library.snapshot() as catalogue:
            others = suggesting.near(answer.standalone_question, catalogue, self.embedder, documents)
            chunks = [*(passage.chunk for passage in answer.passages), *others]
            known = catalogue.documents_by_id({chunk.document_id for chunk in chunks})
        tried = suggesting.suggestions(
            answer, chunks, known, self.embedder, lambda question: self._retrieve(question, documents)
        )
        going_on = takewhile(lambda _: not (leave and leave.is_set()), tried)
        return tuple(question for question in going_on if question)

    def openers(self) -> tuple[str, ...]:
        """Up to four questions to begin with that the library answers; none where it is empty or offers no good ones.

        No reader takes part; some tenths of a second.
        """
        try:
            with self.library.snapshot() as catalogue:
                ids = suggesting.spread([listed.id for listed in catalogue.documents()])
                known = catalogue.documents_by_id(ids)
                return suggesting.openers(catalogue, [known[name] for name in ids], self.embedder)
        except LibraryEmpty:
            return ()

    def _accepted(self, question: str) -> str:
        """See `check_question`; also refused is what has too many of the reader's tokens."""
        question = check_question(question)
        if (tokens := self.engine.count_tokens(question)) > QUESTION_TOKENS:
            raise QuestionError(
                f"The reader takes {QUESTION_TOKENS:,} tokens, the question has {tokens:,}. Shorten it."
            )
        return question

    def _differing(self, made: Conditions) -> tuple[str, ...]:
        """Names of what is another now: settings, the library, the code."""
        settings = answer_settings(self.settings)
        others = [name for name, value in made.settings.items() if settings.get(name) != value]
        if made.library != library_fingerprint(self.library):
            others.append(inspecting.LIBRARY)
        if made.revisions.get("code") != code_revision():
            others.append(inspecting.CODE)
        return tuple(others)

    def _retrieve(self, question: str, documents: frozenset[str] | None) -> Retrieved:
        with self.library.snapshot() as catalogue:
            candidates, today = self.settings.candidates, self._today()
            found = retrieve(question, self.embedder, catalogue, self._budget, candidates, documents, today)
        return replace(found, passages=self._with_staleness(found.passages))

    def _with_staleness(self, passages: Sequence[Passage]) -> tuple[Passage, ...]:
        """The passages, those marked whose file isn't what was indexed any more."""
        stale = stale_sources(self.library, [passage.document for passage in passages])
        return tuple(replace(one, stale=str(stale.get(one.document.source, ""))) for one in passages)

    @property
    def _budget(self) -> Budget:
        return Budget(self.settings.passages, self.settings.passage_tokens, self.engine.count_tokens)

    def _with_rivals(
        self, question: str, text: str, claims: tuple[Claim, ...], passages: Sequence[Passage]
    ) -> tuple[str, tuple[Claim, ...]]:
        """The answer, followed by what other articles say that differs from it, by the reader's own judgement."""
        differing = []
        for rival in rivals(question, claims, passages):
            prompt = prompting.differs_prompt(question, text, rival.text)
            if self.engine.choose(prompt, prompting.YES_NO)[0] >= DIFFERS_FROM:
                differing.append(rival)
        return with_rivals(text, claims, differing)

    @property
    def _models(self) -> Models:
        return Models(self.embedder.name, self.engine.model, self.engine.name)

    def read_ahead(self, question: str, passages: Sequence[Passage]) -> Iterator[None]:
        """Have the engine read what it would to answer from `passages`; iterating does the work, a batch at a time."""
        if passages:
            yield from self.engine.warm(prompting.check_prompt(check_question(question), passages, self._today()))

    def conditions(self) -> Conditions:
        """What answers depend on now, the content of the library included. Reads the reader's weights: seconds."""
        revisions = {
            "embedder": self.embedder.revision,
            "reader": reader_revision(self.settings, self.engine),
            "code": code_revision(),
            "calibration": calibration_revision(self._calibration, self.settings.max_wrong),
        }
        return Conditions(answer_settings(self.settings), self._models, revisions, library_fingerprint(self.library))

    def forget(self) -> None:
        """Keep nothing of what was read for earlier questions: what follows comes out as after a start."""
        self.engine.forget()
        self.embedder.forget()

    def close(self) -> None:
        """Free models and library. Safe to call twice."""
        self.engine.close()
        self.library.close()


def check_question(question: str) -> str:
    """The question without surrounding whitespace, in characters that UTF-8 can hold.

    Raises QuestionError when it is empty or too long.
    """
    question = question.encode("utf-8", "replace").decode("utf-8").strip()
    if not question:
        raise QuestionError("The question is empty. Ask something, such as: how much does TikTok pay Microsoft?")
    if len(question) > QUESTION_CHARACTERS:
        raise QuestionError(
            f"The question has {len(question):,} characters; at most {QUESTION_CHARACTERS:,} are accepted. Shorten it."
        )
    return question
