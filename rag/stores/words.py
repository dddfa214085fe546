"""Text → the stems that full-text search compares, the same as those of a library in a folder."""

import re
import unicodedata

import snowballstemmer

from rag.index.words import telling_words

LONGEST = 200
"""Characters of a word that are compared."""

SHORTEST = 3
"""Characters of a word that has a stem other than itself."""

MOST_BYTES = 65_535
"""Of UTF-8 in a text field of Milvus."""

_WORD = re.compile(r"[^\W_]+")


def stems(text: str) -> list[str]:
    """`The Café's pickers` → the, cafe, s, picker: by Porter's algorithm, as FTS5's tokenizer has them."""
    stemmer = snowballstemmer.stemmer("porter")
    words = [_plain(word)[:LONGEST] for word in _WORD.findall(unicodedata.normalize("NFC", text).lower())]
    return [stemmer.stemWord(word) if len(word) >= SHORTEST else word for word in words]


def stems_asked(question: str) -> list[str]:
    """Distinct stems to search for; none where the question holds no letter or digit."""
    return list(dict.fromkeys(stem for word in telling_words(question) for stem in stems(word)))


def searchable(title: str, text: str) -> str:
    """The stems of a chunk, those of its title twice, which weighs them twice in BM25; at most `MOST_BYTES`."""
    headline = stems(title)
    joined = " ".join([*headline, *headline, *stems(text)])
    if len(joined.encode()) <= MOST_BYTES:
        return joined
    return joined.encode()[:MOST_BYTES].decode(errors="ignore").rpartition(" ")[0]


def _plain(word: str) -> str:
    """Without the accents of Latin letters."""
    return word if word.isascii() else "".join(map(_base, word))


def _base(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0]
    return base if base.isascii() else letter
