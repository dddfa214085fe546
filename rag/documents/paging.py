"""Texts of pages → one text, and where in it the pages begin."""

from collections.abc import Iterable


def joined_pages(pages: Iterable[str]) -> tuple[str, tuple[int, ...]]:
    """The text and the offset at which each page begins, that of an empty page where the text before it ends.

    A sentence that goes on in lower case on the next page stays on one line; else an empty line parts the pages.

        ["It left", "at nine.", "", "Fares"] → "It left at nine.\\n\\nFares", (0, 8, 16, 18)
    """
    text = ""
    starts = []
    for page in pages:
        if page and text:
            text += " " if page[0].islower() and text[-1] not in ".!?:;" else "\n\n"
        starts.append(len(text))
        text += page
    return text, tuple(starts)
