"""Whatever bytes come under whatever name: they load, or there is a DocumentError."""

import os
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.documents import load_bytes
from rag.documents.fields import USUAL_FIELDS
from rag.documents.kinds import SUFFIXES
from rag.documents.markup import text_of_html
from rag.documents.reading import read_all
from rag.documents.wrapping import unwrapped
from rag.errors import DocumentError
from rag.types import Document, page_of
from tests.documents.corpus import corpus

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "200"))
"""More of them make a fuzz run: `FUZZ_EXAMPLES=20000 pytest tests/documents/test_properties.py`."""

SMALL = [odd.data for odd in corpus() if len(odd.data) < 60_000]

names = st.sampled_from(["a" + suffix for suffix in (*SUFFIXES, ".bin", "", ".TXT")])
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A file of the corpus with some bytes changed, taken out, doubled, or cut off."""
    data = bytearray(draw(st.sampled_from(SMALL)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 40))
        match draw(st.sampled_from(["change", "remove", "double", "cut"])):
            case "change":
                data[at : at + length] = draw(st.binary(max_size=40))
            case "remove":
                del data[at : at + length]
            case "double":
                data[at:at] = data[at : at + length]
            case "cut":
                del data[at:]
    return bytes(data)


def documents(data: bytes, name: str) -> tuple[Document, ...]:
    try:
        return load_bytes(data, name, f"/{name}").documents
    except DocumentError as error:
        refusal = str(error)
    assert f"/{name}" in refusal
    assert len(refusal) < 1000
    return ()


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=2000) | texts.map(str.encode) | spoiled(), names)
def test_any_bytes_under_any_name_load_or_are_refused(data: bytes, name: str) -> None:
    for document in documents(data, name):
        assert document.text.strip()
        assert "\n" not in document.title
        document.text.encode()
        assert list(document.pages) == sorted(document.pages)
        assert not document.pages or (document.pages[0], page_of(document, 0) or 0) >= (0, 1)
        assert document.pages[-1:] <= (len(document.text),)


@settings(max_examples=EXAMPLES, deadline=None)
@given(spoiled(), names)
def test_loaders_fail_in_no_other_way_than_the_process_expects(data: bytes, name: str) -> None:
    """In this process, so that an error that `worker` would turn into one message for all shows."""
    with suppress(DocumentError, RecursionError):
        list(read_all(data, name, f"/{name}", USUAL_FIELDS))


@settings(max_examples=EXAMPLES, deadline=None)
@given(texts.filter(str.strip), st.sampled_from([".txt", ".md"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_any_text_comes_back_but_for_its_line_ends(text: str, suffix: str, encoding: str) -> None:
    text = f"A text. {text}"  # so that it doesn't begin as front matter or as a file of another format does
    (document,) = load_bytes(text.encode(encoding), f"a{suffix}", "/a").documents
    assert document.text == text.replace("\r\n", "\n").replace("\r", "\n")


@given(texts)
def test_any_text_survives_as_html(text: str) -> None:
    assert isinstance(text_of_html(text), str)


@given(st.lists(texts.map(lambda text: text.replace("\n", " ")), max_size=8))
def test_unwrapping_changes_nothing_but_spaces_and_hyphens(lines: list[str]) -> None:
    (page,) = unwrapped(["\n".join(lines)])
    kept = str.maketrans("", "", "-\u00ad\u2010")
    assert "".join(page.split()).translate(kept) == "".join("".join(lines).split()).translate(kept)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_refuses_an_empty_file(suffix: str) -> None:
    for data in (b"", b" \n\t "):
        with pytest.raises(DocumentError, match=rf"/a\{suffix} is empty"):
            load_bytes(data, f"a{suffix}", f"/a{suffix}")
