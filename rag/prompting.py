"""Question, conversation and passages → `Prompt`s.

All prompts about the same passages begin with the same instructions and passages; only the request at their end
differs. Whatever an engine computed for one of them serves the next.
"""

import re
from collections.abc import Sequence

from rag.types import Passage, Prompt, Turn

ABSTENTION = "The articles don't say."
"""What the user reads in place of an answer. The reader is not offered it: given such a way out, a small model takes it
even where a passage states the answer in so many words. Whether to refuse is asked separately (`answerable_prompt`)."""

INSTRUCTIONS = (
    "You answer questions from numbered passages of articles. Use only what the passages say, never what you remember."
)

YES_NO = ("Yes", "No")
"""What `answerable_prompt` asks the reader to choose from."""

TITLE_CHARACTERS = 120
REMEMBERED_TURNS = 2
REMEMBERED_CHARACTERS = 400

_LEANING_WORDS = frozenset(
    "he him his she her hers it its they them their theirs this that these those there then one ones same "
    "former latter such".split()
)
_LEANING_STARTS = (
    "and ",
    "but ",
    "or ",
    "so ",
    "also ",
    "what about",
    "how about",
    "what else",
    "why not",
    "since when",
)
_LEANING_LENGTH = 3
_QUOTES = "\"'“”‘’`"


def answer_prompt(question: str, passages: Sequence[Passage]) -> Prompt:
    """Ask for a short, cited answer."""
    return _prompt(
        passages,
        f"Question: {question}\n\nAnswer in one to three short, complete sentences, "
        "each followed by the number of its passage in square brackets.",
    )


def answerable_prompt(question: str, passages: Sequence[Passage]) -> Prompt:
    """Ask whether the passages state an answer; to be used with `Engine.choose` and `YES_NO`."""
    return _prompt(
        passages, f"Question: {question}\n\nDo the passages state the answer to exactly this question? Reply Yes or No."
    )


def passages_prompt(passages: Sequence[Passage]) -> Prompt:
    """The beginning that all prompts about these passages share; to be used with `Engine.warm`."""
    return _prompt(passages, "Question: ")


def standalone_prompt(question: str, history: Sequence[Turn]) -> Prompt:
    """Ask for a question that can be understood without the conversation before it."""
    turns = "\n".join(f"Q: {_short(turn.question)}\nA: {_short(turn.answer)}" for turn in history[-REMEMBERED_TURNS:])
    return Prompt(
        "You rewrite questions.",
        (),
        "Rewrite the last question of this conversation so that it can be understood without the rest: put the names "
        "and things it means in place of words such as it, they or that. Keep everything else as it is. "
        "Write only the question.\n\n"
        "Conversation:\nQ: Who founded the bakery?\nA: Ada Nyberg founded it in 1950.\n"
        "Last question: and how old was she then?\n"
        "Rewritten question: How old was Ada Nyberg when she founded the bakery in 1950?\n\n"
        f"Conversation:\n{turns}\nLast question: {question}\nRewritten question:",
    )


def leans_on_history(question: str) -> bool:
    """Whether a question seems to need the turns before it: "and how much is that in rupiah?" does.

    A guess from its words alone, so that questions that stand on their own wait for nothing.
    """
    text = question.casefold().strip()
    words = re.findall(r"[\w']+", text)
    return len(words) <= _LEANING_LENGTH or text.startswith(_LEANING_STARTS) or not _LEANING_WORDS.isdisjoint(words)


def standalone_question(written: str, question: str) -> str:
    """The question the reader rewrote, cleaned; the original where what it wrote is no question of sensible length."""
    line = written.strip().split("\n")[0].strip().strip(_QUOTES).strip()
    line = re.sub(r"^(?:rewritten question|question|q)\s*:\s*", "", line, flags=re.IGNORECASE)
    return line if 0 < len(line) <= max(300, 3 * len(question)) else question


def _prompt(passages: Sequence[Passage], request: str) -> Prompt:
    return Prompt(INSTRUCTIONS, tuple(_shown(passage) for passage in passages), request)


def _shown(passage: Passage) -> str:
    return f'Passage [{passage.number}], from "{_short(passage.document.title, TITLE_CHARACTERS)}":\n{passage.text}'


def _short(text: str, characters: int = REMEMBERED_CHARACTERS) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= characters else flat[: characters - 1].rstrip() + "…"
