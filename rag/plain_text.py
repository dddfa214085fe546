"""Makes text from articles, questions and models harmless for a terminal, or whatever else shows it as text."""

import re

_LINE_END = re.compile("\r\n?|[\u2028\u2029]")

# Control characters but tab and newline; embeddings, overrides and isolates of text direction; characters of no width.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u202a-\u202e\u2066-\u2069"
    "\u00ad\u180e\u200b\u2060-\u2065\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)

# Persian, Indic scripts and emoji need joiners between their letters; anywhere else a joiner only hides something.
_STRAY_JOINER = re.compile("(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")

_SURROGATE = re.compile("[\ud800-\udfff]")


def plain(text: str) -> str:
    r"""Text without the characters that move a cursor, turn the reading direction or can't be seen.

    >>> plain("\x1b[31mred\x1b[0m, evil\u202etxt.exe")
    '[31mred[0m, eviltxt.exe'
    """
    text = _LINE_END.sub("\n", text)
    text = _HIDDEN.sub("", text)
    text = _STRAY_JOINER.sub("", text)
    return _SURROGATE.sub("\ufffd", text)
