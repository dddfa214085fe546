"""Articles that disagree: what another article says where the answer is from one, so that both are shown.

Words find the sentences that may answer the question otherwise; whether they do is for the reader to say.
"""

from collections.abc import Sequence

from rag.grounding.figures import Figure, held
from rag.grounding.support import held_in, name_held, word_share
from rag.grounding.words import wording
from rag.neutralizing import instruction_like
from rag.sentences import sentence_spans
from rag.types import Citation, Claim, Passage, Verdict

ASKED_SHARE = 0.6
"""Of the question's words a rival and the title of its article hold at least so much."""

ASKED_ALONE = 0.75
"""And the rival by itself so much: a title fits every sentence of its article, also those about something else."""

BEHIND_CITED = 0.15
"""How much less of them it may hold than the sentences that are cited."""

MOST_RIVALS = 2

LONGEST = 300
"""Characters of the sentence of another article that is shown; longer ones are passed over."""


def rivals(question: str, claims: Sequence[Claim], passages: Sequence[Passage]) -> tuple[Citation, ...]:
    """Sentences of articles that aren't cited, at most two, one of each, that could answer the question otherwise.

    Such a sentence says about as much of what the question asks about as the cited ones do, nothing of what is new in
    the answer, and instead another name, or another figure where the answer is a figure.
    """
    answer = " ".join(claim.text for claim in claims)
    cited = {citation.passage.document.id for claim in claims for citation in claim.citations}
    least = max(ASKED_SHARE, word_share(question, _cited_texts(claims)) - BEHIND_CITED)
    found = []
    for passage in passages:
        if passage.document.id in cited:
            continue
        best = max(
            (citation for citation in _sentences(passage) if _is_rival(question, answer, citation)),
            key=lambda citation: _asked(question, citation),
            default=None,
        )
        if best is None or word_share(question, [best.text]) < ASKED_ALONE:
            continue
        if _asked(question, best) >= least:
            cited = cited | {passage.document.id}
            found.append(best)
    return tuple(found[:MOST_RIVALS])


def with_rivals(text: str, claims: tuple[Claim, ...], differing: Sequence[Citation]) -> tuple[str, tuple[Claim, ...]]:
    """The answer, and a sentence for each of `differing` that says which article says what, as its own citation."""
    for rival in differing:
        said = _said_by(rival)
        start = len(text) + 1
        text = f"{text}\n{said}"
        claims = (*claims, Claim(said, start, len(text), (rival,), Verdict.SUPPORTED, 1.0))
    return text, claims


def without_rivals(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The claims of the answer itself, before `with_rivals`."""
    return tuple(claim for claim in claims if claim.text not in map(_said_by, claim.citations))


def _said_by(rival: Citation) -> str:
    document = rival.passage.document
    when = f" ({document.published})" if document.published else ""
    return f"But “{document.title}”{when} says: {' '.join(rival.text.split())}"


def _is_rival(question: str, answer: str, citation: Citation) -> bool:
    if len(citation.text) > LONGEST or instruction_like(citation.text):
        return False
    asked, said, there = (
        wording(question),
        wording(answer),
        held_in(f"{citation.passage.document.title}\n{citation.text}"),
    )
    new_figures = [one for one in said.figures if not held(one, asked.figures)]
    new_names = [name for name in said.names if not name_held(name, held_in(question))]
    if any(held(one, there.figures) for one in new_figures) or any(name_held(name, there) for name in new_names):
        return False
    if new_figures:
        return bool(_beyond(citation.text, question, answer))
    told = wording(citation.text)
    other_names = [name for name in told.names if not name_held(name, held_in(f"{question}\n{answer}"))]
    if new_names:
        return bool(other_names)
    new_words = said.weights.keys() - asked.weights.keys()
    return not new_words & there.words and bool(told.weights.keys() - asked.weights.keys())


def _beyond(sentence: str, question: str, answer: str) -> list[Figure]:
    """The sentence's figures that neither question nor answer has."""
    known = [*wording(question).figures, *wording(answer).figures]
    return [one for one in wording(sentence).figures if not held(one, known)]


def _asked(question: str, citation: Citation) -> float:
    return word_share(question, [citation.passage.document.title, citation.text])


def _cited_texts(claims: Sequence[Claim]) -> list[str]:
    return [
        text
        for claim in claims
        for citation in claim.citations
        for text in (citation.passage.document.title, citation.text)
    ]


def _sentences(passage: Passage) -> list[Citation]:
    start = passage.chunk.start
    return [Citation(passage, start + begin, start + end) for begin, end in sentence_spans(passage.text)]
