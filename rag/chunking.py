"""`Document` → `Chunk`s that an embedder can read to the end.

A chunk is a run of whole sentences. It is embedded behind the title of its document (`with_title`), because a passage
such as "It fell by half." says little without it, so title and sentences together must fit the limit.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from rag.sentences import sentence_spans, split_at_spaces
from rag.types import Chunk, Document

CountTokens: TypeAlias = Callable[[str], int]
"""Word pieces of a text, special tokens included. Texts joined by whitespace mustn't have more than they have alone."""

TITLE_SHARE = 1 / 3
"""Of `max_tokens`. A longer title loses its last words, so that there is always room for sentences."""

FULL_ENOUGH = 0.6
"""Of the room for sentences. A chunk so full ends before a sentence on a new line, to keep paragraphs together."""

CHARACTERS_PER_TOKEN = 10
"""A sentence counts as one word piece for so many characters at least; English has about 5.

To MiniLM's tokenizer a word of more than 100 characters is one unknown piece, be it a megabyte long.
"""

_SPARE = 0.9


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, or a part of one that is too long for any chunk."""

    start: int
    end: int
    tokens: int
    """At least 1; special tokens aren't included."""
    begins_line: bool


def with_title(title: str, text: str) -> str:
    """What is embedded for a chunk: the title, cut by `fit_title`, on a line of its own, then the chunk's text."""
    return f"{title}\n{text}"


def fit_title(title: str, count_tokens: CountTokens, max_tokens: int) -> str:
    """The title, or as much of its beginning as takes at most a third of `max_tokens`."""
    while len(title) > 1 and count_tokens(title) > TITLE_SHARE * max_tokens:
        start, end = split_at_spaces(title, 0, len(title), len(title) * 3 // 4)[0]
        title = title[start:end]
    return title


def chunk_document(document: Document, count_tokens: CountTokens, max_tokens: int, overlap: int) -> list[Chunk]:
    """Chunks in the order of the text, each of at most `max_tokens` >= 32 with title and special tokens.

    Every sentence is in a chunk, whole unless it is too long for any. A chunk begins with the last `overlap` >= 0
    sentences of the one before it, or with fewer where they would leave no room for the next.
    """
    title = fit_title(document.title, count_tokens, max_tokens)
    room = max_tokens - count_tokens(with_title(title, ""))
    chunks: list[Chunk] = []
    held: list[_Piece] = []
    for piece in _pieces(document.text, count_tokens, room):
        used = _tokens(held)
        if held and (used + piece.tokens > room or (piece.begins_line and used >= FULL_ENOUGH * room)):
            chunks.append(_chunk(document, held))
            held = _shared(held, overlap, room - piece.tokens)
        held.append(piece)
    return [*chunks, _chunk(document, held)] if held else chunks


def _shared(held: list[_Piece], overlap: int, room: int) -> list[_Piece]:
    """The last pieces of a finished chunk with which the next begins: never all, so that every chunk adds something."""
    shared = held[1:][-overlap:] if overlap else []
    while _tokens(shared) > room:
        shared = shared[1:]
    return shared


def _tokens(pieces: list[_Piece]) -> int:
    return sum(piece.tokens for piece in pieces)


def _chunk(document: Document, pieces: list[_Piece]) -> Chunk:
    start, end = pieces[0].start, pieces[-1].end
    return Chunk(id=f"{document.id}:{start}-{end}", document_id=document.id, start=start, end=end)


def _pieces(text: str, count_tokens: CountTokens, room: int) -> Iterator[_Piece]:
    """The sentences of a text in order, none of more than `room` word pieces."""
    special = count_tokens("")

    def fitting(start: int, end: int, begins_line: bool) -> Iterator[_Piece]:
        tokens = max(1, count_tokens(text[start:end]) - special, (end - start) // CHARACTERS_PER_TOKEN)
        if tokens <= room or end - start == 1:
            yield _Piece(start, end, tokens, begins_line)
            return
        # Words differ in their number of pieces, so parts of equal length need some room to spare.
        size = max(1, int((end - start) * _SPARE * room / tokens))
        for at, (part_start, part_end) in enumerate(split_at_spaces(text, start, end, size)):
            yield from fitting(part_start, part_end, begins_line and at == 0)

    before = 0
    for start, end in sentence_spans(text):
        yield from fitting(start, end, "\n" in text[before:start])
        before = end
