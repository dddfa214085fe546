"""Question, conversation and passages → `Prompt`s.

Prompts about the same passages begin alike and differ only in the request at their end, so that what an engine has
computed for one serves the next. Whatever comes from articles, questions or earlier answers goes in by `neutral`: none
of it can pass for a part of the prompt, and sentences of an article that give orders are left out.

Only where a question speaks of time do its prompts show when the articles were published, and only where it counts from
today which day `today` is.
"""

import re
from collections.abc import Sequence
from datetime import date

from rag import dating
from rag.neutralizing import neutral, without_instructions
from rag.types import Passage, Prompt, Turn

ABSTENTION = "The articles don't say."
"""What the user reads in place of an answer. The reader is not offered it: given such a way out, a small model takes it
even where a passage states the answer in so many words."""

INSTRUCTIONS = (
    "You answer questions from numbered passages of articles. Use only what the passages say, never what you remember."
)

YES_NO = ("Yes", "No")
"""How the reader may begin its reply to `check_prompt`, `verify_prompt` and `differs_prompt`."""

TITLE_CHARACTERS = 120
REMEMBERED_TURNS = 2
REMEMBERED_CHARACTERS = 400
PROPOSED_CHARACTERS = 400

_LEANING_WORDS = frozenset(
    "he him his himself she her hers herself it its itself they them their theirs themselves this that these those "
    "there then one ones same former latter such both others else".split()
)
_LEANING_LENGTH = 3
_UNNAMED = "|".join(
    "agreement amount answer app article author boss business ceo company contract cost date deal figure firm founder "
    "man model money number owner payments? person price product project reason report service sum tool woman".split()
)
_LEANING_PHRASES = re.compile(
    r"^(?:(?:what|how) about|why not|since when|and|but|or|so|also)\b"
    r"|\b(?:more|further|in (?:more )?detail|instead)\W*$"
    # A thing that the question itself doesn't name: "When did the company start?"
    rf"|\bthe (?:other|(?:two|three) \w+|{_UNNAMED})\b"
    r"(?! (?:about|behind|between|by|called|for|from|in|named|of|on|that|to|which|who|whose|with)\b)"
    r"|\bthe (?:first|second|third|last|next|two|three|rest)\W*$"
)
_STANDING_PHRASES = re.compile(
    r"\bthis (?:year|month|week|quarter|spring|summer|autumn|fall|winter|decade|century)\b|\bthese days\b"
    r"|\b(?:no|at least|more than) one\b|(?<!\bwhich )\bone (?:of|day|million|billion|percent)\b"
    r"|\bsuch as\b|\bat the same time\b|\bthe same (?:\w+ )?as\b|\b(?:the|an?) \w+ that (?=\w)"
)
"""Their "this", "one", "same" and "that" mean nothing said before."""
_AROUND = " \t\"'“”‘’`*"
"""What a reader may put around a question."""
_TITLE_MARKS = str.maketrans({**dict.fromkeys('"“”„«»＂', "'"), "[": "(", "]": ")"})
"""A title can't end its quotation, nor pass for the number of a passage."""
_HEADING = re.compile(r"^([ \t]*passage)(?=[ \t]*[\[(]?\d)", re.IGNORECASE | re.MULTILINE)
"""What a line of an article could have in common with the heading of a passage."""


def check_prompt(question: str, passages: Sequence[Passage], today: date | None = None) -> Prompt:
    """Ask whether the passages state the answer, for a Yes or No: `YES_NO` are the options for `Engine.choose`."""
    return _prompt(
        question,
        passages,
        today,
        "Is the answer to exactly this question written in one of the passages? Reply Yes or No.",
    )


def answer_prompt(question: str, passages: Sequence[Passage], today: date | None = None) -> Prompt:
    """Ask for a short, cited answer. It begins as `check_prompt` does, up to the end of the question."""
    return _prompt(
        question,
        passages,
        today,
        "Answer it in one to three short, complete sentences, "
        "each followed by the number of its passage in square brackets.",
    )


def verify_prompt(question: str, passages: Sequence[Passage], answer: str, today: date | None = None) -> Prompt:
    """Ask whether `answer` is what the passages say, for a Yes or No. It begins as the other prompts do."""
    return _prompt(
        question,
        passages,
        today,
        f"Proposed answer: {_line(answer, PROPOSED_CHARACTERS)}\n\n"
        "Do the passages state that this is the answer to exactly this question? Reply Yes or No.",
    )


def differs_prompt(question: str, answer: str, other: str) -> Prompt:
    """Ask whether a sentence of another article answers the question otherwise, for a Yes or No."""
    return Prompt(
        "You compare what two articles say.",
        (),
        f"Question: {_line(question)}\n\nFirst article: {_line(answer, PROPOSED_CHARACTERS)}\n"
        f"Second article: {_line(other, PROPOSED_CHARACTERS)}\n\n"
        "Does the second article give another answer to exactly this question than the first? Reply Yes or No.",
    )


def recall_prompt(question: str) -> Prompt:
    """Ask for a short answer from memory."""
    return Prompt(
        "You answer questions.", (), f"Question: {_line(question)}\n\nAnswer it in one short, complete sentence."
    )


def standalone_prompt(question: str, history: Sequence[Turn]) -> Prompt:
    """Ask for a question that can be understood without the conversation before it."""
    turns = "\n".join(
        f"Q: {_line(turn.question, REMEMBERED_CHARACTERS)}\nA: {_line(turn.answer, REMEMBERED_CHARACTERS)}"
        for turn in history[-REMEMBERED_TURNS:]
    )
    return Prompt(
        "You rewrite questions.",
        (),
        "Rewrite the last question of this conversation so that it can be understood without the rest: put the names "
        "and things it means in place of words such as it, they or that. Keep everything else as it is. "
        "Write only the question.\n\n"
        "Conversation:\nQ: Who founded the bakery?\nA: Ada Nyberg founded it in 1950.\n"
        "Last question: and how old was she then?\n"
        "Rewritten question: How old was Ada Nyberg when she founded the bakery in 1950?\n\n"
        f"Conversation:\n{turns}\nLast question: {_line(question)}\nRewritten question:",
    )


def leans_on_history(question: str) -> bool:
    """Whether a question seems to need the turns before it: "and how much is that in rupiah?" does.

    A guess from its words alone, so that questions that stand on their own wait for nothing.
    """
    text = question.casefold().replace("’", "'").strip()
    if len(re.findall(r"[\w']+", text)) <= _LEANING_LENGTH or _LEANING_PHRASES.search(text):
        return True
    return not _LEANING_WORDS.isdisjoint(re.findall(r"\w+", _STANDING_PHRASES.sub(" ", text)))


def standalone_question(written: str, question: str) -> str:
    """The question the reader rewrote, cleaned; the original where what it wrote is no question of sensible length."""
    first = written.strip().split("\n")[0].strip(_AROUND)
    line = re.sub(r"^(?:rewritten question|question|q)\s*:", "", first, flags=re.IGNORECASE).strip(_AROUND)
    return line if 0 < len(line) <= max(300, 3 * len(question)) else question


def _prompt(question: str, passages: Sequence[Passage], today: date | None, request: str) -> Prompt:
    dated = dating.mentions_time(question)
    day = f"Today is {dating.in_words(today)}.\n" if today and dating.counts_from_today(question) else ""
    return Prompt(
        INSTRUCTIONS,
        tuple(_shown(passage, dated) for passage in passages),
        f"{day}Question: {_line(question)}\n\n{request}",
    )


def _shown(passage: Passage, dated: bool) -> str:
    title = _line(without_instructions(passage.document.title), TITLE_CHARACTERS).translate(_TITLE_MARKS)
    # Orders first: `neutral` takes away much of what they are known by.
    text = _HEADING.sub(r"\1:", neutral(without_instructions(passage.text)))
    day = dating.day_of(passage.document.published) if dated else None
    published = f", published {dating.in_words(day)}" if day else ""
    return f'Passage [{passage.number}], from "{title}"{published}:\n{text}'


def _line(text: str, characters: int | None = None) -> str:
    """The text on one line, at most so many `characters` of it."""
    flat = " ".join(neutral(text).split())
    return flat if characters is None or len(flat) <= characters else flat[: characters - 1].rstrip() + "…"
