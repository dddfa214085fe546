"""How an answer came about in words, for the page and the terminal alike. Nothing here is escaped yet."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rag.inspecting import Asked, Candidate, Decision, Fate, Inspection, Place, Purpose, Weighed
from rag.rendering.wording import date_in_words, in_seconds, percent, source_name, timeframe_in_words
from rag.types import Reason

FIRST_CANDIDATES = 12
"""Shown at once; the others on demand."""

CANDIDATE_COLUMNS = ("rank", "article", "by meaning", "by words", "by both", "read closely", "what became of it")
SIGNAL_COLUMNS = ("signal", "value", "weight", "adds")

SIGNALS = {
    "answerable": "the reader thinks that the passages state the answer",
    "similarity": "likeness of the best sentence to the question",
    "named": "names and figures of the question that the passages hold",
    "verified": "the reader thinks that what it wrote is that answer",
    "support": "support of the weakest sentence",
    "cited named": "names and figures of the question that the cited sentences hold",
    "cited words": "words of the question that the cited sentences hold",
}

_PURPOSES = {
    Purpose.STANDALONE: "Make the question stand alone",
    Purpose.CHECK: "Ask whether the passages state the answer",
    Purpose.ANSWER: "Ask for the answer",
    Purpose.VERIFY: "Ask whether what was written is the answer",
    Purpose.RECALL: "Ask for an answer from memory",
}

_FATES = {
    Fate.GIVEN: "given to the reader",
    Fate.NO_PLACE: "cut: all places were taken",
    Fate.OVER_BUDGET: "cut: too long for the tokens left",
    Fate.SAME_WORDS: "cut: a better one has the same words",
    Fate.COPY: "left out: another version of the article says the same",
    Fate.OTHER_TIME: "left out: the article is of another time",
    Fate.OUT_OF_DATE: "left out: a newer article says otherwise",
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
            return "Refused: neither search found a passage."
        case Reason.UNLIKELY:
            return f"Refused before anything was written: the answer could have become at most {sure} sure. {wanted}"
        case Reason.READER_ABSTAINED:
            return "Refused: the reader wrote that it found no answer in what it read."
        case Reason.UNSUPPORTED:
            return "Withheld: no sentence that the reader wrote is supported by the passages."
        case Reason.UNSURE:
            return f"Withheld: what the reader wrote is {sure} sure to be right. {wanted}"
        case Reason.ANSWERED if not decision.signals:
            return "Given without a check: the reader answered from memory."
        case Reason.ANSWERED:
            return f"Given: it is {sure} sure to be right. {wanted}"


def _wanted(decision: Decision) -> str:
    allowed = percent(decision.max_wrong)
    if decision.threshold == 0:
        return f"As up to {allowed} of the answers may be wrong, none is refused for its confidence."
    begun = f"Answers are given from {percent(decision.threshold)} on"
    if decision.risk <= decision.max_wrong:
        return f"{begun}, so that at most {allowed} of them are wrong."
    return f"{begun}, where {percent(decision.risk)} were wrong in a trial; at most {allowed} can't be reached."


def decision_note(decision: Decision) -> str:
    """Where the threshold comes from, and how strict the answer is."""
    strict = "left out" if decision.strict else "shown with a mark"
    return (
        f"From this confidence on {percent(decision.risk)} of the answers to {decision.questions:,} other questions "
        f"were wrong. Sentences that nothing supports are {strict}."
    )


def asked_as(inspection: Inspection) -> str:
    """What was searched for, where it isn't the question as it was put; else empty."""
    answer = inspection.answer
    return "" if answer.standalone_question == answer.question else answer.standalone_question


def cuts(inspection: Inspection) -> str:
    """How many were found and given, and what limits that."""
    candidates = inspection.found.candidates
    if not candidates:
        return "Nothing was found."
    given = sum(candidate.fate is Fate.GIVEN for candidate in candidates)
    return (
        f"Chunks found: {len(candidates)}, given to the reader: {given}, joined into passages: "
        f"{len(inspection.found.passages)}. Allowed are {inspection.most_passages} passages of "
        f"{inspection.most_tokens:,} tokens together."
    )


def preferred(inspection: Inspection) -> str:
    """What the question says about time, and what that made of the search; empty where it made no difference."""
    return timeframe_in_words(inspection.found.timeframe)


def candidate_cells(candidate: Candidate) -> tuple[str, ...]:
    """In the order of `CANDIDATE_COLUMNS`; scores with the rank in parentheses."""
    became = _FATES[candidate.fate]
    if candidate.passage is not None:
        became = f"{became}: [{candidate.passage}]"
    if candidate.best_of:
        became = f"{became}; best for “{candidate.best_of}”"
    if candidate.preferred:
        became = f"{became}; preferred for its date"
    document, closely = candidate.document, candidate.reranked
    named = (document.title, source_name(document.source), date_in_words(document.published or ""))
    return (
        str(closely.rank) if closely else "–",
        " · ".join(part for part in named if part),
        _place(candidate.dense),
        _place(candidate.words),
        _place(candidate.mixed),
        f"{closely.score:.2f}" if closely and candidate.best else "not read",
        became,
    )


def many_more(candidates: Sequence[Candidate]) -> str:
    """`34 more (33 cut: too long for the tokens left, 1 given to the reader)`"""
    counts = Counter(_FATES[candidate.fate] for candidate in candidates)
    fates = ", ".join(f"{count} {fate}" for fate, count in counts.most_common())
    return f"{len(candidates)} more ({fates})"


def signal_cells(signal: Weighed) -> tuple[str, ...]:
    """In the order of `SIGNAL_COLUMNS`: what it adds is in percentage points of confidence."""
    value = f"{signal.value:.2f}{' at best' if signal.assumed else ''}"
    if not signal.weight:
        return SIGNALS.get(signal.name, signal.name), value, "not used", ""
    return SIGNALS.get(signal.name, signal.name), value, f"{signal.weight:.2f}", f"{100 * signal.gain:+.0f} points"


def stage_time(seconds: float, share: float) -> str:
    """`3.1 s, 45 %`"""
    return f"{in_seconds(seconds)}, {percent(share)}"


def first_word(inspection: Inspection) -> str:
    """When the first word was shown; empty where none was."""
    timings = inspection.answer.timings
    in_all = f"{in_seconds(timings.total)} in all"
    return f"{in_all}; the first word came after {in_seconds(timings.first_token)}" if timings.first_token else in_all


def prompt_title(asked: Asked) -> str:
    """What it is for and how long it is."""
    passages = f", {sum(asked.passage_tokens):,} passages" if asked.passage_tokens else ""
    return (
        f"{_PURPOSES[asked.purpose]}: {asked.tokens:,} tokens "
        f"({asked.instruction_tokens:,} instructions{passages}, {asked.request_tokens:,} request)"
    )


def prompt_parts(asked: Asked, before: Asked | None) -> tuple[PromptPart, ...]:
    """Its parts in order, without those with which the prompt `before` began as well."""
    prompt = asked.prompt
    request = PromptPart(f"Request, {asked.request_tokens:,} tokens", prompt.request)
    if before and (before.prompt.instructions, before.prompt.passages) == (prompt.instructions, prompt.passages):
        return (request,)
    passages = zip(prompt.passages, asked.passage_tokens, strict=True)
    return (
        PromptPart(f"Instructions, {asked.instruction_tokens:,} tokens", prompt.instructions),
        *(
            PromptPart(f"Passage {number}, {tokens:,} tokens", text)
            for number, (text, tokens) in enumerate(passages, start=1)
        ),
        request,
    )


def begins_alike(asked: Asked, before: Asked | None) -> str:
    """A note where `prompt_parts` leaves something out; else empty."""
    alike = before and len(prompt_parts(asked, before)) == 1
    return "It begins with the same instructions and passages, which the reader needn’t read again." if alike else ""


def withheld(inspection: Inspection) -> str:
    """A note where a prompt can't be shown; else empty."""
    if inspection.answer.reason is not Reason.UNSURE:
        return ""
    return "The reader was then asked whether what it had written is the answer; as that was withheld, it isn’t kept."


def answer_length(inspection: Inspection) -> str:
    """Of what was written."""
    return f"Answer: {inspection.answer_tokens:,} tokens" if inspection.answer_tokens else "No answer is shown."


def _place(place: Place | None) -> str:
    if place is None:
        return "–"
    return f"{place.score:.2f} ({place.rank})" if place.rank else f"{place.score:.2f}"
