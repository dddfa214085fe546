"""Answers as plain text with numbered references, for a terminal or a file."""

import textwrap
from collections.abc import Iterator, Sequence

from rag.languages import said
from rag.rendering.escape import plain
from rag.rendering.wording import (
    ABSTAINED,
    NO_ANSWER,
    also_in,
    cited_passages,
    cited_sentences,
    looked_for,
    marks_in_words,
    origin,
    reason_in_words,
    stale_in_words,
    timeframe_in_words,
)
from rag.types import Answer, Passage

_WIDTH = 88


def answer_text(answer: Answer) -> str:
    """The sentences with `[n]` after each, then a list of the sources with the sentences that were cited.

    A refusal says so, with its reason and what was looked for, and lists the closest passages. No trailing newline;
    every foreign part went through `plain`.

        TikTok pays Microsoft at least US$20 million a month. [1]

        Sources
        [1] TikTok’s payments to Microsoft · payments.pdf · page 2 · 14 March 2024 · Joan Doe
            also in: tiktok-microsoft.txt
            Its file has changed since it was indexed; `rag sync` reads it again.
            “TikTok paid at least US$20 million per month to Microsoft.”
    """
    when = timeframe_in_words(answer.timeframe)
    if answer.abstained:
        heading = f"{said(ABSTAINED)} {reason_in_words(answer.reason)}".rstrip()
        body = "\n".join([heading, _one_line(looked_for(answer)), *([when] if when else [])])
        return _with_list(body, said(NO_ANSWER), [_reference(passage) for passage in answer.passages])
    references = [_cited(passage, answer) for passage in cited_passages(answer)]
    body = "".join(_sentences(answer)).strip()
    return _with_list(f"{body}\n\n{when}" if when else body, said("Sources"), references)


def _with_list(body: str, title: str, references: list[str]) -> str:
    return "\n".join([body, "", title, *references]) if references else body


def _sentences(answer: Answer) -> Iterator[str]:
    at = 0
    for claim in answer.claims:
        yield plain(answer.text[at : claim.start])
        yield plain(claim.text) + marks_in_words(claim)
        at = claim.end
    yield plain(answer.text[at:])


def _reference(passage: Passage, spans: Sequence[tuple[int, int]] = ()) -> str:
    parts = [_one_line(part) for part in (passage.document.title, *origin(passage, spans))]
    notes = [f"    {_one_line(note)}" for note in (also_in(passage), stale_in_words(passage)) if note]
    return "\n".join([f"[{passage.number}] {' · '.join(parts)}", *notes])


def _cited(passage: Passage, answer: Answer) -> str:
    sentences = cited_sentences(answer, passage.number)
    return "\n".join([_reference(passage, list(sentences)), *map(_quote, sentences.values())])


def _quote(text: str) -> str:
    return textwrap.fill(
        f"“{_one_line(text)}”",
        width=_WIDTH,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _one_line(text: str) -> str:
    return " ".join(plain(text).split())
