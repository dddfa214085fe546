"""Answers as text for chat programs, of which most take it for Markdown."""

import re
from collections.abc import Iterator

from rag.rendering.escape import plain
from rag.rendering.wording import (
    ABSTAINED,
    NO_ANSWER,
    cited_passages,
    cited_sentences,
    marks_in_words,
    origin,
    reason_in_words,
    timeframe_in_words,
)
from rag.types import Answer, Passage

SOURCES = "Sources"

_LINKING = re.compile(r"\](?=[(:\[])|<(?=[A-Za-z/!?])")
_LIST = re.compile(rf"\n\n(?:{SOURCES}|{NO_ANSWER})\n\n- \[\d.*", re.DOTALL)
_MARKS = re.compile(r" ?(?:\[\d{1,3}\])+| \((?:partly|not) supported\)")


def chat_pieces(answer: Answer, references: bool) -> Iterator[str]:
    """The answer's text, sentence by sentence, with marks such as `[1]`; then, with `references`, the sources.

    A refusal says so with its reason; with `references` it lists the closest passages. Foreign text links to nothing
    and embeds nothing, whoever takes it for Markdown.

        It costs 3 million marks. [1]

        Sources

        - [1] The harbour of Varel · harbour.txt: “It cost 3 million marks.”
    """
    passages = answer.passages if answer.abstained else cited_passages(answer)
    if answer.abstained:
        yield f"{ABSTAINED} {reason_in_words(answer.reason)}".rstrip()
    else:
        yield from _sentences(answer)
    if when := timeframe_in_words(answer.timeframe):
        yield f"\n\n{when}"
    if references and passages:
        yield f"\n\n{NO_ANSWER if answer.abstained else SOURCES}\n\n"
        yield "\n".join(_reference(passage, answer) for passage in passages)


def without_references(text: str) -> str:
    """What a reader was told in `chat_pieces`, without marks and sources: as `Answer.text` has it."""
    return _MARKS.sub("", _LIST.sub("", text)).strip()


def harmless_in_markdown(text: str) -> str:
    """`plain` text in which no link, image or markup begins.

    >>> harmless_in_markdown("![x](http://a.example/?q=1) <img src=x>")
    '![x] (http://a.example/?q=1) < img src=x>'
    """
    return _LINKING.sub(lambda found: f"{found[0]} ", plain(text))


def _sentences(answer: Answer) -> Iterator[str]:
    at = 0
    for claim in answer.claims:
        yield harmless_in_markdown(answer.text[at : claim.start] + claim.text) + marks_in_words(claim)
        at = claim.end
    if rest := answer.text[at:]:
        yield harmless_in_markdown(rest)


def _reference(passage: Passage, answer: Answer) -> str:
    sentences = cited_sentences(answer, passage.number)
    about = " · ".join([passage.document.title, *origin(passage, list(sentences))])
    quoted = " ".join(f"“{text}”" for text in sentences.values())
    line = f"{about}: {quoted}" if quoted else about
    return f"- [{passage.number}] {harmless_in_markdown(' '.join(line.split()))}"
