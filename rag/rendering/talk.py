"""What surrounds the exchanges of a conversation: what can be done with an answer, the article behind a citation, the
list of saved conversations.

Buttons carry what they do in `data-act` and its details beside it; `talk_script` hands that to the page's handler.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rag.exchanges import Exchange, Feedback, Stopped, Trouble, Vote
from rag.languages import day_in_words, later
from rag.rendering.escape import Html, escape, joined, told
from rag.rendering.html import answer_citations, marked, origin_html, source_notes
from rag.types import Answer, Passage

REASONS = (
    later("It is wrong"),
    later("It isn’t what I asked"),
    later("The source doesn’t say so"),
    later("Something is missing"),
)
"""Why an answer is no good, to choose from."""
FORMATS = (("md", "Markdown"), ("docx", "Word"), ("pdf", "PDF"), ("json", "JSON"))
"""Ending and name of what a conversation is saved as."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the buttons below an answer need."""

    plain: str
    """The answer to be pasted elsewhere."""
    cited: str
    """The same with citations."""
    feedback: Feedback | None = None


class Entry(Protocol):
    """A saved conversation in a list."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def changed(self) -> datetime: ...


def tools_html(exchange: Exchange, tools: Tools) -> Html:
    """The buttons below what came of a question."""
    number, given = exchange.number, tools.feedback
    buttons = []
    if isinstance(exchange.outcome, Answer) and not exchange.outcome.abstained:
        buttons += [
            _button("copy", later("Copy"), number, text=tools.plain),
            _button("copy", later("Copy with sources"), number, text=tools.cited),
        ]
    buttons += [_button("again", later("Ask again"), number), _button("edit", later("Edit question"), number)]
    if isinstance(exchange.outcome, Answer):
        buttons += [
            _vote(Vote.UP, later("Good answer"), number, given),
            _vote(Vote.DOWN, later("Bad answer"), number, given),
            _button("inspect", later("How it came about"), number),
        ]
    group = f'<div class="tools" role="group" aria-label="{told("With this answer")}">{joined(buttons)}</div>'
    return Html(f"{group}{_why(number, given)}")


def suggestions_html(questions: Sequence[str]) -> Html:
    """Questions to go on with."""
    if not questions:
        return Html("")
    items = joined([Html(f'<li><button type="button" dir="auto">{escape(one)}</button></li>') for one in questions])
    return Html(
        f'<section class="next" aria-label="{told("Questions to go on with")}"><h3>{told("Go on with")}</h3>'
        f'<ul class="examples">{items}</ul></section>'
    )


def reader_html(exchange: Exchange, number: int) -> Html:
    """The whole article of a passage of the exchange, with what is cited of it marked; empty where there is none."""
    passages = _passages(exchange)
    shown = next((passage for passage in passages if passage.number == number), None)
    if shown is None:
        return Html("")
    outcome, document = exchange.outcome, shown.document
    cited = answer_citations(outcome) if isinstance(outcome, Answer) else []
    spans = [(one.start, one.end) for one in cited if one.passage.document.id == document.id]
    of_this = [(one.start, one.end) for one in cited if one.passage.number == number]
    first = min(of_this, default=(shown.chunk.start, shown.chunk.end))
    text = marked(document.text, spans or [(shown.chunk.start, shown.chunk.end)], first)
    return Html(
        f'<section class="reader" aria-label="{told("Article")}" data-scope="{escape(exchange.scope)}">'
        f"{_back()}"
        f'<h2 dir="auto">{escape(document.title)}</h2><p class="origin">{origin_html(shown, of_this, True)}</p>'
        f"{source_notes(shown)}"
        f'<div class="passage" dir="auto">{text}</div></section>'
    )


def drawer_html(entries: Sequence[Entry], current: str) -> Html:
    """The saved conversations, newest first."""
    if not entries:
        return Html(f'<p class="note">{told("Conversations are kept here.")}</p>')
    return Html(f'<ul class="saved">{joined([_entry(entry, current) for entry in entries])}</ul>')


def found_html(found: Sequence[tuple[str, str, str, Sequence[tuple[int, int]]]]) -> Html:
    """What a search in conversations found: (id, title, excerpt, spans in it) each."""
    if not found:
        return Html(f'<p class="note">{told("Nothing found.")}</p>')
    items = [
        Html(
            f'<li><button type="button" data-act="go" data-id="{escape(ident)}"><span dir="auto">{escape(title)}</span>'
            f'<small dir="auto">{marked(excerpt, spans)}</small></button></li>'
        )
        for ident, title, excerpt, spans in found
    ]
    return Html(f'<ul class="saved">{joined(items)}</ul>')


def place_html(conversation: str, title: str, shared: str = "", read_only: bool = False, opened: bool = False) -> Html:
    """Which conversation this tab shows, and what can be done with the whole of it.

    `shared` is the address of its shared copy, where there is one; `opened` shows what can be done at once.
    """
    if read_only:
        note = f'<p class="note" dir="auto">{told("A shared conversation: {title}", title=title)}</p>'
        return Html(f'<div class="place" data-conversation="" data-read-only>{note}</div>')
    if not conversation:
        return Html('<div class="place" data-conversation=""></div>')
    ident = escape(conversation)
    formats = [
        Html(f'<button type="button" data-act="export" data-format="{ending}">{name}</button>')
        for ending, name in FORMATS
    ]
    return Html(
        f'<div class="place" data-conversation="{ident}">'
        f'<details class="whole"{" open" if opened else ""}><summary>{told("This conversation")}</summary>'
        f'<form class="rename" data-id="{ident}"><label>{told("Title")} <input name="title" maxlength="200" '
        f'value="{escape(title)}"></label><button>{told("Rename")}</button></form>'
        f'<p class="exports">{told("Save as")} {joined(formats)}</p><p><button type="button" data-act="share">'
        f"{told('Share as it is now') if shared else told('Share a link')}</button> "
        f'<button type="button" data-act="delete" data-id="{ident}" '
        f'data-sure="{told("Delete for good?")}">{told("Delete")}</button></p>'
        f"{_shared_link(shared)}</details></div>"
    )


def shelf_button_html() -> Html:
    """Opens and closes the list of conversations."""
    return Html(
        '<button type="button" class="shelf-toggle" aria-expanded="false" aria-controls="drawer">'
        f"{told('Conversations')}</button>"
    )


def closable(body: Html) -> Html:
    """Something shown in place of the sources, with the way back to them."""
    return Html(f'<section class="reader">{_back()}{body}</section>')


def handout_html(address: str, name: str) -> Html:
    """A file made for the reader; the page fetches it by itself."""
    label = told("Save {name}", name=name)
    return Html(f'<a class="handout" href="{escape(address)}" download="{escape(name)}">{label}</a>')


def talk_script() -> str:
    """Runs once on an element that holds such buttons: pressing one triggers `select` with what it carries."""
    return (
        "element.addEventListener('click', (event) => {"
        " const button = event.target.closest('[data-act]');"
        " if (!button || button.dataset.act === 'copy') return;"
        " if (button.dataset.sure && !button.classList.contains('sure')) {"
        "  button.classList.add('sure'); button.textContent = button.dataset.sure; return; }"
        " trigger('select', { value: { ...button.dataset } });"
        " });"
        "element.addEventListener('submit', (event) => {"
        " const form = event.target.closest('form.rename'); if (!form) return; event.preventDefault();"
        " trigger('select', { value: { act: 'rename', id: form.dataset.id, title: form.elements.title.value } });"
        " });"
        "element.addEventListener('citeline:open', (event) => trigger('select', { value: event.detail }));"
    )


def _back() -> Html:
    label = told("Back to the sources")
    return Html(f'<p class="reader-bar"><button type="button" data-act="close">{label}</button></p>')


def _passages(exchange: Exchange) -> Sequence[Passage]:
    match exchange.outcome:
        case Stopped(draft):
            return draft.passages
        case Trouble(_, passages):
            return passages
        case other:
            return other.passages


def _shared_link(address: str) -> Html:
    if not address:
        return Html("")
    link = f'<a class="shared" href="{escape(address)}">{escape(address)}</a>'
    end = f'<button type="button" data-act="withdraw">{told("Stop sharing")}</button>'
    return Html(f'<p class="note">{told("Whoever has this link can read it:")} {link} {end}</p>')


def _button(
    act: str, label: str, number: int, text: str | None = None, pressed: bool | None = None, vote: str = ""
) -> Html:
    content = "" if text is None else f' data-text="{escape(text)}"'
    state = "" if pressed is None else f' aria-pressed="{str(pressed).lower()}"'
    kind = f' data-vote="{vote}"' if vote else ""
    return Html(
        f'<button type="button" data-act="{act}" data-number="{number}"{kind}{content}{state}>{told(label)}</button>'
    )


def _vote(vote: Vote, label: str, number: int, given: Feedback | None) -> Html:
    return _button("rate", label, number, pressed=given is not None and given.vote is vote, vote=str(vote))


def _why(number: int, given: Feedback | None) -> Html:
    if given is None or given.vote is Vote.UP:
        return Html("")
    buttons = [
        Html(
            f'<button type="button" data-act="reason" data-number="{number}" data-reason="{escape(reason)}" '
            f'aria-pressed="{str(reason == given.reason).lower()}">{told(reason)}</button>'
        )
        for reason in REASONS
    ]
    label = told("What is bad about it")
    return Html(f'<div class="tools why" role="group" aria-label="{label}">{joined(buttons)}</div>')


def _entry(entry: Entry, current: str) -> Html:
    here = ' aria-current="true"' if entry.id == current else ""
    day = day_in_words(entry.changed.astimezone().date())
    return Html(
        f'<li><button type="button" data-act="go" data-id="{escape(entry.id)}"{here}>'
        f'<span dir="auto">{escape(entry.title)}</span>'
        f"<small>{escape(day)}</small></button></li>"
    )
