"""Bytes of unknown encoding → text."""

import codecs

from charset_normalizer import from_bytes

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


def decode(data: bytes, source: str) -> str:
    """The text of an article, its line ends made "\\n" and a byte order mark taken off.

    Tries what a byte order mark says, else UTF-8, then the legacy encoding that fits best. `source` is for the message.
    Raises DocumentError when the bytes are not text, or hold nothing but whitespace.
    """
    encoding = encoding_of(data)
    text = _decoded_as(encoding, data) if encoding else None
    if text is None or "\0" in text:
        raise DocumentError(f"{source} is not text, or damaged. Save it as plain text in UTF-8.")
    if not text.strip():
        raise DocumentError(f"{source} is empty. Put an article into it, or remove it.")
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
    best = from_bytes(data, cp_isolation=LEGACY_ENCODINGS).best()
    return best.encoding if best else None


def _decoded_as(encoding: str, data: bytes) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
