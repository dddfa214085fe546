"""Whether articles bear out what a question takes for granted, told by its words alone.

    "Where did Möngke Khan not fight?"          asks what isn't so: a sentence without a "not" says nothing about that
    "What is an example of the abnormal force?" of an article that knows the normal force only
    "What did the mill grind in 1912?"          of an article without that year

A reader overlooks such things: it answers as if it had been asked what the articles say. The measures are joined by
logistic regression; its numbers are in premises.json, and `python -m benchmarks.premises` fits them.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from math import exp

from rag.grounding.figures import Date, Figure, held
from rag.grounding.support import Held, coverage, held_in, joined, named_in
from rag.grounding.words import normal_form, wording
from rag.sentences import sentence_spans

_DENIES = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|non|without|neither|nor|cannot|fail\w*|lack\w*|\w+n['’]t)\b", re.IGNORECASE
)
_ASKS_WHAT = re.compile(r"\b(?:who|whom|whose|what|when|where|which|why|how)\b", re.IGNORECASE)
_BEGINS_OPEN = re.compile(
    r"\W*(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)\b", re.IGNORECASE
)
_PREFIXES = ("non", "un", "in", "im", "ir", "il", "dis", "ab", "anti", "mis")
"""What turns an English word round when it stands in front of it."""
_PAIRS = """
accept/reject accept/refuse add/subtract after/before agree/disagree agree/refuse allow/forbid allow/prevent
allow/prohibit ally/enemy always/never ancient/modern arrive/leave attack/defend attack/protect bad/good beginning/end
begin/end best/worst better/worse big/small biggest/smallest bottom/top broad/narrow build/destroy buy/sell bought/sold
cause/prevent cold/hot common/rare complex/simple compulsory/voluntary contract/expand create/destroy deep/shallow
decline/rise decrease/increase defeat/victory defend/invade different/same difficult/easy discourage/encourage
domestic/foreign earlier/later earliest/latest early/late east/west eastern/western easy/hard empty/full
enter/leave exclude/include exit/enter external/internal fail/succeed failure/success fall/rise false/true far/near
fast/slow father/mother female/male few/many fewest/most first/last friend/enemy front/rear gain/lose gain/loss
general/special general/specific hard/soft heavy/light hide/reveal high/low higher/lower highest/lowest husband/wife
import/export increase/reduce inner/outer inside/outside join/leave large/small larger/smaller largest/smallest
least/most left/right less/more long/short longer/shorter longest/shortest lose/win loss/profit lower/raise lower/upper
majority/minority major/minor man/woman maximum/minimum men/women multiple/single narrow/wide natural/artificial
negative/positive new/old newest/oldest north/south northern/southern northeast/southwest northwest/southeast
older/younger oldest/youngest old/young oppose/support optional/required peace/war permanent/temporary poor/rich
private/public pull/push rural/urban separate/unite separate/unify split/unify start/end start/stop stronger/weaker
strong/weak thick/thin
"""
"""Opposites that have nothing in common but their meaning: a sentence about the newest says nothing of the oldest."""
_ROOT = 4
"""Letters, at least, of a word that is turned round."""
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_COUNTS = 12
"""Up to here a number counts things, which a sentence may also list: "which two courts", "one day"."""


def premise_held(question: str, sentences: Sequence[str], passages: Sequence[str]) -> float:
    """How probable it is, in [0, 1], by the words alone that these sentences answer exactly this question.

    `passages` are all that their articles are known to say, the sentences included; see `premises`.
    """
    return joined_by(_model(), premises(question, sentences, passages))


def premises(question: str, sentences: Sequence[str], passages: Sequence[str]) -> dict[str, float]:
    """The measures, all in [0, 1], the higher the better sentences of these passages bear the question out.

    Both are best given with the titles of their articles. "words" is the weighted share of the question's words in the
    sentences, "named" the share of its names and figures in the passages. The others are 1 or 0: "figures" whether all
    its dates and larger numbers are in the passages, "denied" whether a sentence has a "not" or the like if the
    question has, "opposite" whether none of its words is in the passages as its opposite only: "abnormal" as "normal",
    "last" as "first". A question for a Yes or No takes nothing for granted: of it all but "words" are 1.

    >>> coal = ["Coal is mined in Emden."]
    >>> premises("Where is coal not mined?", coal, coal)["denied"]
    0.0
    """
    asked, there = wording(question), joined([held_in(text) for text in passages])
    words = coverage(asked, joined([held_in(text) for text in sentences]))
    asking = _asking(question)
    if not asking:
        return {"words": words, "named": 1.0, "figures": 1.0, "denied": 1.0, "opposite": 1.0}
    denied = not _DENIES.search(asking) or any(_DENIES.search(text) for text in sentences)
    return {
        "words": words,
        "named": named_in(question, passages),
        "figures": float(all(held(one, there.figures) for one in asked.figures if not _is_count(one))),
        "denied": float(denied),
        "opposite": float(not _turned_round(asking, there)),
    }


def _asking(question: str) -> str:
    """Its sentences that ask who, what or the like; empty where it is one for a Yes or No."""
    said = [question[start:end] for start, end in sentence_spans(question)]
    return " ".join(one for one in said if _ASKS_WHAT.search(one) and not _BEGINS_OPEN.match(one))


def joined_by(model: Mapping[str, float], measured: Mapping[str, float]) -> float:
    """The logistic function of the weighted sum of `premises`, in [0, 1]; `model` has an "intercept" too."""
    log_odds = model["intercept"] + sum(model[name] * value for name, value in measured.items())
    return 1 / (1 + exp(-log_odds))


def _turned_round(question: str, there: Held) -> bool:
    """Whether a word of the question is missing where its opposite stands, unless the question has both."""
    asked = {normal_form(word.replace("-", "")): word for word in map(str.casefold, _WORD.findall(question))}
    return any(
        form not in there.words and not there.words.isdisjoint(_opposites(word) - asked.keys())
        for form, word in asked.items()
    )


@cache
def _opposites(word: str) -> frozenset[str]:
    """Normal forms: "legal" -> those of "illegal", "nonlegal", …"""
    form = normal_form(word)
    known = _pairs().get(form, frozenset())
    if len(word) < _ROOT:
        return known
    turned = [f"{prefix}{word}" for prefix in _PREFIXES]
    turned += [word.removeprefix(prefix).lstrip("-") for prefix in _PREFIXES if word.startswith(prefix)]
    return known.union(normal_form(one) for one in turned if len(one) >= _ROOT)


@cache
def _pairs() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for pair in _PAIRS.split():
        one, other = map(normal_form, pair.split("/"))
        found[one] = found.get(one, frozenset()) | {other}
        found[other] = found.get(other, frozenset()) | {one}
    return found


def _is_count(figure: Figure) -> bool:
    return not isinstance(figure, Date) and figure.unit != "th" and figure.value <= _COUNTS


@cache
def _model() -> dict[str, float]:
    found: dict[str, float] = json.loads((files("rag.grounding") / "premises.json").read_text(encoding="utf-8"))[
        "model"
    ]
    return found
