"""Bytes of unknown encoding → text."""

import codecs
import re

from rag.errors import DocumentError

LEGACY_ENCODINGS = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r",
    "shift_jis", "euc_jp", "gb18030", "big5", "cp949",
]  # fmt: skip
"""What articles were written in before UTF-8. Offered more, charset-normalizer takes cp1252 for a Macintosh's."""

WESTERN_SHARE = 0.05
"""A text with fewer bytes beyond ASCII than this share is English or near it, with its quotes and accents in cp1252.

There are too few of them for charset-normalizer to tell: it reads “El niño” as Polish and “He’s” as Korean.
"""

# UTF-32's little-endian mark begins with UTF-16's, so it is looked for first.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_ASCII = bytes(range(128))

_HEAD = 2048
_DECLARED = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([A-Za-z0-9_-]+)", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"\A\ufeff?\s*<\?xml[^>]*\?>")
# By the names that pages use. Only these: Python has codecs that are no encodings of text.
_WEB_NAMES = {
    **dict.fromkeys(("iso-8859-1", "latin1", "us-ascii", "ascii", "windows-1252", "cp1252"), "cp1252"),
    **{f"windows-125{n}": f"cp125{n}" for n in range(9) if n != 2},
    **{f"iso-8859-{n}": f"iso8859_{n}" for n in range(2, 17) if n != 12},
    **{name: name for name in ("utf-8", "koi8-r", "koi8-u", "big5", "gb18030", "shift_jis", "euc-jp", "euc-kr")},
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "utf8": "utf-8",
    "iso-2022-jp": "iso2022_jp",
    "sjis": "shift_jis",
}


def decode(data: bytes, source: str) -> str:
    """The text of an article, its line ends made "\\n" and a byte order mark taken off.

    Tries what a byte order mark says, else UTF-8, then the legacy encoding that fits best. `source` is for the message.
    Raises DocumentError when the bytes are not text, or hold nothing but whitespace.
    """
    encoding = encoding_of(data)
    text = _decoded_as(encoding, data) if encoding else None
    return _checked(text, source)


def decode_markup(data: bytes, source: str) -> str:
    """`decode` for HTML and XML, which may name their encoding; what a byte order mark says comes first.

    A name that isn't known, or that the bytes don't bear out, counts for nothing. The declaration of XML is taken off.
    """
    declared = _DECLARED.search(data[:_HEAD]) if not data.startswith(tuple(_MARKS)) else None
    encoding = _WEB_NAMES.get(declared[1].decode("ascii").lower()) if declared else None
    text = _decoded_as(encoding, data) if encoding else None
    return _XML_DECLARATION.sub("", decode(data, source) if text is None else _checked(text, source), count=1)


def decoded_beginning(data: bytes) -> str:
    """Enough of a text to recognise its format, whatever its encoding, line ends made "\n"."""
    marked = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    return _with_newlines(data.decode(marked, "replace"))


def _checked(text: str | None, source: str) -> str:
    if text is None or "\0" in text:
        raise DocumentError(f"{source} is not text, or damaged. Save it as plain text in UTF-8.")
    if not text.strip():
        raise DocumentError(f"{source} is empty. Put an article into it, or remove it.")
    return _with_newlines(text)


def _with_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def encoding_of(data: bytes) -> str | None:
    """Python's name for the encoding of a text, or of a run of whole lines of it; None for bytes that are not text.

    What a byte order mark says is taken on trust.
    """
    marked = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    if marked or b"\0" in data:
        return marked
    if _decoded_as("utf-8", data) is not None:
        return "utf-8"
    mostly_ascii = len(data.translate(None, _ASCII)) < WESTERN_SHARE * len(data)
    if mostly_ascii and _decoded_as("cp1252", data) is not None:
        return "cp1252"
    from charset_normalizer import from_bytes  # late, for few files come this far

    best = from_bytes(data, cp_isolation=LEGACY_ENCODINGS).best()
    return best.encoding if best else None


def _decoded_as(encoding: str, data: bytes) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
