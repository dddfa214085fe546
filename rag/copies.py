"""Chunks found → those of them that aren't said already by another version of the same article.

News is syndicated: of a report that lies in the library forty times, the reader is to read one, and the passages that
are left go to other articles.
"""

import re
from collections.abc import Callable, Mapping, Sequence, Set
from typing import TypeAlias

from rag.types import Catalogue, Hit

REPEATED = 0.8
"""Share of a chunk's runs of words from which it says what another version says: a few words may be worded anew, or an
agency's name be put in front."""

RUN = 3
"""Words in a run."""

WIDER, WIDEST = 4, 4096
"""By how much more is searched for where copies took the places of other articles, and up to how many chunks."""

Words: TypeAlias = list[str]

_WORD = re.compile(r"\w+(?:[.,]\d+)*")


class Copies:
    """Which version of an article stands for the others while the passages for one question are looked for."""

    def __init__(self, catalogue: Catalogue, preferred: Mapping[str, str] | None = None) -> None:
        """`preferred` has, by the id of a document, that of the version to be read instead; else it is the first."""
        self._catalogue = catalogue
        self._versions: dict[str, dict[str, str]] = {}
        self._chosen = dict(preferred or {})
        self._texts: dict[str, str] = {}
        self._said: dict[str, tuple[Set[str], Set[tuple[str, ...]]]] = {}

    def versions_of(self, document: str) -> Mapping[str, str]:
        """Id → source of the other versions of a document, by source."""
        if document not in self._versions:
            self._versions[document] = {other.id: other.source for other in self._catalogue.duplicates_of(document)}
        return self._versions[document]

    def searched(self, search: Callable[[int], list[Hit]], k: int) -> tuple[list[Hit], list[Hit]]:
        """The best `k` hits of `search`, which is told how many, that say nothing said by another version.

        And the best of those that do, as many at most.
        """
        wanted = k
        while True:
            hits = search(k)
            kept = self.without(hits)
            if len(kept) == len(hits) or len(kept) >= wanted or len(hits) < k or k >= WIDEST:
                own = {hit.chunk.id for hit in kept}
                return kept[:wanted], [hit for hit in hits if hit.chunk.id not in own][:wanted]
            k *= WIDER

    def without(self, hits: Sequence[Hit]) -> list[Hit]:
        """The hits but for those that repeat what the version says that stands for their document."""
        return [hit for hit in hits if not self._is_repeated(hit)]

    def _is_repeated(self, hit: Hit) -> bool:
        document = hit.chunk.document_id
        others = self.versions_of(document)
        if not others:
            return False
        if document not in self._chosen:
            self._chosen |= dict.fromkeys([document, *others], document)
        chosen = self._chosen[document]
        if chosen == document:
            return False
        words, runs = self._said_by(chosen)
        own = _words(self._text(document)[hit.chunk.start : hit.chunk.end])
        if any(word not in words and any(letter.isdigit() for letter in word) for word in own):
            return False  # another figure may be another answer
        own_runs = _runs(own)
        return sum(run in runs for run in own_runs) >= REPEATED * len(own_runs)

    def _said_by(self, document: str) -> tuple[Set[str], Set[tuple[str, ...]]]:
        """The words of a document and its runs of words."""
        if document not in self._said:
            words = _words(self._text(document))
            self._said[document] = frozenset(words), frozenset(_runs(words))
        return self._said[document]

    def _text(self, document: str) -> str:
        if document not in self._texts:
            found = self._catalogue.documents_by_id([document])
            self._texts[document] = found[document].text if document in found else ""
        return self._texts[document]


def _words(text: str) -> Words:
    return _WORD.findall(text.lower())


def _runs(words: Words) -> list[tuple[str, ...]]:
    """Of `RUN` words each; of a text with fewer words just one."""
    return [tuple(words[at : at + RUN]) for at in range(max(1, len(words) - RUN + 1))]
