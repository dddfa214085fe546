"""What speaks for an answer, as numbers: the calibration makes of them how probable it is that the answer is right.

| signal | in | is |
|---|---|---|
| answerable | [0, 1] | the reader's probability, before it writes, that the passages hold the answer |
| similarity | [-1, 1] | how like the question the most relevant sentence of the passages is |
| named | [0, 1] | share of the question's names, numbers and dates that occur in the passages |
| verified | [0, 1] | the reader's probability that what it wrote is the answer the passages state |
| support | [0, 1] | of the answer sentence supported least |
| cited named | [0, 1] | as named, in the articles' titles and sentences that are cited |
| cited words | [0, 1] | weighted share of the question's content words there |
| premise | [0, 1] | how probable it is by its words that what is cited says what the question takes for granted |
"""

from collections.abc import Mapping, Sequence

from rag import dating
from rag.calibration import Calibration
from rag.grounding import named_in, premise_held, without_rivals, word_share
from rag.retrieval import Retrieved
from rag.types import Answer, Claim, Document

Signals = Mapping[str, float]


def before(question: str, found: Retrieved, answerable: float) -> Signals:
    """Those known before anything is written."""
    texts = [text for passage in found.passages for text in (*_told(question, passage.document), passage.text)]
    return {"answerable": answerable, "similarity": found.similarity, "named": named_in(question, texts)}


def after(question: str, known: Signals, claims: Sequence[Claim], verified: float) -> Signals:
    """All of them, of an answer whose `claims`, at least one, are supported at least in part."""
    cited = [citation for claim in claims for citation in claim.citations]
    texts = [text for citation in cited for text in (*_told(question, citation.passage.document), citation.text)]
    return {
        **known,
        "verified": verified,
        "support": min(claim.score for claim in claims),
        "cited named": named_in(question, texts),
        "cited words": word_share(question, texts),
        "premise": premise_held(question, texts, [*texts, *(citation.passage.text for citation in cited)]),
    }


def anew(answer: Answer) -> Signals:
    """Those of an answer that was given, perhaps by an earlier version: what the reader said then, all else again."""
    known = {name: answer.signals[name] for name in ("answerable", "similarity", "named")}
    kept = [claim for claim in without_rivals(answer.claims) if claim.citations]
    return after(answer.standalone_question, known, kept, answer.signals["verified"])


def _told(question: str, document: Document) -> list[str]:
    """What is known of an article besides its text: its title, and its day where the question speaks of time."""
    day = dating.day_of(document.published) if dating.mentions_time(question) else None
    return [document.title, dating.in_words(day)] if day else [document.title]


def at_best(calibration: Calibration, known: Signals) -> float:
    """How probable the answer can become at most, whatever the signals say that aren't known yet."""
    return calibration.probability({**dict.fromkeys(calibration.features, 1.0), **known})
