"""How an answer came about as plain text, for a terminal or a file."""

import textwrap
from collections.abc import Iterator, Sequence

from rag.inspecting import Inspection
from rag.rendering import inspection_words as words
from rag.rendering.escape import plain

_BAR = 30
"""Characters of the bar of a stage that took all the time."""


def inspection_text(inspection: Inspection) -> str:
    """What `inspection_html` shows at once, and all prompts; every foreign part went through `plain`.

    No trailing newline.

    Why
    Given: it is 84 % sure to be right. Answers are given from 62 % on, so that at most 38 % of them are wrong.

    Timings
    searching  ███                            0.4 s, 10 %
    …
    """
    sections = (
        ("Why", [words.why(inspection), *(f"! {change}" for change in inspection.changes)]),
        ("Decision", _decision(inspection)),
        ("Timings", _timings(inspection)),
        ("Search", _search(inspection)),
        ("Prompts", _prompts(inspection)),
    )
    return "\n\n".join("\n".join([title, *map(plain, lines)]) for title, lines in sections)


def _decision(inspection: Inspection) -> list[str]:
    decision = inspection.decision
    if not decision.signals:
        return ["No signals were taken."]
    cells = [words.SIGNAL_COLUMNS, *map(words.signal_cells, decision.signals)]
    return [*_columns(cells), words.decision_note(decision)]


def _timings(inspection: Inspection) -> list[str]:
    rows = [
        (stage.name, "█" * round(_BAR * stage.share), words.stage_time(stage.seconds, stage.share))
        for stage in inspection.stages
    ]
    return [*_columns(rows), words.first_word(inspection)]


def _search(inspection: Inspection) -> Iterator[str]:
    if asked := words.asked_as(inspection):
        yield f"The question, standing alone: {asked}"
    yield from (f"Part of it: {part}" for part in inspection.found.parts)
    yield from filter(None, (words.preferred(inspection), words.cuts(inspection)))
    candidates = inspection.found.candidates
    for candidate in candidates[: words.FIRST_CANDIDATES]:
        rank, article, *scores, became = words.candidate_cells(candidate)
        names = words.CANDIDATE_COLUMNS[2:-1]
        yield f"{rank:>3} {_one_line(article)}: {became}"
        yield "    " + ", ".join(f"{name} {score}" for name, score in zip(names, scores, strict=True))
        if candidate.best:
            yield f"    “{_one_line(candidate.best_sentence)}”"
    if rest := candidates[words.FIRST_CANDIDATES :]:
        yield f"and {words.many_more(rest)}"


def _prompts(inspection: Inspection) -> Iterator[str]:
    if not inspection.prompts:
        yield "The reader was asked nothing."
    for asked, before in zip(inspection.prompts, (None, *inspection.prompts), strict=False):
        yield words.prompt_title(asked)
        if note := words.begins_alike(asked, before):
            yield f"  {note}"
        for part in words.prompt_parts(asked, before):
            yield f"  {part.name}"
            yield textwrap.indent(plain(part.text), "    | ", lambda _: True)
    yield from filter(None, (words.withheld(inspection), words.answer_length(inspection)))


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Each row as a line, cells of a column under one another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _one_line(text: str) -> str:
    return " ".join(plain(text).split())
