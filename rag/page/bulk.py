"""In bulk: files of questions answered beside the readers of the page, and evaluations opened and compared."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gradio as gr

from rag import rendering
from rag.bulk import Going, Jobs, Reports
from rag.desk import Desk
from rag.errors import RagError
from rag.guarding import Door
from rag.languages import later, said
from rag.page.shared import QUIET, Updates, html
from rag.page.speech import fixed, in_readers_language, label
from rag.tasks import State

REPORTS = Path("reports")
"""Where `rag eval` writes, too."""

REDRAW = 0.5
"""Seconds between two looks at the work on a file."""

FORMATS = {
    ".csv": ("CSV", "text/csv"),
    ".xlsx": ("Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ".jsonl": (later("JSONL with everything"), "application/x-ndjson"),
}

_GOING = {"go-on": Going.AS_BEFORE, "mixed": Going.MIXED, "afresh": Going.AFRESH}


@dataclass(frozen=True, slots=True)
class Widgets:
    """What stands in the view, from top to bottom; which of it shows follows from what it holds, in bulk.css."""

    trouble: gr.HTML
    file: gr.File
    looked: gr.HTML
    strict: gr.Checkbox
    scored: gr.Checkbox
    run: gr.Button
    put_back: gr.Button
    running: gr.HTML
    stop: gr.Button
    files: gr.HTML
    reports: gr.HTML
    before: gr.Dropdown
    after: gr.Dropdown
    compare: gr.Button
    compared: gr.HTML


def lay_out() -> Widgets:
    """Put the widgets into the view that is being built."""
    with gr.Column(elem_id="bulk"):
        html("bulk-intro", fixed("bulk", rendering.bulk_intro_html))
        trouble = html("bulk-trouble")
        with gr.Column(elem_id="bulk-new"):
            file = gr.File(label=label("File of questions"), show_label=False, container=False, elem_id="bulk-file")
            looked = html("bulk-looked")
            with gr.Column(elem_id="bulk-options"):
                strict = gr.Checkbox(value=True, label=label("Leave out sentences that no article supports"))
                scored = gr.Checkbox(
                    value=True, label=label("Score the answers and make a report"), elem_id="bulk-scored"
                )
                with gr.Row(elem_id="bulk-buttons"):
                    run = gr.Button(label("Answer them all"), elem_id="bulk-run")
                    put_back = gr.Button(label("Choose another file"), elem_id="bulk-back")
        with gr.Column(elem_id="bulk-work"):
            running = html("bulk-running")
            stop = gr.Button(label("Stop"), elem_id="bulk-stop")
        files = html("bulk-files", "", rendering.files_script())
        html("bulk-evaluations", fixed("evaluations", rendering.evaluations_intro_html))
        reports = html("bulk-reports")
        with gr.Row(elem_id="bulk-choice"):
            before = gr.Dropdown([], label=label("Before"), elem_id="bulk-before")
            after = gr.Dropdown([], label=label("After"), elem_id="bulk-after")
            compare = gr.Button(label("Compare"), elem_id="bulk-compare")
        compared = html("bulk-compared")
    return Widgets(
        trouble, file, looked, strict, scored, run, put_back, running, stop, files, reports, before, after,
        compare, compared,
    )  # fmt: skip


class Handlers:
    """What the view does; each method returns or yields updates."""

    def __init__(self, jobs: Jobs, reports: Reports, widgets: Widgets, door: Door) -> None:
        self._jobs = jobs
        self._reports = reports
        self._on = widgets
        self._door = door
        self._watching: dict[str | None, object] = {}  # by session, while it watches
        self._tokens: dict[tuple[str | None, str, str], str] = {}  # by reader, what it belongs to, and suffix

    @in_readers_language
    async def watch(self, request: gr.Request) -> AsyncIterator[Updates]:
        """All there is, then the work on a file to its end, or until the same tab begins to watch again."""
        reader, session, turn = request.username, request.session_hash, object()
        self._watching[session] = turn
        shown = None
        try:
            yield {**await asyncio.to_thread(self._drawn, reader), **self._choices(reader)}
            while standing := await asyncio.to_thread(self._jobs.running, reader):
                if standing != shown:
                    shown = standing
                    yield {self._on.running: rendering.running_html(standing)}
                await asyncio.sleep(REDRAW)
                if self._watching.get(session) is not turn:
                    return
            if shown:
                yield {**await asyncio.to_thread(self._drawn, reader), **self._choices(reader)}
        finally:
            if self._watching.get(session) is turn:
                del self._watching[session]

    @in_readers_language
    def receive(self, path: str | None, request: gr.Request) -> Iterator[Updates]:
        """Look through a file that was handed in."""
        yield {self._on.trouble: gr.skip()}  # a handler that yields nothing would empty all its outputs
        if path is None:
            return
        yield {
            self._on.file: None,
            self._on.trouble: rendering.working_html(said("Looking through {name}", name=Path(path).name)),
        }
        try:
            trouble = self._tried(lambda: self._jobs.receive(request.username, Path(path)))
        finally:
            self._door.uploads.discard(path, request.username)
        yield {self._on.trouble: trouble, **self._upload(request.username)}

    @in_readers_language
    def put_back(self, request: gr.Request) -> Updates:
        """Forget the file that was handed in."""
        self._jobs.put_back(request.username)
        return {self._on.trouble: "", **self._upload(request.username)}

    @in_readers_language
    async def run(self, strict: bool, scored: bool, request: gr.Request) -> AsyncIterator[Updates]:
        """Begin to answer the file that was handed in, and follow that."""
        start = partial(self._jobs.start, request.username, strict=bool(strict), scored=bool(scored))
        yield {self._on.trouble: await asyncio.to_thread(self._tried, start)}
        async for updates in self.watch(request):
            yield updates

    def stop(self, request: gr.Request) -> None:
        """End the work on this reader's file; `watch` shows that."""
        if standing := self._jobs.running(request.username):
            self._jobs.stop(request.username, standing.id)

    @in_readers_language
    async def act(self, event: gr.EventData, request: gr.Request) -> AsyncIterator[Updates]:
        """Do what a button beside a file says."""
        yield {self._on.trouble: gr.skip()}
        chosen = event.value if isinstance(event.value, list) else []
        does, name = chosen if len(chosen) == 2 and all(isinstance(part, str) for part in chosen) else ("", "")
        if does == "remove":
            action = partial(self._jobs.remove, request.username, name)
        elif does in _GOING:
            action = partial(self._jobs.go_on, request.username, name, _GOING[does])
        else:
            return
        yield {self._on.trouble: await asyncio.to_thread(self._tried, action)}
        async for updates in self.watch(request):
            yield updates

    @in_readers_language
    def compare(self, before: str | None, after: str | None, request: gr.Request) -> Iterator[Updates]:
        """What changed from one report to another; takes some seconds."""
        if not before or not after or before == after:
            choose, title = later("Choose two different evaluations."), later("Nothing to compare")
            yield {self._on.compared: rendering.error_card(choose, title)}
            return
        yield {self._on.compared: rendering.working_html(said("Comparing"))}
        try:
            yield {self._on.compared: rendering.compared_html(self._reports.compared(before, after, request.username))}
        except RagError as error:
            yield {self._on.compared: rendering.error_card(str(error), later("These can’t be compared"))}

    def _tried(self, action: Callable[[], object]) -> str:
        """Empty, or what went wrong."""
        try:
            action()
        except RagError as error:
            return rendering.error_card(str(error), later("That was not possible"))
        return ""

    def _drawn(self, reader: str | None) -> Updates:
        standings = self._jobs.standings(reader)
        running = next((standing for standing in standings if standing.state is State.RUNNING), None)
        others = [standing for standing in standings if standing is not running]
        links = {one.id: self._downloads(reader, one.id, one.name) for one in others if one.done}
        reports = self._reports.listed(reader)
        return {
            self._on.running: rendering.running_html(running),
            self._on.files: rendering.files_html(others, links),
            self._on.reports: rendering.reports_html(
                reports, {report.key: self._opened(reader, report.key) for report in reports}
            ),
            **self._upload(reader),
        }

    def _choices(self, reader: str | None) -> Updates:
        keys = [report.key for report in self._reports.listed(reader)]
        latest, earlier = (keys[0], keys[1]) if len(keys) > 1 else (None, None)
        return {
            self._on.before: gr.update(choices=keys, value=earlier),
            self._on.after: gr.update(choices=keys, value=latest),
        }

    def _upload(self, reader: str | None) -> Updates:
        upload = self._jobs.received(reader)
        scorable = upload is not None and upload.scorable
        return {
            self._on.looked: rendering.upload_html(upload),
            self._on.scored: gr.update(visible=scorable, value=scorable),
        }

    def _downloads(self, reader: str | None, name: str, file: str) -> list[tuple[str, str]]:
        """Label and address of each format."""
        return [
            (said(format_name), self._address(reader, name, f"{Path(file).stem}-answers{suffix}", content_type, suffix))
            for suffix, (format_name, content_type) in FORMATS.items()
        ]

    def _address(self, reader: str | None, name: str, file: str, content_type: str, suffix: str) -> str:
        key = (reader, name, suffix)
        if not self._door.handed.holds(self._tokens.get(key, "")):
            content = partial(self._jobs.answers, reader, name, suffix)
            self._tokens[key] = self._door.handed.put(reader, file, content, content_type)
        return f"handed/{self._tokens[key]}"

    def _opened(self, reader: str | None, report: str) -> str:
        """The address of a report's page; empty for one that can't be shown."""
        key = (reader, report, ".html")
        if not self._door.handed.holds(self._tokens.get(key, "")):
            try:
                policy = self._reports.policy(report, reader)
            except RagError:
                return ""
            name, page = f"{report}.html", partial(self._reports.page, report, reader)
            self._tokens[key] = self._door.handed.put(reader, name, page, "text/html; charset=utf-8", policy)
        return f"handed/{self._tokens[key]}"


def build(desk: Desk, door: Door, tab: gr.Tab) -> None:
    """Put the view with its events into the page that is being built, within `tab`; go on with what the last left."""
    on = lay_out()
    reports = Reports(REPORTS, desk.rights)
    jobs = Jobs(desk, desk.settings, reports)
    do = Handlers(jobs, reports, on, door)
    drawn = [on.trouble, on.looked, on.scored, on.running, on.files, on.reports, on.before, on.after]
    tab.select(do.watch, None, drawn, **QUIET)
    on.file.upload(do.receive, on.file, [on.file, *drawn], **QUIET)
    on.put_back.click(do.put_back, None, drawn, **QUIET)
    on.run.click(do.run, [on.strict, on.scored], drawn, **QUIET)
    on.stop.click(do.stop, **QUIET)
    on.files.select(do.act, None, drawn, **QUIET)
    on.compare.click(do.compare, [on.before, on.after], on.compared, **QUIET)
    jobs.resume()
