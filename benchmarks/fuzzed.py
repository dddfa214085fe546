"""The targets of `benchmarks.fuzzing`: what is called with made-up bytes, and what has to hold of the outcome."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

from rag.chunking import chunk_document
from rag.documents.article import Article
from rag.documents.fields import USUAL_FIELDS
from rag.documents.reading import read_all
from rag.errors import DocumentError
from rag.exchanges import Exchange
from rag.grounding import Grounder, cited_pieces, split_marks
from rag.rendering import answer_text, evidence_html, exchange_html, plain
from rag.sentences import sentence_spans
from rag.types import Answer, Chunk, Document, Models, Passage, Reason, Timings

TEXTS = ("txt", "md", "html", "pdf", "csv", "eml", "mbox", "json", "jsonl", "xml", "zip")
"""Formats fuzzed byte by byte."""
PACKAGES = ("docx", "pptx", "xlsx", "epub")
"""Zips, of which a changed byte is noticed before anything is read: one member is fuzzed, and packed anew."""

MARKED = (
    b"The day ferry costs 4 euros [1]. In passage [2], it takes 35 minutes.",
    b"Bicycles travel free [1][3]. Source: passages 1 and 2.\n- Dogs need a lead (see passage [1])",
    "Nach [2] und [3], “it is free” [1, 3–4]. Passage [1] states that [2]".encode(),
)
ARTICLES = (
    "The harbour company charges 4 euros for the day ferry. Bicycles travel free. Dogs need a lead.",
    "Every crossing takes 35 minutes. The night ferry carries 120 passengers to Nordby.",
    "Bicycles travel free on trains. The harbour was built in 1871.",
)
HOSTILE = (
    b"<script>alert(1)</script>\0\"><img src=x onerror=alert(1)>\0javascript:alert(1)\0' onmouseover='alert(1)",
    '</mark><iframe>\0https://a.example/"x\0\x1b]8;;http://evil\x07\u202egpj.exe\0[1] `rm` **b** [x](data:,1)'.encode(),
)

_INSERTED = re.compile(r" ?(?:\[[123]\])+")
_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Target:
    tried: Callable[[bytes], None]
    """Raises where something is wrong."""
    seeds: Callable[[], Sequence[bytes]]
    modules: Sequence[str] = ()
    """Imported before it begins: those that would be loaded on the way, and so escape the count of what is reached."""


def _loader(suffix: str) -> Target:
    def tried(data: bytes) -> None:
        _load(data, f"a.{suffix}")

    def seeds() -> list[bytes]:
        return [data for name, data in _small_files() if name.endswith(suffix)]

    return Target(tried, seeds, _LIBRARIES.get(suffix, ()))


def _package(suffix: str) -> Target:
    """The first byte says which member the others take the place of."""

    def tried(data: bytes) -> None:
        base = _members(_made()[suffix])
        if data:
            name = sorted(base)[data[0] % len(base)]
            _load(_packed({**base, name: data[1:]}), f"a.{suffix}")

    def seeds() -> list[bytes]:
        base = _members(_made()[suffix])
        return [bytes([at]) + base[name] for at, name in enumerate(sorted(base)) if len(base[name]) < 8000]

    return Target(tried, seeds, _LIBRARIES[suffix])


_LIBRARIES = {
    "docx": ("docx",),
    "pptx": ("pptx",),
    "xlsx": ("openpyxl",),
    **dict.fromkeys(("html", "xml", "epub", "eml"), ("trafilatura",)),
}


def _load(data: bytes, name: str) -> None:
    try:
        for one in read_all(data, name, f"/{name}", USUAL_FIELDS):
            if isinstance(one, Article):
                _hold("an article has text", bool(one.text.strip()))
                one.text.encode()
                _hold("pages begin in order", list(one.pages) == sorted(one.pages))
                _hold("pages begin in the text", all(0 <= page <= len(one.text) for page in one.pages))
    except DocumentError as error:
        _hold("a refusal is short", len(str(error)) < 1000)
        _hold("a refusal names its file", f"/{name}" in str(error))
    except RecursionError:  # the process that reads files says "nested too deeply"
        pass


def _chunker(data: bytes) -> None:
    room, overlap, rest = 32 + (data[0] if data else 0), data[1] % 4 if len(data) > 1 else 0, data[2:]
    title, _, text = rest.decode("utf-8", "ignore").partition("\n")
    document = Document("d", title, text, "/a.txt", None, None, "")
    spans = sentence_spans(text)
    _hold("sentences are in order", all(one[1] <= other[0] for one, other in pairwise(spans)))
    _hold("sentences hold every letter", not _outside(text, spans))
    chunks = chunk_document(document, _pieces, room, overlap)
    _hold("chunks begin in order", all(one.start < other.start for one, other in pairwise(chunks)))
    _hold("chunks end in order", all(one.end < other.end for one, other in pairwise(chunks)))
    _hold("chunks hold every letter", not _outside(text, [(one.start, one.end) for one in chunks]))


def _pieces(text: str) -> int:
    return len(re.findall(r"\w{1,5}|\S", text)) + 2


def _outside(text: str, spans: Sequence[tuple[int, int]]) -> str:
    at, left = 0, ""
    for start, end in spans:
        left += text[at:start]
        at = max(at, end)
    return (left + text[at:]).strip()


def _marks(data: bytes) -> None:
    """The first byte says into what pieces the text is cut."""
    length, written = 5 + (data[0] if data else 0) % 40, data[1:].decode("utf-8", "ignore")
    text, marks = split_marks(written.strip())
    _hold("marks stand in the text", all(0 <= mark.at <= len(text) for mark in marks))
    passages = tuple(_passage(number, "Fares", one, "/a.txt") for number, one in enumerate(ARTICLES, 1))
    grounder = Grounder(passages, "What does the ferry cost?")
    grounded, claims = grounder.ground(written)
    for claim in claims:
        _hold("a claim is where it says", grounded[claim.start : claim.end] == claim.text)
        _hold("a citation is of its passage", all(one.text in one.passage.text for one in claim.citations))
    cut = [written[at : at + length] for at in range(0, len(written), length)]
    shown = [_INSERTED.sub("", "".join(cited_pieces(pieces, grounder))) for pieces in ([written], cut)]
    _hold("pieces make no difference", shown[0] == shown[1])


def _rendering(data: bytes) -> None:
    """Texts parted by null bytes: question, answer, title, place, author, date, article."""
    given = [part.decode("utf-8", "replace") for part in data.split(b"\0")]
    answer = _answered(*[*given, *[""] * 7][:7])
    seen, harmless = _seen(answer), _harmless()
    _hold(f"no element is foreign: {seen.tags - harmless.tags}", seen.tags <= harmless.tags)
    _hold(f"no attribute is foreign: {seen.attributes - harmless.attributes}", seen.attributes <= harmless.attributes)
    _hold(f"links lead to the web: {seen.schemes}", seen.schemes <= {"http", "https"})
    _hold("a terminal gets no commands", not re.search(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]", answer_text(answer)))
    _hold("plain text stays as it is", all(plain(plain(text)) == plain(text) for text in given))


def _answered(question: str, written: str, title: str, place: str, author: str, published: str, article: str) -> Answer:
    article = f"{article} {ARTICLES[0]}"
    passage = _passage(1, title, article, place or "/a.txt", author or None, published or None)
    text, claims = Grounder([passage]).ground(f"{written} The day ferry costs 4 euros [1].")
    models = Models("e", "r", "s")
    return Answer(question, question, text, claims, (passage,), False, Reason.ANSWERED, 0.9, Timings(), models)


def _seen(answer: Answer) -> "_Seen":
    exchange, seen = Exchange(1, answer.question, answer), _Seen()
    seen.feed(exchange_html(exchange))
    seen.feed(evidence_html([exchange]))
    seen.close()
    return seen


@cache
def _harmless() -> "_Seen":
    """The page's own markup: of articles from the web, from a file and from a PDF, of sentences that are supported or
    not."""
    whole = _seen(_answered("Who?", "Dogs need a lead.\n\nNobody knows.", "Fares", "", "Ada", "2024-03-14", "It is."))
    for place in ("https://a.example/fares", "/fares.pdf"):
        more = _seen(_answered("Who?", "Bicycles need a ferry lead.", "Fares", place, "", "", ""))
        whole.tags |= more.tags
        whole.attributes |= more.attributes
    return whole


class _Seen(HTMLParser):
    """What a browser would make of markup."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.schemes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("href", "src") and (found := _SCHEME.match(value or "")):
                self.schemes.add(found[1].lower())


def _passage(
    number: int, title: str, text: str, source: str, author: str | None = None, published: str | None = None
) -> Passage:
    url = source if source.startswith("http") else None
    document = Document(f"d{number}", title, text, source, published, author, "", url)
    return Passage(number, Chunk(f"c{number}", document.id, 0, len(text)), document, text)


@cache
def _small_files() -> tuple[tuple[str, bytes], ...]:
    from tests.documents.corpus import corpus

    odd = [(one.name, one.data) for one in corpus() if 0 < len(one.data) < 8000]
    return (*odd, *((f"made.{suffix}", data) for suffix, data in _made().items()))


@cache
def _made() -> Mapping[str, bytes]:
    """A sound file of the formats of which the corpus has mostly spoiled ones."""
    from tests.documents.making import docx, epub, mail, pdf, pptx, xlsx, zipped

    page = "<html><body><h1>Ferry</h1><p>The ferry left.</p></body></html>"
    return {
        "docx": docx([("Ferry", "Heading 1"), "The ferry left.", [["Day", "Fare"], ["Monday", "4"]]], "Ferry", "Ada"),
        "pptx": pptx([("Ferry", "The ferry left.", "A note.")], "Ferry", "Ada"),
        "xlsx": xlsx({"Fares": [["title", "text"], ["Ferry", "The ferry left."], ["Fare", 4.5]]}),
        "epub": epub({"1.xhtml": page}),
        "pdf": pdf([["The ferry left.", "It was late."], []], {"Title": "Ferry", "CreationDate": "D:20240314"}),
        "eml": mail("The ferry left.", html=page, attached={"a.txt": b"It was late."}),
        "html": page.encode(),
        "csv": b"title,text,published\nFerry,The ferry left.,2024-03-14\n",
        "json": b'[{"title": "Ferry", "text": "The ferry left.", "date": "2024-03-14"}]',
        "jsonl": b'{"title": "Ferry", "text": "The ferry left."}\n{"text": "It was late."}\n',
        "md": b"---\ntitle: Ferry\ndate: 2024-03-14\n---\n# Ferry\n\nThe *ferry* left.\n\n- a\n- b\n",
        "txt": b"Ferry\n14 March 2024\n\nThe ferry left.\nIt was late.\n",
        "zip": zipped({"a.txt": "The ferry left.", "b.md": "# Ferry"}, zipfile.ZIP_STORED),
    }


def _members(package: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def _packed(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as package:
        for name, content in members.items():
            package.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def _hold(promise: str, kept: bool) -> None:
    if not kept:
        raise AssertionError(promise)


TARGETS: Mapping[str, Target] = {
    **{suffix: _loader(suffix) for suffix in TEXTS},
    **{suffix: _package(suffix) for suffix in PACKAGES},
    "chunker": Target(_chunker, lambda: [b"\0\1" + ("\n".join(ARTICLES) * 3).encode(), *MARKED]),
    "marks": Target(_marks, lambda: [b"\0" + one for one in MARKED]),
    "rendering": Target(_rendering, lambda: [*HOSTILE, *MARKED]),
}
