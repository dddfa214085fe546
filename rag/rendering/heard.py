"""What other parts of Citeline say in English, such as how far a model is loaded, in the reader's language.

They speak to no reader in particular: one line serves the terminal, the log and every tab, whatever its language.
"""

import re
from functools import cache

from rag.languages import later, said

_TEXTS = (
    later("Starting …"),
    later("Starting"),
    later("Loading {name}"),
    later("Fetching {name}"),
    later("Checking what is here of {name}"),
    later("Another process is fetching {name}: waiting for it"),
    later("Searching the articles"),
    later("Reading"),
    later("Reading {number} passages"),
    later("This question waits for another."),
    later("This question waits for {number} others."),
    later("This question waits. {line}"),
    later("This conversation isn’t kept. {why}"),
    later("Indexing"),
    later("Checking"),
    later("Answering"),
    later("Judging"),
    later("Searching"),
    later("Adding {what} and {more}"),
    later("Adding {what}"),
    later("{number} file"),
    later("{number} files"),
    later("{number} address"),
    later("{number} addresses"),
    later("Syncing with the folders and pages"),
    later("Removing an article"),
    later("at {time}"),
    later("at {time} by {name}"),
    later("Cancelled. What was done by then stays."),
    later("Nothing changed: everything is up to date."),
    later("It was {name}."),
    later("It is the same as {name}."),
    later("It is here already: {title}"),
    later("{number} articles."),
    later("{number} added"),
    later("{number} updated"),
    later("{number} moved"),
    later("{number} removed"),
    later("{number} unchanged"),
    later("{number} refused"),
    later("added"),
    later("updated"),
    later("moved"),
    later("removed"),
    later("unchanged"),
    later("refused"),
    later("missing"),
    later("changed"),
    later("new"),
    later("incomplete"),
    later("folder can't be visited"),
    later("page can't be had"),
    later("page is gone"),
    later("fields changed"),
    later("embedder changed"),
    later("chunker changed"),
    later("loader changed"),
    later("making the question stand alone"),
    later("searching"),
    later("checking"),
    later("writing"),
    later("other"),
    later("Citeline didn’t foresee this error. The terminal it was started from shows what happened."),
)
"""Known texts; of several that fit the first is taken."""
_INNER = ("line", "what", "more")
"""Names of what is such a text too; anything else is foreign: a title, a file, an error."""
_PROGRESS = re.compile(r"(.+?)( …(?: \d+ %)?)")
_COUNTS = re.compile(r"(\d+ \w+(?:, \d+ \w+)*)\.")


def retold(text: str) -> str:
    """The text in the reader's language where it is a known one, else as it is.

    >>> with speaking("de"): retold("This question waits. Loading qwen … 42 %")
    'Diese Frage wartet. qwen wird geladen … 42 %'
    """
    known = said(text)
    if known != text:
        return known
    if found := _PROGRESS.fullmatch(text):
        return f"{retold(found[1])}{found[2]}"
    if found := _COUNTS.fullmatch(text):
        return f"{', '.join(map(retold, found[1].split(', ')))}."
    for template, pattern in _patterns():
        if found := pattern.fullmatch(text):
            values = found.groupdict().items()
            return said(template, **{name: retold(value) if name in _INNER else value for name, value in values})
    return text


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((text, _pattern(text)) for text in _TEXTS if "{" in text)


def _pattern(template: str) -> re.Pattern[str]:
    """What the template makes: a {number} is digits, anything else at least one character of any kind."""
    parts = re.split(r"\{(\w+)\}", template)
    inner = [
        re.escape(part) if at % 2 == 0 else f"(?P<{part}>{r'[0-9,]+' if part == 'number' else '.+?'})"
        for at, part in enumerate(parts)
    ]
    return re.compile("".join(inner), re.DOTALL)
