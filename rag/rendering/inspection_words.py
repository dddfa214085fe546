"""How an answer came about in words, for the page and the terminal alike. Nothing here is escaped yet."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rag.inspecting import Asked, Candidate, Decision, Fate, Inspection, Place, Purpose, Weighed
from rag.languages import in_figures, later, said
from rag.rendering.wording import date_in_words, in_seconds, percent, source_name, timeframe_in_words
from rag.types import Reason

FIRST_CANDIDATES = 12
"""Shown at once; the others on demand."""

CANDIDATE_COLUMNS = (
    later("rank"),
    later("article"),
    later("by meaning"),
    later("by words"),
    later("by both"),
    later("read closely"),
    later("what became of it"),
)
SIGNAL_COLUMNS = (later("signal"), later("value"), later("weight"), later("adds"))

SIGNALS = {
    "answerable": later("the reader thinks that the passages state the answer"),
    "similarity": later("likeness of the best sentence to the question"),
    "named": later("names and figures of the question that the passages hold"),
    "verified": later("the reader thinks that what it wrote is that answer"),
    "support": later("support of the weakest sentence"),
    "cited named": later("names and figures of the question that the cited sentences hold"),
    "cited words": later("words of the question that the cited sentences hold"),
    "premise": later("how well what is cited bears out what the question takes for granted"),
}

_PURPOSES = {
    Purpose.STANDALONE: later("Make the question stand alone"),
    Purpose.CHECK: later("Ask whether the passages state the answer"),
    Purpose.ANSWER: later("Ask for the answer"),
    Purpose.VERIFY: later("Ask whether what was written is the answer"),
    Purpose.RECALL: later("Ask for an answer from memory"),
}

_FATES = {
    Fate.GIVEN: later("given to the reader"),
    Fate.NO_PLACE: later("cut: all places were taken"),
    Fate.OVER_BUDGET: later("cut: too long for the tokens left"),
    Fate.SAME_WORDS: later("cut: a better one has the same words"),
    Fate.COPY: later("left out: another version of the article says the same"),
    Fate.OTHER_TIME: later("left out: the article is of another time"),
    Fate.OUT_OF_DATE: later("left out: a newer article says otherwise"),
}


@dataclass(frozen=True, slots=True)
class PromptPart:
    """Something the reader was given to read."""

    name: str
    text: str


def why(inspection: Inspection) -> str:
    """One sentence: why the answer was given or refused."""
    answer, decision = inspection.answer, inspection.decision
    sure, wanted = percent(answer.confidence), _wanted(decision)
    match answer.reason:
        case Reason.NOTHING_FOUND:
            return said("Refused: neither search found a passage.")
        case Reason.UNLIKELY:
            text = later(
                "Refused before anything was written: the answer could have become at most {sure} sure. {wanted}"
            )
            return said(text, sure=sure, wanted=wanted)
        case Reason.READER_ABSTAINED:
            return said("Refused: the reader wrote that it found no answer in what it read.")
        case Reason.UNSUPPORTED:
            return said("Withheld: no sentence that the reader wrote is supported by the passages.")
        case Reason.UNSURE:
            text = later("Withheld: what the reader wrote is {sure} sure to be right. {wanted}")
            return said(text, sure=sure, wanted=wanted)
        case Reason.ANSWERED if not decision.signals:
            return said("Given without a check: the reader answered from memory.")
        case Reason.ANSWERED:
            return said("Given: it is {sure} sure to be right. {wanted}", sure=sure, wanted=wanted)


def _wanted(decision: Decision) -> str:
    allowed = percent(decision.max_wrong)
    if decision.threshold == 0:
        text = later("As up to {allowed} of the answers may be wrong, none is refused for its confidence.")
    elif decision.risk <= decision.max_wrong:
        text = later("Answers are given from {threshold} on, so that at most {allowed} of them are wrong.")
    else:
        text = later(
            "Answers are given from {threshold} on, where {risk} were wrong in a trial; at most {allowed} can't be "
            "reached."
        )
    return said(text, allowed=allowed, threshold=percent(decision.threshold), risk=percent(decision.risk))


def decision_note(decision: Decision) -> str:
    """Where the threshold comes from, and how strict the answer is."""
    trial = said(
        "From this confidence on {risk} of the answers to {number} other questions were wrong.",
        risk=percent(decision.risk),
        number=in_figures(decision.questions),
    )
    strict, lenient = (
        later("Sentences that nothing supports are left out."),
        later("Sentences that nothing supports are shown with a mark."),
    )
    return f"{trial} {said(strict if decision.strict else lenient)}"


def asked_as(inspection: Inspection) -> str:
    """What was searched for, where it isn't the question as it was put; else empty."""
    answer = inspection.answer
    return "" if answer.standalone_question == answer.question else answer.standalone_question


def cuts(inspection: Inspection) -> str:
    """How many were found and given, and what limits that."""
    candidates = inspection.found.candidates
    if not candidates:
        return said("Nothing was found.")
    given = sum(candidate.fate is Fate.GIVEN for candidate in candidates)
    return said(
        "Chunks found: {found}, given to the reader: {given}, joined into passages: {passages}. Allowed are {most} "
        "passages of {tokens} tokens together.",
        found=len(candidates),
        given=given,
        passages=len(inspection.found.passages),
        most=inspection.most_passages,
        tokens=in_figures(inspection.most_tokens),
    )


def preferred(inspection: Inspection) -> str:
    """What the question says about time, and what that made of the search; empty where it made no difference."""
    return timeframe_in_words(inspection.found.timeframe)


def candidate_cells(candidate: Candidate) -> tuple[str, ...]:
    """In the order of `CANDIDATE_COLUMNS`; scores with the rank in parentheses."""
    became = said(_FATES[candidate.fate])
    if candidate.passage is not None:
        became = f"{became}: [{candidate.passage}]"
    if candidate.best_of:
        became = said("{what}; best for “{part}”", what=became, part=candidate.best_of)
    if candidate.preferred:
        became = said("{what}; preferred for its date", what=became)
    document, closely = candidate.document, candidate.reranked
    named = (document.title, source_name(document.source), date_in_words(document.published or ""))
    return (
        str(closely.rank) if closely else "–",
        " · ".join(part for part in named if part),
        _place(candidate.dense),
        _place(candidate.words),
        _place(candidate.mixed),
        in_figures(closely.score, 2) if closely and candidate.best else said("not read"),
        became,
    )


def many_more(candidates: Sequence[Candidate]) -> str:
    """`34 more (33 cut: too long for the tokens left, 1 given to the reader)`"""
    counts = Counter(_FATES[candidate.fate] for candidate in candidates)
    fates = ", ".join(f"{count} {said(fate)}" for fate, count in counts.most_common())
    return said("{number} more ({fates})", number=len(candidates), fates=fates)


def signal_cells(signal: Weighed) -> tuple[str, ...]:
    """In the order of `SIGNAL_COLUMNS`: what it adds is in percentage points of confidence."""
    name, value = said(SIGNALS.get(signal.name, signal.name)), in_figures(signal.value, 2)
    if signal.assumed:
        value = said("{value} at best", value=value)
    if not signal.weight:
        return name, value, said("not used"), ""
    return name, value, in_figures(signal.weight, 2), said("{gain} points", gain=f"{100 * signal.gain:+.0f}")


def stage_time(seconds: float, share: float) -> str:
    """`3.1 s, 45 %`"""
    return f"{in_seconds(seconds)}, {percent(share)}"


def first_word(inspection: Inspection) -> str:
    """When the first word was shown; empty where none was."""
    timings = inspection.answer.timings
    text = (
        later("{seconds} in all; the first word came after {first}")
        if timings.first_token
        else later("{seconds} in all")
    )
    return said(text, seconds=in_seconds(timings.total), first=in_seconds(timings.first_token))


def prompt_title(asked: Asked) -> str:
    """What it is for and how long it is."""
    with_passages = later(
        "{purpose}: {tokens} tokens ({instructions} instructions, {passages} passages, {request} request)"
    )
    without = later("{purpose}: {tokens} tokens ({instructions} instructions, {request} request)")
    return said(
        with_passages if asked.passage_tokens else without,
        purpose=said(_PURPOSES[asked.purpose]),
        tokens=in_figures(asked.tokens),
        instructions=in_figures(asked.instruction_tokens),
        passages=in_figures(sum(asked.passage_tokens)),
        request=in_figures(asked.request_tokens),
    )


def prompt_parts(asked: Asked, before: Asked | None) -> tuple[PromptPart, ...]:
    """Its parts in order, without those with which the prompt `before` began as well."""
    prompt = asked.prompt
    request = PromptPart(said("Request, {tokens} tokens", tokens=in_figures(asked.request_tokens)), prompt.request)
    if before and (before.prompt.instructions, before.prompt.passages) == (prompt.instructions, prompt.passages):
        return (request,)
    passages = zip(prompt.passages, asked.passage_tokens, strict=True)
    return (
        PromptPart(
            said("Instructions, {tokens} tokens", tokens=in_figures(asked.instruction_tokens)), prompt.instructions
        ),
        *(
            PromptPart(said("Passage {number}, {tokens} tokens", number=number, tokens=in_figures(tokens)), text)
            for number, (text, tokens) in enumerate(passages, start=1)
        ),
        request,
    )


def begins_alike(asked: Asked, before: Asked | None) -> str:
    """A note where `prompt_parts` leaves something out; else empty."""
    alike = before and len(prompt_parts(asked, before)) == 1
    text = later("It begins with the same instructions and passages, which the reader needn’t read again.")
    return said(text) if alike else ""


def withheld(inspection: Inspection) -> str:
    """A note where a prompt can't be shown; else empty."""
    if inspection.answer.reason is not Reason.UNSURE:
        return ""
    text = later(
        "The reader was then asked whether what it had written is the answer; as that was withheld, it isn’t kept."
    )
    return said(text)


def answer_length(inspection: Inspection) -> str:
    """Of what was written."""
    if not inspection.answer_tokens:
        return said("No answer is shown.")
    return said("Answer: {tokens} tokens", tokens=in_figures(inspection.answer_tokens))


def _place(place: Place | None) -> str:
    if place is None:
        return "–"
    score = in_figures(place.score, 2)
    return f"{score} ({place.rank})" if place.rank else score
