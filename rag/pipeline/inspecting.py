"""What an answer keeps → how it came about.

The passages, signals and timings are those the answer was made with; the prompts follow from them. What the searches
found isn't kept and is looked up again, so it belongs to the library as it is now.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from rag import prompting
from rag.calibration import Calibration
from rag.grounding import supported_only
from rag.inspecting import Asked, Decision, Explained, Inspection, Purpose, Stage, Weighed, shares
from rag.settings import Settings
from rag.types import Answer, Claim, Document, Models, Passage, Prompt, Reason, Turn

SAME = 0.005
"""Confidences that differ by less are the same: they are shown in whole per cents."""

LIBRARY, CODE = "library", "code"
"""Besides settings, what an answer may have been made with another one of."""

_BEFORE_WRITING = (Reason.NOTHING_FOUND, Reason.UNLIKELY)


def inspection(
    answer: Answer,
    found: Explained,
    settings: Settings,
    *,
    prompts: tuple[Asked, ...],
    answer_tokens: int,
    decided: Decision,
    changes: tuple[str, ...],
) -> Inspection:
    """All of it together; an answer from memory rests on nothing that was found."""
    from_memory = _from_memory(answer)
    return Inspection(
        answer=answer,
        found=Explained((), (), (), 0.0) if from_memory else found,
        most_passages=settings.passages,
        most_tokens=settings.passage_tokens,
        prompts=prompts,
        answer_tokens=answer_tokens,
        stages=_stages(answer),
        decision=decided,
        changes=() if from_memory else changes,
    )


def prompts(answer: Answer, history: Sequence[Turn], count_tokens: Callable[[str], int]) -> tuple[Asked, ...]:
    """Those the reader got, in their order.

    The first, which makes the question stand alone, needs the `history`; the last, which shows the reader what it
    wrote, needs that, and so is missing where it was withheld.
    """

    def asked(purpose: Purpose, prompt: Prompt) -> Asked:
        passages = tuple(map(count_tokens, prompt.passages))
        return Asked(purpose, prompt, count_tokens(prompt.instructions), passages, count_tokens(prompt.request))

    return tuple(asked(purpose, prompt) for purpose, prompt in _prompts(answer, history))


def _prompts(answer: Answer, history: Sequence[Turn]) -> Iterator[tuple[Purpose, Prompt]]:
    question, passages, day = answer.standalone_question, answer.passages, answer.timeframe.asked
    if history and prompting.leans_on_history(answer.question):
        yield Purpose.STANDALONE, prompting.standalone_prompt(answer.question, history)
    if _from_memory(answer):
        yield Purpose.RECALL, prompting.recall_prompt(question)
        return
    if not passages:
        return
    yield Purpose.CHECK, prompting.check_prompt(question, passages, day)
    if answer.reason in _BEFORE_WRITING:
        return
    yield Purpose.ANSWER, prompting.answer_prompt(question, passages, day)
    if not answer.abstained:
        proposed, _ = supported_only(answer.text, _own(answer.claims))
        yield Purpose.VERIFY, prompting.verify_prompt(question, passages, proposed, day)


def decision(answer: Answer, calibration: Calibration, settings: Settings) -> Decision:
    """What the signals amount to by the calibration in use, and what was asked of them."""
    point = calibration.working_point(settings.max_wrong)
    weights = dict(zip(calibration.features, calibration.weights, strict=True))
    known = answer.signals
    # Refused before anything was written, an answer is judged by the best it could still become.
    unknown = [name for name in calibration.features if name not in known] if known else []
    values = {**known, **dict.fromkeys(unknown, 1.0)}
    confidence = calibration.probability(values) if known else answer.confidence
    return Decision(
        signals=tuple(
            Weighed(
                name=name,
                value=value,
                weight=weights.get(name, 0.0),
                gain=confidence - calibration.probability({**values, name: 0.0}) if name in weights else 0.0,
                assumed=name in unknown,
            )
            for name, value in values.items()
        ),
        intercept=calibration.intercept,
        confidence=confidence,
        threshold=calibration.threshold(settings.max_wrong),
        max_wrong=settings.max_wrong,
        risk=point.risk,
        questions=calibration.questions,
        strict=bool(settings.strict),
    )


def changes(
    answer: Answer,
    found: Explained,
    known: Mapping[str, Document],
    models: Models,
    decided: Decision,
    differing: Sequence[str] = (),
) -> tuple[str, ...]:
    """What is known not to be as it was when the answer was made.

    `known` are the articles of the answer's passages that the library has now, by id; `differing` names settings,
    `LIBRARY` or `CODE` where they are known to be others.
    """
    return (
        *_changes_of_articles(answer, found, known),
        *_changes_of_models(answer.models, models),
        *_changes_of_settings(differing),
        *_changes_of_confidence(answer, decided),
    )


def _changes_of_articles(answer: Answer, found: Explained, known: Mapping[str, Document]) -> Iterator[str]:
    for name, document in {passage.document.id: passage.document for passage in answer.passages}.items():
        if name not in known:
            yield f"“{document.title}” is no longer in the library."
        elif known[name].content_hash != document.content_hash:
            yield f"“{document.title}” has changed since."
    if list(map(_place, answer.passages)) != list(map(_place, found.passages)):
        yield "The searches now bring other passages than those the answer was made from."


def _changes_of_models(then: Models, now: Models) -> Iterator[str]:
    for role, before, after in (
        ("embedder", then.embedder, now.embedder),
        ("reader", then.reader, now.reader),
        ("engine", then.engine, now.engine),
    ):
        if before != after:
            yield f"The {role} was {before} and is now {after}."


def _changes_of_settings(differing: Sequence[str]) -> Iterator[str]:
    if settings := [name for name in differing if name not in (LIBRARY, CODE)]:
        yield f"Settings that have changed since: {', '.join(settings)}."
    if LIBRARY in differing:
        yield "Articles were added to the library, changed or removed since."
    if CODE in differing:
        yield "The answer was made by another version of Citeline."


def _changes_of_confidence(answer: Answer, decided: Decision) -> Iterator[str]:
    if not decided.signals:
        return
    if abs(answer.confidence - decided.confidence) > SAME:
        yield (
            f"The calibration has changed since: the same signals made {100 * answer.confidence:.0f} % then "
            f"and make {100 * decided.confidence:.0f} % now."
        )
    enough = decided.confidence >= decided.threshold
    if answer.reason is Reason.ANSWERED and not enough:
        yield "With the present settings the answer would be refused."
    if answer.reason in (Reason.UNLIKELY, Reason.UNSURE) and enough:
        yield "With the present settings it would not be refused for its confidence."


def _place(passage: Passage) -> tuple[str, int, str]:
    return passage.document.id, passage.chunk.start, passage.text


def _from_memory(answer: Answer) -> bool:
    """Whether the reader was given nothing to read, as `Pipeline.recall` does."""
    return not answer.passages and answer.reason is not Reason.NOTHING_FOUND


def _own(claims: Sequence[Claim]) -> list[Claim]:
    """Without what `rag.grounding.with_rivals` put behind the answer."""
    return [
        claim
        for claim in claims
        if not any(claim.text.startswith(f"But “{cited.passage.document.title}”") for cited in claim.citations)
    ]


def _stages(answer: Answer) -> tuple[Stage, ...]:
    timings = answer.timings
    named = (
        ("making the question stand alone", timings.standalone),
        ("searching", timings.retrieval),
        ("checking", timings.checking),
        ("writing", timings.generation),
    )
    return shares([*named, ("other", timings.total - sum(seconds for _, seconds in named))])
