"""Answers, passages and messages as HTML for the page.

Every function returns markup whose foreign parts went through `escape`. `scope` tells the exchanges of a conversation
apart: the card of passage 2 in the exchange with scope "3" has the id `source-3-2`, and the marks that cite it link
there.
"""

import re
from collections.abc import Sequence

from rag.languages import ENGLISH, direction, later, said, spoken
from rag.rendering.escape import Html, escape, joined, told
from rag.rendering.heard import retold
from rag.rendering.wording import (
    ABSTAINED,
    also_in,
    cited_passages,
    facts,
    looked_for,
    places,
    reason_in_words,
    stale_in_words,
    timeframe_in_words,
    timing_parts,
    verdict_in_words,
)
from rag.types import Answer, Citation, Claim, Document, Passage, page_of

_MARK = re.compile(r"\[(\d{1,3})\]")


LOST = later("The connection is lost. The answer goes on, and shows here as soon as the connection is back.")
AWAY = later("The connection is lost. This page goes on as soon as it is back.")
TOUR = later("New here? Add articles under “Library”, ask here, press [1] to see the sentence behind.")
PROMISE = later(
    "Each sentence of an answer points to the sentence it comes from. What the articles don’t say, Citeline doesn’t "
    "either."
)


def exchange_frame(question: str, body: Html, scope: str, pending: bool) -> Html:
    """A question as heading above what came of it, tools included; `pending` while more is to come."""
    return Html(
        f'<article class="exchange{" pending" if pending else ""}" id="exchange-{escape(scope)}">'
        f'<h2 class="question" dir="auto">{escape(question)}</h2>{body}</article>'
    )


def draft_html(text: str, passages: Sequence[Passage], scope: str) -> Html:
    """An answer while it is being written; `[n]` becomes a link only where `n` names a passage."""
    return Html(f'<div class="answer writing" dir="auto">{_with_links(text, passages, scope)}</div>')


def stopped_html(text: str, passages: Sequence[Passage], scope: str) -> Html:
    """What had been written when the reader of the page pressed Stop."""
    written = f'<div class="answer" dir="auto">{_with_links(text, passages, scope)}</div>' if text.strip() else ""
    unfinished = later("Stopped. The answer is unfinished and unchecked.")
    note = unfinished if written else later("Stopped before the answer began.")
    return Html(f'{written}<p class="note">{told(note)}</p>')


def answer_html(answer: Answer, scope: str) -> Html:
    """A finished answer with its marks and doubts, or the refusal with its reason; then the line of timings.

    Between them it says which dates were preferred and which cited articles are no longer what their files say.
    """
    body = _refusal(answer) if answer.abstained else Html(f"{_understood(answer)}{_sentences(answer, scope)}")
    return Html(f"{body}{_cautions(answer)}{_timing_line(answer)}")


def passages_html(
    passages: Sequence[Passage],
    scope: str,
    title: str,
    citations: Sequence[Citation] = (),
    question: str = "",
    hidden: bool = False,
    file_links: bool = False,
) -> Html:
    """The cards of the passages; what `citations` point to is marked, and where there are any, the rest steps back.

    `question` stands above the cards when the panel shows an earlier exchange; `hidden` until it does. With
    `file_links` the name of a cited file leads to the file, as the page serves it.
    """
    cards = joined([_card(passage, scope, citations, file_links) for passage in passages])
    heading = f'<h2>{told(title)}</h2><p class="asked" dir="auto">{escape(question)}</p>' if passages else ""
    state = " hidden" if hidden else ""
    return Html(f'<section class="evidence" id="evidence-{escape(scope)}"{state}>{heading}{cards}</section>')


def answer_citations(answer: Answer) -> list[Citation]:
    """All citations of an answer in reading order, for `passages_html`."""
    return [citation for claim in answer.claims for citation in claim.citations]


def working_html(doing: str) -> Html:
    """A step that is under way, before the first word."""
    return Html(f'<p class="working">{escape(retold(doing))}</p>')


def error_card(message: str, title: str = later("That didn’t work")) -> Html:
    """A calm card for an error; `commands` in back quotes are set as code.

    >>> error_card("Nothing is indexed yet. Run `rag index seeds`.")  # … Run <code>rag index seeds</code>.
    """
    text = retold(message)
    foreign = ' lang="en"' if text == message and spoken() != ENGLISH else ""  # errors are in English as yet
    return Html(
        f'<div class="card error" role="alert"><h3>{told(title)}</h3><p{foreign}>{with_commands(text)}</p></div>'
    )


def status_html(text: str, percent: int | None = None) -> Html:
    """The one line below the question box; with a bar when `percent` (0 to 100) is known."""
    bar = f'<progress max="100" value="{percent:d}" aria-hidden="true"></progress>' if percent is not None else ""
    return Html(f'<p class="status" role="status">{escape(retold(text))}</p>{bar}')


def welcome_html(questions: Sequence[str]) -> Html:
    """What an empty conversation shows: what this is, and questions to begin with, if there are any."""
    buttons = joined([Html(f'<li><button type="button" dir="auto">{escape(text)}</button></li>') for text in questions])
    examples = f'<h3>{told("For example")}</h3><ul class="examples">{buttons}</ul>' if questions else ""
    return Html(
        f'<div class="welcome"><h2>{told("Ask your articles")}</h2><p>{told(PROMISE)}</p>'
        f'<p class="tour">{told(TOUR)} <button type="button" class="seen">{told("Got it")}</button></p>'
        f"{examples}</div>"
    )


def masthead_html(logged_in: bool = False) -> Html:
    """The name of the page, which holds what page.js needs to know; where there is a login, the way out too."""
    leave = f'<form method="post" action="/logout"><button>{told("Log out")}</button></form>' if logged_in else ""
    script = {"lang": spoken(), "dir": direction(), "copied": said("Copied"), "lost": said(LOST), "away": said(AWAY)}
    data = "".join(f' data-{name}="{escape(text)}"' for name, text in script.items())
    return Html(f"<h1{data}>Citeline</h1>{leave}")


def _with_links(text: str, passages: Sequence[Passage], scope: str) -> Html:
    titles = {passage.number: passage.document.title for passage in passages}
    parts: list[Html] = []
    at = 0
    for mark in _MARK.finditer(text):
        number = int(mark[1])
        if number not in titles:
            continue
        parts += [escape(text[at : mark.start()]), _link(number, scope, titles[number], titles[number])]
        at = mark.end()
    return joined([*parts, escape(text[at:])])


def _link(number: int, scope: str, title: str, sentence: str) -> Html:
    return Html(
        f'<a class="cite" href="#source-{escape(scope)}-{number}" title="{escape(sentence)}" '
        f'aria-label="{told("Source {number}: {title}", number=number, title=title)}">[{number}]</a>'
    )


def _sentences(answer: Answer, scope: str) -> Html:
    parts: list[Html] = []
    at = 0
    for claim in answer.claims:
        parts += [escape(answer.text[at : claim.start]), _claim(claim, scope)]
        at = claim.end
    return Html(f'<div class="answer" dir="auto">{joined(parts)}{escape(answer.text[at:])}</div>')


def _claim(claim: Claim, scope: str) -> Html:
    by_passage: dict[int, list[Citation]] = {}
    for citation in claim.citations:
        by_passage.setdefault(citation.passage.number, []).append(citation)
    links = joined(
        [
            _link(number, scope, cited[0].passage.document.title, " … ".join(citation.text for citation in cited))
            for number, cited in sorted(by_passage.items())
        ]
    )
    doubt = escape(verdict_in_words(claim.verdict))
    if not doubt:
        return Html(f"<span>{escape(claim.text)}</span>{links}")
    return Html(f'<span class="doubtful">{escape(claim.text)}</span>{links}<span class="verdict">{doubt}</span>')


def _refusal(answer: Answer) -> Html:
    return Html(
        f'<div class="card refusal"><h3>{told(ABSTAINED)}</h3><p>{escape(reason_in_words(answer.reason))}</p>'
        f'<p class="looked" dir="auto">{escape(looked_for(answer))}</p></div>'
    )


def _understood(answer: Answer) -> Html:
    if answer.standalone_question == answer.question:
        return Html("")
    understood = told("Understood as: {question}", question=answer.standalone_question)
    return Html(f'<p class="note" dir="auto">{understood}</p>')


def _cautions(answer: Answer) -> Html:
    when = timeframe_in_words(answer.timeframe)
    stale = [
        Html(f"[{passage.number}] {escape(passage.document.title)}: {with_commands(said)}")
        for passage in cited_passages(answer)
        if (said := stale_in_words(passage))
    ]
    notes = [*([escape(when)] if when else []), *stale]
    return joined([Html(f'<p class="note" dir="auto">{note}</p>') for note in notes])


def with_commands(message: str) -> Html:
    """What stands in back quotes is set as code."""
    return Html(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escape(message)))


def _timing_line(answer: Answer) -> Html:
    parts = joined([Html(f"<span>{escape(part)}</span>") for part in timing_parts(answer)], " · ")
    return Html(f'<p class="timings">{parts}</p>')


def _card(passage: Passage, scope: str, citations: Sequence[Citation], file_links: bool) -> Html:
    spans = [(cited.start, cited.end) for cited in citations if cited.passage.number == passage.number]
    aside = " aside" if citations and not spans else ""
    number = f'<span class="number" aria-hidden="true">{passage.number}</span>'
    return Html(
        f'<article class="source{aside}" id="source-{escape(scope)}-{passage.number}" tabindex="-1" '
        f'aria-label="{told("Source {number}", number=passage.number)}">'
        f'<header>{number}<h3 dir="auto">{escape(passage.document.title)}</h3>'
        f'<p class="origin">{origin_html(passage, spans, file_links)}</p>{source_notes(passage)}</header>'
        f'<p class="passage" dir="auto">{_marked(passage, spans)}</p>'
        f'<button type="button" class="open" data-act="open" data-number="{escape(scope)}" '
        f'data-passage="{passage.number}">{told("Read the article")}</button>'
        f'<a class="back" href="#exchange-{escape(scope)}">{told("Back to the answer")}</a></article>'
    )


def origin_html(passage: Passage, spans: Sequence[tuple[int, int]], file_links: bool) -> Html:
    """Where a passage is from; with `file_links` the name of a file leads to it where `spans` of it are cited."""
    (name, address), *others = places(passage.document)
    if file_links and spans and not address:
        address = _file_address(passage.document, spans)
    names = [linked(*place) for place in ((name, address), *others)]
    return joined([*names, *map(escape, facts(passage, spans))], " · ")


def _file_address(document: Document, spans: Sequence[tuple[int, int]]) -> str:
    """Where the page serves the file, of a PDF file at the first page that `spans` are on."""
    page = page_of(document, min(start for start, _ in spans)) if document.file.lower().endswith(".pdf") else None
    return f"cited/{document.id}#page={page}" if page else f"cited/{document.id}"


def linked(text: str, address: str) -> Html:
    """The text, as a link where it has an address."""
    if not address:
        return escape(text)
    return Html(f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{escape(text)}</a>')


def source_notes(passage: Passage) -> Html:
    """Where else the article stands, and whether its file is still what was indexed."""
    places, stale = also_in(passage), stale_in_words(passage)
    return joined(
        [
            *([Html(f'<p class="origin places" dir="auto">{escape(places)}</p>')] if places else []),
            *([Html(f'<p class="origin stale">{with_commands(stale)}</p>')] if stale else []),
        ]
    )


def marked(text: str, spans: Sequence[tuple[int, int]], target: tuple[int, int] | None = None) -> Html:
    """The text with the parts of it that `spans` cover in <mark>; that of `target` can be found by the page."""
    return _marked_between(text, spans, 0, len(text), target)


def _marked(passage: Passage, spans: Sequence[tuple[int, int]]) -> Html:
    """The passage with the parts of it that `spans` (offsets into the document) cover in <mark>."""
    return _marked_between(passage.document.text, spans, passage.chunk.start, passage.chunk.end)


def _marked_between(
    text: str, spans: Sequence[tuple[int, int]], start: int, end: int, target: tuple[int, int] | None = None
) -> Html:
    parts: list[Html] = []
    at = start
    for span in sorted(set(spans)):
        first, last = max(span[0], at), min(span[1], end)
        if first >= last:
            continue
        found = ' class="target" tabindex="-1"' if span == target else ""
        parts += [escape(text[at:first]), Html(f"<mark{found}>{escape(text[first:last])}</mark>")]
        at = last
    return joined([*parts, escape(text[at:end])])
