"""Citations while an answer is still being written."""

import re
from collections.abc import Generator, Iterable

from rag.grounding.attribution import Grounder
from rag.grounding.marks import decided

_WHOLE_WORDS = re.compile(r".*\w\S*(?<=[^\W_]|[.,;:!?…%)\]}”’»\"'])(?=\s)", re.DOTALL)
_OPENING = re.compile(r"[\"“‘«(\[]|(?<!\S)'")
_CLOSING = {'"': '"', "“": "”", "‘": "’", "«": "»", "(": ")", "[": "]", "'": "'"}


def cited_pieces(pieces: Iterable[str], grounder: Grounder) -> Generator[str, None, str]:
    """Pass the reader's text on with checked citation marks in place of its own; return all that the reader wrote.

    What the reader puts in brackets is a hint to `grounder` and never shown. When a sentence has ended, the numbers of
    the passages that support it follow, so half a mark, or one that names nothing, can't occur. Every incoming piece
    is answered by one, which may be empty; a last one completes the text. How the text was cut into pieces makes no
    difference to the text shown in the end; a mark may be missing where only later lines show that a line had ended a
    sentence.
    """
    written, settled, shown, plain = "", "", "", ""
    for piece in pieces:
        written += piece
        before, settled = settled, _settled(written)
        text, marked = (plain, shown) if settled == before else _marked(grounder, settled, ended=False)
        if not marked.startswith(shown):  # a sentence's end was recognized too late: its mark can only be left out
            yield ""
            continue
        yield marked[len(shown) :]
        shown, plain = marked, text
    text, marked = _marked(grounder, written, ended=True)
    yield marked[len(shown) :] if marked.startswith(shown) else text[len(plain) :]
    return written


def _settled(written: str) -> str:
    """The part of a growing text that may be shown: nothing that follows moves the ends of the sentences in it.

    Whether "U.S." or "left." ends a sentence shows in the whole next word; a quotation or bracket may hold several
    sentences, so it has to be closed.
    """
    words = _WHOLE_WORDS.match(written)
    if not words:
        return ""
    text = words[0]
    at = text.rfind("\n") + 1
    while opening := _OPENING.search(text, at):
        closing = text.find(_CLOSING[opening[0]], opening.end())
        if closing < 0:
            return decided(text[: opening.start()].rstrip())
        at = closing + 1
    return decided(text)


def _marked(grounder: Grounder, written: str, *, ended: bool) -> tuple[str, str]:
    """The text without marks, and with checked ones; the last sentence has none unless the text has ended."""
    text, claims = grounder.ground(written)
    marked, at = "", 0
    for claim in claims if ended else claims[:-1]:
        numbers = sorted({citation.passage.number for citation in claim.citations})
        marked += text[at : claim.end] + " " * bool(numbers) + "".join(f"[{number}]" for number in numbers)
        at = claim.end
    return text, marked + text[at:]
