"""Texts that share most of their runs of words, told from short sketches of them.

MinHash, after Broder, "On the resemblance and containment of documents", SEQUENCES 1997: the share of equal places in
two signatures estimates the Jaccard similarity of the sets of shingles, the runs of `SHINGLE` words. Signatures are cut
into bands; texts with an equal band are worth comparing (Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets",
chapter 3).
"""

from __future__ import annotations

import re
import zlib
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from rag.late import Late

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = Late("numpy")


Signature: TypeAlias = "NDArray[np.uint32]"
"""Shape (PLACES,)."""

SHINGLE = 3
"""Words in a run. With longer ones a few changed words make two versions of a story look unalike."""

BANDS, ROWS = 25, 5
PLACES = BANDS * ROWS
"""Of two texts with similarity s, some band is equal with probability 1 - (1 - s^5)^25: 0.98 at 0.68, 0.22 at 0.4."""

ALIKE = 0.6
"""Similarity from which texts count as versions of one: a copy with 5 % of its words changed has about 0.75, one with
10 % changed 0.59."""

FEWEST_WORDS = 12
"""Of a text that is sketched; below it, likeness says nothing."""

BLOCK = 4096
"""Shingles hashed at a time."""

_IDEOGRAMS = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_IDEOGRAMS}]|[^\W_{_IDEOGRAMS}]+")
"""A character of a script that puts no spaces between words counts as one."""

_PRIME = 0x9E3779B97F4A7C15
_MIX = 0xFF51AFD7ED558CCD


def signature(text: str) -> Signature | None:
    """None for a text of fewer than `FEWEST_WORDS` words. The same on every machine."""
    words = _WORD.findall(text.lower())
    if len(words) < FEWEST_WORDS:
        return None
    hashes = {word: zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in set(words)}
    factors, summands = _permutations()
    shingles = _shingles(np.array([hashes[word] for word in words], dtype=np.uint64))
    least = np.full(PLACES, np.iinfo(np.uint32).max, dtype=np.uint32)
    for at in range(0, len(shingles), BLOCK):
        permuted = (factors * shingles[at : at + BLOCK] + summands) >> np.uint64(32)
        np.minimum(least, permuted.min(axis=1).astype(np.uint32), out=least)
    return least


def bands(signature: Signature) -> list[int]:
    """`BANDS` numbers of 63 bits; texts that have one in common may be alike."""
    rows = signature.reshape(BANDS, ROWS).astype(np.uint64)
    folded = np.arange(1, BANDS + 1, dtype=np.uint64)
    for row in rows.T:
        folded = _mixed(folded * np.uint64(_PRIME) + row)
    return [int(value) for value in folded >> np.uint64(1)]


def alike(one: Signature, others: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which rows of `others`, shape (n, PLACES), are of texts like the one: by similarity and by an equal band."""
    equal = others == one
    banded = equal.reshape(-1, BANDS, ROWS).all(axis=2).any(axis=1)
    found: NDArray[np.bool_] = (equal.mean(axis=1) >= ALIKE) & banded
    return found


@cache
def _permutations() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Factors, which are odd, and summands, each of shape (PLACES, 1)."""
    drawn = np.random.PCG64(1).random_raw(2 * PLACES)  # a bit generator's stream is the same in every numpy
    return (drawn[:PLACES] | np.uint64(1))[:, None], drawn[PLACES:][:, None]


def _shingles(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    count = len(words) - SHINGLE + 1
    folded = np.zeros(count, dtype=np.uint64)
    for at in range(SHINGLE):
        folded = folded * np.uint64(_PRIME) + words[at : at + count]
    return np.unique(_mixed(folded))


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = (values ^ (values >> np.uint64(33))) * np.uint64(_MIX)
    return values ^ (values >> np.uint64(29))
