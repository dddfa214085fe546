"""The library's view: articles listed, opened, added, removed and synced, and chosen for the questions of this tab."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import gradio as gr

from rag import rendering
from rag.desk import UNFORESEEN, Desk
from rag.errors import RagError
from rag.guarding import Door
from rag.holdings import Chosen, Opened
from rag.languages import later, said
from rag.logs import log_failure
from rag.page.choosing import Choice
from rag.page.shared import QUIET, Updates, html
from rag.page.speech import fixed, in_readers_language, label
from rag.shelf import Shelf

GLANCE = 0.3
"""Seconds between two looks at a change that is under way."""
MOST_TABS = 1000
"""Whose place in the list is remembered."""
MOST_CHOSEN = 1000
NOT_YOURS = later("Only those named in the setting `editors` may change the library.")

_log = logging.getLogger("citeline")


@dataclass(frozen=True, slots=True)
class View:
    """What a tab shows of the library."""

    typed: str = ""
    page: int = 1
    only: str = "all"
    opened: str = ""
    """The id of an article, or empty."""
    chosen: tuple[Chosen, ...] = ()


@dataclass(frozen=True, slots=True)
class Widgets:
    """What stands in the view, from top to bottom."""

    summary: gr.HTML
    adding: gr.Column
    files: gr.File
    addresses: gr.Textbox
    add: gr.Button
    trouble: gr.HTML
    work: gr.HTML
    search: gr.HTML
    articles: gr.HTML
    article: gr.HTML


def lay_out() -> Widgets:
    """Put the widgets into the view that is being built."""
    script = rendering.library_script()
    with gr.Column(elem_id="shelf"):
        summary = html("holdings", script=script)
        with gr.Column(elem_id="adding") as adding:
            files = gr.File(
                label=label("Drop articles here, or click to choose them"),
                file_count="multiple",
                show_label=False,
                container=False,
                elem_id="files",
            )
            with gr.Row(elem_id="addresses"):
                addresses = gr.Textbox(
                    label=label("Web addresses"),
                    show_label=False,
                    container=False,
                    placeholder=label("or paste a web address"),
                    lines=1,
                    max_lines=5,
                    elem_id="address-box",
                )
                add = gr.Button(label("Add"), elem_id="add")
        trouble = html("shelf-trouble")
        work = html("work", script=script)
        with gr.Column(elem_id="found"):
            search = html("look", fixed("library search", rendering.library_search_html), script)
            articles = html("articles", script=script)
        article = html("article", script=script)
    return Widgets(summary, adding, files, addresses, add, trouble, work, search, articles, article)


class Handlers:
    """What the view does; each method yields updates."""

    def __init__(self, shelf: Shelf, widgets: Widgets, door: Door, choice: Choice, tabs: gr.Tabs) -> None:
        self._shelf = shelf
        self._on = widgets
        self._door = door
        self._choice = choice
        self._tabs = tabs
        self._views: OrderedDict[str | None, View] = OrderedDict()

    @in_readers_language
    def show(self, chosen: tuple[Chosen, ...], request: gr.Request) -> Iterator[Updates]:
        """The view as it is now, then with what has become stale, then how a change goes on that is under way."""
        self._remember(request, replace(self._view(request), chosen=chosen))
        adding = {self._on.adding: gr.update(visible=self._may(request))}
        yield {**adding, **self._drawn(request)}
        if not (self._shelf.work and self._shelf.work.running):
            self._shelf.look()
        yield {**adding, **self._drawn(request)}  # again: Gradio may have been mounting the view at the first time
        yield from self._followed(request)

    @in_readers_language
    def upload(self, paths: list[str] | None, request: gr.Request) -> Iterator[Updates]:
        """Take in files that were dropped."""
        yield {self._on.files: None}
        given, user = list(dict.fromkeys(paths or [])), request.username

        def used() -> None:
            for path in given:
                self._door.uploads.discard(path, user)

        if given and not (
            yield from self._begun(request, partial(self._shelf.add, [*map(Path, given)], (), user, used))
        ):
            used()

    @in_readers_language
    def paste(self, typed: str | None, request: gr.Request) -> Iterator[Updates]:
        """Take in the pages of addresses."""
        addresses = (typed or "").split()
        yield {self._on.addresses: gr.skip()}  # a handler that yields nothing would empty all its outputs
        if addresses and (yield from self._begun(request, partial(self._shelf.add, (), addresses, request.username))):
            yield {self._on.addresses: ""}

    @in_readers_language
    def act(self, chosen: tuple[Chosen, ...], event: gr.EventData, request: gr.Request) -> Iterator[Updates]:
        """What was pressed, ticked or typed in the markup; see `rag.rendering.library`."""
        value = getattr(event, "value", None)
        verb, _, what = value.partition(":") if isinstance(value, str) else ("", "", "")
        self._remember(request, replace(self._view(request), chosen=chosen))
        yield {self._on.trouble: gr.skip()}
        try:
            yield from self._acted(verb, what, request)
        except RagError as error:
            yield self._trouble(str(error))
        except Exception as error:
            log_failure(_log, "The library could not be shown", error, self._door.log_texts)
            yield self._trouble(UNFORESEEN)

    def _acted(self, verb: str, what: str, request: gr.Request) -> Iterator[Updates]:
        view, user = self._view(request), request.username
        if verb in ("find", "only", "page"):
            page = int(what) if verb == "page" and what.isdecimal() and len(what) < 9 else 1
            typed = what[:200] if verb == "find" else view.typed
            only = what if verb == "only" else view.only
            yield self._moved(request, replace(view, page=page, typed=typed, only=only))
        elif verb in ("open", "close", "remove"):
            self._remember(request, replace(view, opened=what))
            yield {self._on.article: self._article(request, focus=verb == "open", confirming=verb == "remove")}
        elif verb in ("choose", "drop", "ask", "unask"):
            yield from self._chose(verb, what, request)
        elif verb == "really":
            yield from self._begun(request, partial(self._shelf.remove, what, user))
        elif verb == "sync":
            yield from self._begun(request, partial(self._shelf.sync, user))
        elif verb in ("cancel", "dismiss"):
            if self._may(request):
                self._shelf.cancel() if verb == "cancel" else self._shelf.dismiss()
            yield {self._on.work: self._work(request), self._on.trouble: ""}

    def _chose(self, verb: str, what: str, request: gr.Request) -> Iterator[Updates]:
        view = self._view(request)
        others = tuple(one for one in view.chosen if one.id != what)
        if verb in ("choose", "ask"):
            opened = self._shelf.open(what, request.username)
            this = (Chosen(what, opened.document.title),) if opened else ()
            chosen = this if verb == "ask" else (*others, *this)[-MOST_CHOSEN:]
        else:
            chosen = others
        self._remember(request, replace(view, chosen=chosen))
        updates = self._choice.shown(chosen)
        if verb in ("ask", "unask"):
            updates |= {self._on.articles: self._list(request), self._on.article: self._article(request)}
        elif view.opened == what:
            updates |= {self._on.article: self._article(request)}
        if verb == "ask":
            updates |= {self._tabs: gr.Tabs(selected="ask")}
        yield updates

    def _begun(self, request: gr.Request, begin: Callable[[], None]) -> Generator[Updates, None, bool]:
        """Begin a change and follow it; whether it could be begun."""
        if not self._may(request):
            yield self._trouble(said(NOT_YOURS))
            return False
        try:
            begin()
        except RagError as error:
            yield self._trouble(str(error))
            return False
        yield from self._followed(request)
        return True

    def _followed(self, request: gr.Request) -> Iterator[Updates]:
        seen = None
        while (work := self._shelf.work) and work.running:
            if work != seen:
                yield {self._on.work: self._work(request), self._on.trouble: ""}
            seen = work
            time.sleep(GLANCE)
        if seen is not None:
            yield self._drawn(request)

    def _drawn(self, request: gr.Request) -> Updates:
        on, listing = self._on, self._shelf.listing(reader=request.username)
        behind = self._shelf.behind(request.username)
        summary = rendering.library_summary_html(listing, behind, self._may(request))
        return {
            on.summary: summary,
            on.work: self._work(request),
            on.articles: self._list(request),
            on.article: self._article(request, gone=""),
            on.trouble: "",
        }

    def _moved(self, request: gr.Request, view: View) -> Updates:
        self._remember(request, view)
        return {self._on.articles: self._list(request)}

    def _list(self, request: gr.Request) -> str:
        view = self._view(request)
        chosen = frozenset(one.id for one in view.chosen)
        only = chosen if view.only == "chosen" else None
        stale = view.only == "stale"
        listing = self._shelf.listing(view.typed, view.page, only, stale, request.username)
        return rendering.library_list_html(listing, chosen, view.typed, view.only)

    def _article(
        self, request: gr.Request, focus: bool = False, confirming: bool = False, gone: str | None = None
    ) -> str:
        view = self._view(request)
        if not view.opened:
            return ""
        opened: Opened | None = self._shelf.open(view.opened, request.username)
        if opened is None:
            self._remember(request, replace(view, opened=""))
            return rendering.article_gone_html() if gone is None else gone
        self._door.cited.note(request.username, [opened.document])
        chosen = any(one.id == view.opened for one in view.chosen)
        return rendering.article_html(opened, chosen, self._may(request), focus, confirming)

    def _work(self, request: gr.Request) -> str:
        return rendering.work_html(self._shelf.work_for(request.username), self._may(request))

    def _trouble(self, message: str) -> Updates:
        return {self._on.trouble: rendering.trouble_html(message)}

    def _may(self, request: gr.Request) -> bool:
        return self._door.may_change(request.username)

    def _view(self, request: gr.Request) -> View:
        return self._views.get(request.session_hash, View())

    def _remember(self, request: gr.Request, view: View) -> None:
        self._views[request.session_hash] = view
        self._views.move_to_end(request.session_hash)
        while len(self._views) > MOST_TABS:
            self._views.popitem(last=False)


def build(desk: Desk, door: Door, choice: Choice, tab: gr.Tab) -> None:
    """Put the view with its events into the page that is being built, within `tab`."""
    on = lay_out()
    tabs = tab.parent
    assert isinstance(tabs, gr.Tabs)  # noqa: S101  # nosec B101
    do = Handlers(Shelf(desk, whole_paths=door.logins is None), on, door, choice, tabs)
    outputs = [
        on.summary, on.adding, on.files, on.addresses, on.trouble, on.work, on.articles, on.article,
        choice.state, choice.chip, tabs,
    ]  # fmt: skip
    tab.select(do.show, choice.state, outputs, **QUIET)
    on.files.upload(do.upload, on.files, outputs, **QUIET)
    gr.on([on.addresses.submit, on.add.click], do.paste, on.addresses, outputs, **QUIET)
    pressed = [part.select for part in (on.summary, on.work, on.search, on.articles, on.article)]
    gr.on(pressed, do.act, choice.state, outputs, trigger_mode="multiple", **QUIET)
