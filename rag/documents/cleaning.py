"""What libraries read out of files → text that an article may have."""

import re
from urllib.parse import urlsplit

TITLE_CHARACTERS = 500
AUTHOR_CHARACTERS = 300
URL_CHARACTERS = 2000

# Control characters but tab and newline, halves of surrogate pairs, and what Unicode says is no character.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_END = re.compile("\r\n?|[\x0c\x85\u2028\u2029]")
_TRAILING = re.compile(r"[^\S\n]+$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    """Text without characters that nobody wrote, line ends made "\\n", at most one empty line in a row.

    The first and the last line have something on them: "\\x00 Ferry \\r\\n\\n\\n\\nIt left." → "Ferry\\n\\nIt left."
    """
    plain = _UNWANTED.sub("", _LINE_END.sub("\n", text))
    return _BLANK_LINES.sub("\n\n", _TRAILING.sub("", plain)).strip()


def one_line(text: str | None, longest: int = TITLE_CHARACTERS) -> str | None:
    """For titles and names: whitespace made single spaces; None where nothing is left."""
    words = " ".join(clean(text or "").split())
    return (words if len(words) <= longest else words[: longest - 1].rstrip() + "…") or None


def web_address(url: str | None) -> str | None:
    """The address if it is one of a web page that can be linked to, else None."""
    address = one_line(url, URL_CHARACTERS + 1)
    if not address or " " in address or len(address) > URL_CHARACTERS:
        return None
    try:
        parts = urlsplit(address)
        return address if parts.scheme in ("http", "https") and parts.hostname else None
    except ValueError:
        return None
