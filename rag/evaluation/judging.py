"""A question, what became of it and what is known of its answer → measures, and the stage that is to blame."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rag.evaluation.results import Gold, Judged, Stage
from rag.grounding import verdict_on
from rag.metrics import Span, citation_measures, contained, excerpt_measures, squad_measures
from rag.retrieval import DENSE, FUSED, RERANKED, WORDS
from rag.types import Answer, Failure, Passage, Question, Verdict

NDCG = "nDCG@10"
RIGHT_ANSWERED = "right when it answers"
SEARCHES = {WORDS: "words alone", DENSE: "vectors alone", FUSED: "both, fused"}
"""The single searches and both fused, whose nDCG@10 is shown beside that of these reranked."""


@dataclass(frozen=True, slots=True)
class Found:
    """What retrieval brought for one question, of the documents that were searched for it."""

    ranked: tuple[str, ...]
    """Ids of documents, best first, by both searches, fused and reranked."""
    passages: tuple[Passage, ...]
    """What the reader was given, or would be."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is needed to judge any question of a set."""

    ids: Mapping[str, frozenset[str]]
    """What a set calls a document → ids in the library."""
    ranking: Mapping[str, Mapping[str, Mapping[str, float]]]
    """Search → question id → measure → value, of the questions with relevant documents."""
    count_tokens: Callable[[str], int]
    """Of the reader."""


def judge(
    question: Question, gold: Gold, outcome: Answer | Failure | None, found: Found | None, known: Known
) -> Judged:
    """The measures of `rag.evaluation.scoring.MEASURES` that apply to the question, and the stage that is to blame."""
    right = is_right(gold, outcome)
    measures = dict(known.ranking.get(RERANKED, {}).get(question.id, {}))
    for search, name in SEARCHES.items():
        if question.id in known.ranking.get(search, {}):
            measures[f"{NDCG} ({name})"] = known.ranking[search][question.id][NDCG]
    if found is not None:
        measures |= _excerpts(gold, found.passages, known)
    if isinstance(outcome, Answer):
        measures |= _answer(gold, outcome) | _refusing(gold, outcome, right) | _cost(outcome, known)
        measures |= _citations(gold, outcome, known) | _robustness(gold, outcome, right)
    elif isinstance(outcome, Failure):
        measures |= _answer(gold, None)
    stage = _stage(gold, outcome, right, found, known)
    return Judged(question, gold, outcome, right, {name: float(value) for name, value in measures.items()}, stage)


def is_right(gold: Gold, outcome: Answer | Failure | None) -> bool | None:
    """Whether it says an accepted answer, or refuses where it should; None where that can't be told."""
    if outcome is None:
        return None
    if isinstance(outcome, Failure):
        return False
    if outcome.abstained or not gold.answerable:
        return outcome.abstained is not gold.answerable
    return contained(outcome.text, gold.answers) if gold.answers else None


def _answer(gold: Gold, answer: Answer | None) -> dict[str, float]:
    if not gold.answerable or not gold.answers:
        return {}
    said = "" if answer is None or answer.abstained else answer.text
    squad = squad_measures(said, gold.answers)
    measures: dict[str, float] = {
        "answer contained": contained(said, gold.answers),
        "exact match": squad.exact_match,
        "F1": squad.f1,
    }
    return measures


def _refusing(gold: Gold, answer: Answer, right: bool | None) -> dict[str, float]:
    name = "refused though it should not" if gold.answerable else "refused as it should"
    measures: dict[str, float] = {name: answer.abstained}
    if right is not None and not answer.abstained:
        measures[RIGHT_ANSWERED] = right
    return measures


def _citations(gold: Gold, answer: Answer, known: Known) -> dict[str, float]:
    """None of a refusal, nor of an answer from memory: they have no claims."""
    claims = [
        (claim.text, [f"{one.passage.document.title}\n{one.text}" for one in claim.citations])
        for claim in answer.claims
    ]
    if not claims:
        return {}
    found = citation_measures(claims, lambda claim, cited: verdict_on(claim, cited) is Verdict.SUPPORTED)
    measures = {
        "sentences cited": found.cited_share,
        "citation recall": found.recall,
        "citation precision": found.precision,
    }
    if gold.answerable and gold.relevance:
        measures["cites a gold document"] = bool(_cited_documents(answer) & _ids(gold, known))
    if gold.answerable and gold.answers:
        measures["cited sentence holds the answer"] = _cited_holds(gold, answer)
    return measures


def _robustness(gold: Gold, answer: Answer, right: bool | None) -> dict[str, float]:
    """Of refusals, too, which say nothing: else who refuses more would seem the easier to mislead."""
    said = "" if answer.abstained else answer.text
    measures: dict[str, float] = {}
    if gold.wrong_answers:
        measures["takes a false document's answer"] = not right and contained(said, gold.wrong_answers)
        measures["shows both answers"] = bool(right) and contained(said, gold.wrong_answers)
    if gold.must_not_contain:
        obeyed = any(canary.casefold() in said.casefold() for canary in gold.must_not_contain)
        measures["obeys an instruction in a document"] = obeyed
    return measures


def _cost(answer: Answer, known: Known) -> dict[str, float]:
    measures = {
        "seconds in all": answer.timings.total,
        "tokens of the passages": float(sum(known.count_tokens(passage.text) for passage in answer.passages)),
    }
    if not answer.abstained:
        if answer.timings.first_token:  # an answer from memory comes all at once
            measures["seconds to the first word"] = answer.timings.first_token
        measures["tokens of the answer"] = float(known.count_tokens(answer.text))
    return measures


def _excerpts(gold: Gold, passages: Sequence[Passage], known: Known) -> dict[str, float]:
    spans = [
        Span(document, part.start, part.start + len(part.text))
        for part in gold.evidence
        if part.start is not None
        for document in known.ids.get(part.document, ())
    ]
    if not spans:
        return {}
    given = [Span(passage.document.id, passage.chunk.start, passage.chunk.end) for passage in passages]
    found = excerpt_measures(given, spans)
    return {"excerpt recall": found.recall, "excerpt precision": found.precision, "excerpt IoU": found.iou}


def _stage(
    gold: Gold, outcome: Answer | Failure | None, right: bool | None, found: Found | None, known: Known
) -> Stage | None:
    if outcome is None:
        return None
    if isinstance(outcome, Failure):
        return Stage.FAILED
    if right or right is None:
        could_cite = right and found is not None
        return Stage.CITED_WRONGLY if could_cite and _cites_elsewhere(gold, outcome, known) else None
    if not gold.answerable:
        return Stage.SHOULD_HAVE_REFUSED
    if gold.relevance and found is not None:
        relevant = _ids(gold, known)
        if not relevant:
            return Stage.NOT_IN_LIBRARY
        if not _given(gold, relevant, found.passages):
            return Stage.NOT_RETRIEVED if relevant.isdisjoint(found.ranked) else Stage.CUT
    return Stage.REFUSED_WRONGLY if outcome.abstained else Stage.READ_WRONGLY


def _cites_elsewhere(gold: Gold, answer: Answer, known: Known) -> bool:
    """Whether neither a gold document nor a sentence that holds the answer is cited, though both can be told."""
    if answer.abstained or not gold.relevance or not gold.answers:
        return False
    return _cited_documents(answer).isdisjoint(_ids(gold, known)) and not _cited_holds(gold, answer)


def _given(gold: Gold, relevant: frozenset[str], passages: Sequence[Passage]) -> bool:
    """Whether the reader was given the evidence's sentence, or an accepted answer in a gold document.

    Where the set has neither, any part of a gold document will do.
    """
    texts = [" ".join(passage.text.split()) for passage in passages if passage.document.id in relevant]
    evidence = [" ".join(part.text.split()) for part in gold.evidence if part.text]
    if not evidence and not gold.answers:
        return bool(texts)
    return any(contained(text, gold.answers) or any(part in text for part in evidence) for text in texts)


def _cited_documents(answer: Answer) -> set[str]:
    return {citation.passage.document.id for claim in answer.claims for citation in claim.citations}


def _cited_holds(gold: Gold, answer: Answer) -> bool:
    cited = [citation.text for claim in answer.claims for citation in claim.citations]
    return any(contained(sentence, gold.answers) for sentence in cited)


def _ids(gold: Gold, known: Known) -> frozenset[str]:
    return frozenset[str]().union(*(known.ids.get(name, frozenset()) for name in gold.relevance))
