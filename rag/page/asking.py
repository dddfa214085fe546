"""Asking: the conversation on the left, the passages it rests on to the right, the question box below.

Widgets   what stands in this view; which of it shows follows from what it holds, in page.css
Shown      what a tab shows
Handlers  what happens when something is pressed
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gradio as gr

from rag import rendering
from rag.conversations import Conversations
from rag.desk import TICK, Desk, Failed, Opening
from rag.errors import InputError, RagError
from rag.exchanges import Conversation, Draft, Exchange, Feedback, Trouble, Vote
from rag.guarding import Door
from rag.holdings import Chosen
from rag.languages import later, said
from rag.page import ahead
from rag.page.choosing import Choice, documents_of
from rag.page.keeping import Keeping
from rag.page.shared import QUIET, Updates, client_of, html, owner_of, tried
from rag.page.shown import Shown, shown_from
from rag.page.speech import fixed, in_readers_language, label
from rag.rights import Readable, withheld
from rag.talks import Running, Talks
from rag.types import Answer

HINT = later("Enter asks, Shift + Enter begins a new line.")
READ_ONLY = later("This is a shared conversation. A new one can be begun above.")
EDITING = later("What is asked now takes the place of question {number} and of what follows it.")
UNSAVED = later("This conversation isn’t kept. {why}")
GONE = later("That conversation isn’t here.")

REDRAW = 0.08
"""Seconds between two drawings of an answer that is being written, at least."""
FAILED_TICK = 0.5
"""Seconds after which a page that could not start looks whether it can now."""
MOST_TABS = 10_000
"""Of which it is remembered what they show."""


@dataclass(frozen=True, slots=True)
class Widgets:
    """What stands in the view, from top to bottom."""

    new: gr.Button
    find: gr.Textbox
    drawer: gr.HTML
    place: gr.HTML
    handout: gr.HTML
    failure: gr.HTML
    retry: gr.Button
    welcome: gr.HTML
    past: gr.HTML
    """All exchanges but the newest; drawn once a question, while `current` is drawn with every word."""
    current: gr.HTML
    suggested: gr.HTML
    evidence: gr.HTML
    reading: gr.HTML
    """Above the evidence and instead of it: an article, or how an answer came about."""
    box: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    status: gr.HTML
    shown: gr.State


def lay_out(choice: Choice) -> Widgets:
    """Put the widgets into the view that is being built."""
    script = rendering.talk_script()
    with gr.Column(elem_id="desk"):
        with gr.Row(elem_id="bar"):
            html("shelf-toggle", fixed("shelf button", rendering.shelf_button_html))
            new = gr.Button(label("New conversation"), elem_id="new")
        with gr.Column(elem_id="drawer"):
            find = gr.Textbox(label=label("Search conversations"), elem_id="find", max_lines=1)
            drawer = html("saved", script=script)
        with gr.Column(elem_id="thread"):
            place = html("place", rendering.place_html("", ""), script)
            handout = html("handout")
            failure = html("failure")
            retry = gr.Button(label("Try again"), elem_id="retry")
            welcome = html("welcome", fixed("welcome", partial(rendering.welcome_html, ())), rendering.welcome_script())
            past = html("past", script=script)
            current = html("current", script=script)
            suggested = html("suggested", script=rendering.welcome_script())
        with gr.Column(elem_id="side"):
            reading = html("reading", script=script)
            evidence = html("panel", script=script)
        with gr.Column(elem_id="composer"):
            choice.place()
            with gr.Row(elem_id="question"):
                box = gr.Textbox(
                    label=label("Question"),
                    show_label=False,
                    container=False,
                    placeholder=label("Ask a question"),
                    lines=1,
                    max_lines=6,
                    autofocus=True,
                    elem_id="box",
                )
                ask = gr.Button(label("Ask"), elem_id="ask")
                stop = gr.Button(label("Stop"), elem_id="stop")
            status = html("status", rendering.status_html(""))
    state = gr.State(Shown())
    return Widgets(
        new, find, drawer, place, handout, failure, retry, welcome, past, current, suggested, evidence, reading, box,
        ask, stop, status, state,
    )  # fmt: skip


class Handlers:
    """What the view does; each method returns or yields updates."""

    def __init__(self, desk: Desk, talks: Talks, widgets: Widgets, door: Door) -> None:
        self._desk = desk
        self._talks = talks
        self._saved: Conversations = talks.saved
        self._keeping = Keeping(talks.saved, door, desk.rights)
        self._on = widgets
        self._door = door
        self._beginning = threading.Lock()
        self._showing: OrderedDict[str | None, Running] = OrderedDict()
        """By session: the answer under way that its tab shows. Another stops being drawn there."""

    def watch(self, reader: str | None) -> Iterator[Updates]:
        """Follow the opening of the pipeline until it is open, be it by way of a failure that is mended elsewhere."""
        shown: object = None
        while self._desk.pipeline is None:
            state = self._desk.state
            changed = {self._on.failure: self._failure(), self._on.status: self._status(HINT)}
            yield changed if state != shown else self._nothing()  # by yielding it hears that the tab was closed
            shown = state
            time.sleep(TICK if isinstance(state, Opening) else FAILED_TICK)
        beginnings = tried(self._door, lambda: self._desk.lent(reader).openers(), ())
        yield {self._on.failure: "", self._on.welcome: rendering.welcome_html(beginnings)}

    def retry(self) -> None:
        """Open the pipeline once more; `watch` shows how that goes."""
        self._desk.open()

    @in_readers_language
    def arrive(self, request: gr.Request) -> Iterator[Updates]:
        """Show the conversation that the address names, and follow the opening of the pipeline and what is under way.

        One event for all of it: each counts as a press of the reader's.
        """
        asked, owner = dict(request.query_params), owner_of(request)
        token, ident = asked.get("shared"), asked.get("c")
        found: Conversation | None = None
        if token:
            found = tried(self._door, lambda: self._saved.read_shared(token), None)
        elif ident:
            found = tried(self._door, lambda: self._saved.read(owner, ident), None)
        shown = shown_from(found, self._rights_of(request), read_only=bool(token)) if found else Shown()
        resting = GONE if (token or ident) and not found else _at_rest(shown)
        yield self._whole(shown, request) if found else {self._on.drawer: self._keeping.listed(request, "")}
        yield from self.watch(request.username)
        if request.session_hash not in self._showing:  # nothing was asked meanwhile
            yield {self._on.status: self._status(resting)}
        yield from self._taken_up(shown, request)

    @in_readers_language
    def ask(
        self, typed: str | None, shown: Shown, chosen: Sequence[Chosen], event: gr.EventData, request: gr.Request
    ) -> Iterator[Updates]:
        """Answer what was typed, or the example that was chosen."""
        shown = self._as_readable(shown, request)
        given = event.value if getattr(event.target, "elem_id", "") in ("welcome", "suggested") else typed
        question = given.strip() if isinstance(given, str) else ""
        yield self._nothing()
        if question:
            yield from self._ask(question, shown, chosen, request)

    @in_readers_language
    def act(
        self, shown: Shown, chosen: Sequence[Chosen], event: gr.EventData, request: gr.Request
    ) -> Iterator[Updates]:
        """Do what the pressed button says. What comes from a browser may be anything."""
        shown = self._as_readable(shown, request)
        given = event.value if isinstance(event.value, dict) else {}
        detail = {name: value for name, value in given.items() if isinstance(value, str)}
        number = int(detail["number"]) if detail.get("number", "").isdecimal() else 0
        exchange = next((one for one in shown.exchanges if one.number == number), None)
        yield self._nothing()
        try:
            match detail.get("act"):
                case "go":
                    yield from self._go(detail.get("id", ""), request)
                case "again" if exchange and not shown.read_only:
                    yield from self._ask(exchange.question, replace(shown, editing=number), chosen, request)
                case "edit" if exchange and not shown.read_only:
                    line = rendering.status_html(said(EDITING, number=number))
                    yield {
                        self._on.box: exchange.question,
                        self._on.status: line,
                        self._on.shown: replace(shown, editing=number),
                    }
                case "rate" | "reason" if exchange and shown.id:
                    yield self._rated(shown, exchange, detail, request)
                case "open" if exchange:
                    passage = int(detail["passage"]) if detail.get("passage", "").isdecimal() else 0
                    yield {self._on.reading: rendering.reader_html(exchange, passage)}
                case "inspect" if exchange:
                    yield {self._on.reading: self._inspected(shown, exchange, request)}
                case "close":
                    yield {self._on.reading: ""}
                case "export" if shown.exchanges:
                    yield {self._on.handout: self._keeping.exported(shown, detail.get("format", ""), request)}
                case "share" | "withdraw" | "rename" | "delete":
                    yield self._changed(shown, detail, request)
        except RagError as error:
            yield {self._on.status: rendering.status_html(str(error))}

    def stop(self, request: gr.Request) -> None:
        """Let the answer that this tab shows end as it is; `ask` shows that."""
        if running := self._showing.get(request.session_hash):
            running.stop()

    @in_readers_language
    def clear(self, request: gr.Request) -> Updates:
        """Begin a new conversation."""
        self._look_away(request)
        return self._whole(Shown(), request)

    @in_readers_language
    def find(self, wanted: str | None, shown: Shown, request: gr.Request) -> Updates:
        """List the saved conversations in which the words stand."""
        return {self._on.drawer: self._keeping.listed(request, shown.id, wanted or "")}

    def _ask(self, question: str, shown: Shown, chosen: Sequence[Chosen], request: gr.Request) -> Iterator[Updates]:
        if shown.read_only:
            shown = Shown()
        number = shown.editing or len(shown.exchanges) + 1
        earlier = shown.earlier
        owner, replacing = owner_of(request), shown.editing or None
        with self._beginning:
            if self._is_asked(question, request):
                return
            self._look_away(request)
            only = documents_of(chosen)
            running = self._talks.ask(
                owner, client_of(request), question, earlier, shown.id, replacing, only, request.username
            )
            self._show(running, request)
        feedback = {at: given for at, given in shown.feedback.items() if at < number}
        opened = replace(shown, id=running.conversation, exchanges=earlier, feedback=feedback, editing=0)
        opened = replace(opened, title=shown.title or question)
        begun = {
            self._on.place: opened.place_html(),
            self._on.box: "",
            self._on.past: opened.exchanges_html(),
            self._on.suggested: "",
            self._on.reading: "",
        }
        yield {**begun, **self._drawn(opened, running.exchange, request)}
        yield from self._followed(opened, running, request)
        if self._showing.get(request.session_hash) is not running:
            return
        if isinstance(running.exchange.outcome, Trouble):
            yield {self._on.box: question}
        if running.unsaved:
            yield {self._on.status: rendering.status_html(said(UNSAVED, why=running.unsaved))}

    def _followed(self, shown: Shown, running: Running, request: gr.Request) -> Iterator[Updates]:
        """Draw the answer under way, as the last exchange of `open`, until it ends or the tab shows something else."""
        session = request.session_hash
        drawn = 0.0
        for exchange in running.drawings():
            if self._showing.get(session) is not running:
                yield self._nothing()  # Gradio draws what was yielded last once more at the end
                return
            writing = isinstance(exchange.outcome, Draft) and bool(exchange.outcome.text)
            if writing and time.monotonic() - drawn < REDRAW:
                continue
            drawn = time.monotonic()
            yield self._drawn(shown, exchange, request)
        yield {self._on.failure: self._failure(), self._on.drawer: self._keeping.listed(request, shown.id)}
        suggested = self._suggested(running.exchange, request)
        if suggested and self._showing.get(session) is running:
            yield {self._on.suggested: suggested}

    def _suggested(self, exchange: Exchange, request: gr.Request) -> str:
        """Questions to go on with, after an answer."""
        answer, reader = exchange.outcome, request.username
        if not isinstance(answer, Answer):
            return ""
        return rendering.suggestions_html(tried(self._door, lambda: self._desk.lent(reader).suggest(answer), ()))

    def _is_asked(self, question: str, request: gr.Request) -> bool:
        """Whether the tab waits for the answer to just that: a button was pressed twice."""
        running = self._showing.get(request.session_hash)
        return running is not None and running.exchange.question == question and running.is_going_on

    def _show(self, running: Running, request: gr.Request) -> None:
        self._showing[request.session_hash] = running
        while len(self._showing) > MOST_TABS:
            self._showing.popitem(last=False)

    def _look_away(self, request: gr.Request) -> None:
        if running := self._showing.pop(request.session_hash, None):
            running.kept = True

    def _go(self, ident: str, request: gr.Request) -> Iterator[Updates]:
        self._look_away(request)
        try:
            opened = shown_from(self._saved.read(owner_of(request), ident), self._rights_of(request))
        except InputError:
            yield self._gone()
            return
        yield self._whole(opened, request)
        yield from self._taken_up(opened, request)

    def _taken_up(self, shown: Shown, request: gr.Request) -> Iterator[Updates]:
        """Follow the answer that is under way in a conversation, or show how it ended since it was read."""
        owner, last = owner_of(request), shown.exchanges[-1:]
        if running := self._talks.running(owner, shown.id):
            self._show(running, request)
            yield from self._followed(replace(shown, exchanges=shown.exchanges[:-1]), running, request)
        elif last and isinstance(last[0].outcome, Draft) and request.session_hash not in self._showing:
            yield self._whole(shown_from(self._saved.read(owner, shown.id), self._rights_of(request)), request)

    def _rights_of(self, request: gr.Request) -> Readable:
        return self._desk.rights.or_nothing(request.username)

    def _as_readable(self, shown: Shown, request: gr.Request) -> Shown:
        """What a tab shows, by the rights there are now."""
        return replace(shown, exchanges=withheld(shown.exchanges, self._rights_of(request)))

    def _gone(self) -> Updates:
        return {self._on.status: rendering.status_html(GONE), self._on.place: rendering.place_html("", "")}

    def _rated(self, shown: Shown, exchange: Exchange, detail: Mapping[str, str], request: gr.Request) -> Updates:
        before = shown.feedback.get(exchange.number)
        if detail["act"] == "rate":
            vote = Vote(detail.get("vote", Vote.UP))
            given = None if before and before.vote is vote else Feedback(vote)
        else:
            given = Feedback(Vote.DOWN, detail.get("reason", ""))
        self._saved.rate(owner_of(request), shown.id, exchange.number, given)
        feedback = {at: one for at, one in shown.feedback.items() if at != exchange.number}
        opened = replace(shown, feedback={**feedback, exchange.number: given} if given else feedback)
        return {
            self._on.past: opened.past_html(),
            self._on.current: opened.last_html(),
            self._on.shown: opened,
        }

    def _inspected(self, shown: Shown, exchange: Exchange, request: gr.Request) -> str:
        answer = exchange.outcome
        if not isinstance(answer, Answer):
            return ""
        history = rendering.turns(one for one in shown.exchanges if one.number < exchange.number)
        return rendering.closable(rendering.inspection_html(self._desk.lent(request.username).inspect(answer, history)))

    def _changed(self, shown: Shown, detail: Mapping[str, str], request: gr.Request) -> Updates:
        changed = self._keeping.changed(shown, detail, request)
        if changed is None:
            return self.clear(request)
        drawer = self._keeping.listed(request, shown.id)
        return {self._on.place: changed.place_html(opened=True), self._on.drawer: drawer, self._on.shown: changed}

    def _nothing(self) -> Updates:
        """Leaves all as it is; a handler that yields nothing would empty all its outputs."""
        return {self._on.box: gr.skip()}

    def _failure(self) -> str:
        state = self._desk.state
        return (
            rendering.error_card(state.message, later("Citeline could not start")) if isinstance(state, Failed) else ""
        )

    def _status(self, otherwise: str) -> str:
        state = self._desk.state
        if isinstance(state, Opening):
            return rendering.status_html(state.line, state.percent)
        return rendering.status_html(otherwise)

    def _whole(self, shown: Shown, request: gr.Request) -> Updates:
        """All of a conversation at once."""
        on, exchanges = self._on, shown.exchanges
        for exchange in exchanges:
            self._note(exchange, request)
        return {
            on.place: shown.place_html(),
            on.drawer: self._keeping.listed(request, shown.id),
            on.past: shown.past_html(),
            on.current: shown.last_html(),
            on.suggested: "",
            on.evidence: rendering.evidence_html(exchanges) if exchanges else "",
            on.reading: "",
            on.status: self._status(_at_rest(shown)),
            on.shown: shown,
        }

    def _drawn(self, earlier: Shown, exchange: Exchange, request: gr.Request) -> Updates:
        """The newest exchange as it stands, after those of `earlier`."""
        opened = replace(earlier, exchanges=(*earlier.exchanges, exchange))
        self._note(exchange, request)
        return {
            self._on.current: opened.last_html(),
            self._on.evidence: rendering.evidence_html(opened.exchanges),
            self._on.status: self._status(rendering.summary(exchange)),
            self._on.shown: opened,
        }

    def _note(self, exchange: Exchange, request: gr.Request) -> None:
        """Let the reader have the files that the answer cites."""
        if isinstance(exchange.outcome, Answer):
            cited = rendering.answer_citations(exchange.outcome)
            self._door.cited.note(request.username, [citation.passage.document for citation in cited])


def _at_rest(shown: Shown) -> str:
    """What the status says of a conversation in which nothing happens."""
    if shown.read_only:
        return READ_ONLY
    return rendering.summary(shown.exchanges[-1]) if shown.exchanges else HINT


def build(page: gr.Blocks, desk: Desk, talks: Talks, door: Door, choice: Choice) -> None:
    """Put the view with its events into the page that is being built."""
    on = lay_out(choice)
    do = Handlers(desk, talks, on, door)
    outputs: list[Any] = [
        on.drawer, on.place, on.handout, on.failure, on.welcome, on.past, on.current, on.suggested, on.evidence,
        on.reading, on.box, on.status, on.shown,
    ]  # fmt: skip
    # A vote or another question needn't wait for an answer.
    together: dict[str, Any] = {**QUIET, "trigger_mode": "multiple"}
    page.load(do.arrive, None, outputs, **QUIET)
    asked = [on.box.submit, on.ask.click, on.welcome.select, on.suggested.select]
    gr.on(asked, do.ask, [on.box, on.shown, choice.state], outputs, **together)
    acts = [on.past.select, on.current.select, on.place.select, on.drawer.select, on.reading.select, on.evidence.select]
    gr.on(acts, do.act, [on.shown, choice.state], outputs, **together)
    on.find.change(do.find, [on.find, on.shown], outputs, **{**QUIET, "trigger_mode": "always_last"})
    on.retry.click(do.retry, **QUIET)
    on.stop.click(do.stop, **QUIET)
    on.new.click(do.clear, None, outputs, **QUIET)
    ahead.build(desk, on.shown, choice)
