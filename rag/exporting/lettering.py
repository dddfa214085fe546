"""Which characters the fonts at hand can set in a PDF, and what stands for those that they can't.

DejaVu Sans, which comes with matplotlib, has Latin, Greek, Cyrillic, Armenian, Georgian and many signs. For others the
TrueType fonts of the system are looked through. Scripts that run from right to left or join their letters can't be set
at all: that takes more than a glyph for every character.
"""

import hashlib
import importlib.util
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"

FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "~/Library/Fonts",
    "C:/Windows/Fonts",
)

_JOINING = (
    (0x0590, 0x0DFF),  # Hebrew, Arabic and their neighbours, then the scripts of India
    (0x0F00, 0x109F),  # Tibetan, Burmese
    (0x1780, 0x18AF),  # Khmer, Mongolian
    (0x1A20, 0x1BFF),
    (0xA800, 0xABFF),
    (0xFB1D, 0xFDFF),
    (0xFE70, 0xFEFE),
    (0x10800, 0x11FFF),
    (0x1E800, 0x1EFFF),
)

_NAMES = {"Cjk": "Chinese", "Hiragana": "Japanese", "Katakana": "Japanese", "Hangul": "Korean"}
OTHER = "symbols"

AROUND = ""
"""Stands for the font of the text around."""


@dataclass(frozen=True, slots=True)
class Run:
    """Characters that one font sets, or that none does."""

    text: str
    font: str
    """`AROUND` for that of the text around them."""
    unset: str
    """What they are where no font sets them: "Arabic", "symbols"; empty otherwise."""


@dataclass(frozen=True, slots=True)
class Lettering:
    """What can be set of a text."""

    fonts: dict[str, str]
    """Font by character, only for those that `REGULAR` or `BOLD` lacks."""
    missing: dict[str, str]
    """What a character that no font sets belongs to."""

    def runs(self, text: str) -> Iterator[Run]:
        """The text in order; what stands between letters that can't be set counts as such."""
        for (font, unset), found in groupby(self._marked(text), lambda at: at[1:]):
            yield Run("".join(char for char, _, _ in found), font, unset)

    def unset(self, text: str) -> tuple[int, int]:
        """(letters that can't be set, all letters)"""
        letters = [char for char in text if char.isalpha()]
        return sum(char in self.missing for char in letters), len(letters)

    def _marked(self, text: str) -> Iterator[tuple[str, str, str]]:
        """(character, its font, what it is if it can't be set)"""
        between: list[str] = []
        before = ""
        for char in text:
            now = self.missing.get(char, "")
            if before and not now and not char.isalnum():
                between.append(char)
                continue
            for one in between:
                yield (one, AROUND, before) if now == before else (one, self._font(one), "")
            between, before = [], now
            yield (char, AROUND, now) if now else (char, self._font(char), "")
        for one in between:
            yield one, self._font(one), ""

    def _font(self, char: str) -> str:
        return self.fonts.get(char, AROUND)


def lettering_of(texts: Iterable[str], folders: Sequence[str] = FOLDERS) -> Lettering:
    """Registers with reportlab the fonts that the texts need: `REGULAR`, `BOLD`, and those found in the folders."""
    chars = {char for text in texts for char in text if not char.isspace()}
    regular, bold = (_registered(_own(name), name) for name in (REGULAR, BOLD))
    joining = {char for char in chars if _joins(char)}
    lacking = chars - regular - joining
    fonts = dict.fromkeys(chars & regular - bold, REGULAR)
    for path in _font_files(tuple(folders)) if lacking else ():
        if found := lacking & _coverage(path):
            name = f"{path.stem}-{hashlib.sha256(bytes(path)).hexdigest()[:8]}"
            _registered(path, name)
            fonts |= dict.fromkeys(found, name)
            lacking -= found
            if not lacking:
                break
    return Lettering(fonts, {char: _what(char) for char in lacking | joining})


def _own(font: str) -> Path:
    """Of the fonts that come with matplotlib, which is a quarter of a second to import."""
    found = importlib.util.find_spec("matplotlib")
    (folder, *_) = (found.submodule_search_locations if found else None) or [""]
    return Path(folder) / "mpl-data" / "fonts" / "ttf" / f"{font}.ttf"


@cache
def _registered(path: Path, name: str) -> frozenset[str]:
    """The characters of a font that reportlab knows by this name from now on."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    font = TTFont(name, str(path), shapable=False)
    pdfmetrics.registerFont(font)
    return _characters(font.face.charToGlyph)


@cache
def _coverage(path: Path) -> frozenset[str]:
    """The characters of a font file; none where reportlab can't use it, such as one with PostScript outlines."""
    from reportlab.pdfbase.ttfonts import TTFont

    try:
        return _characters(TTFont("probe", str(path), shapable=False).face.charToGlyph)
    except Exception:  # whatever may be wrong with a font, there are others
        return frozenset()


def _characters(glyphs: dict[int, int]) -> frozenset[str]:
    # Beyond four hex digits reportlab says wrongly what a glyph stands for: it would be copied as something else.
    return frozenset(chr(code) for code, glyph in glyphs.items() if glyph and code <= 0xFFFF)


@cache
def _font_files(folders: tuple[str, ...]) -> tuple[Path, ...]:
    """In an order that doesn't change."""
    files = (path for folder in folders for path in Path(folder).expanduser().rglob("*"))
    found = (path for path in files if path.suffix.lower() in (".ttf", ".ttc"))
    # Fonts of last resort have a box for every character.
    return tuple(sorted(path for path in found if "lastresort" not in path.name.lower()))


def _joins(char: str) -> bool:
    code = ord(char)
    return unicodedata.bidirectional(char) in ("R", "AL", "AN") or any(
        first <= code <= last for first, last in _JOINING
    )


def _what(char: str) -> str:
    """The script of a letter, by its name in Unicode: "ARABIC LETTER ALEF" → "Arabic"."""
    if not unicodedata.category(char).startswith(("L", "M")) and not _joins(char):
        return OTHER
    word = unicodedata.name(char, OTHER).split()[0].title()
    return _NAMES.get(word, word)
