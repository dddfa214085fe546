"""A question that is being typed is prepared: the page tells what stands in the box, and nothing of it shows."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import gradio as gr

from rag import rendering
from rag.desk import Desk
from rag.holdings import Chosen
from rag.page.choosing import Choice, documents_of
from rag.page.shared import QUIET, Updates, client_of, html, numbered
from rag.page.shown import Shown

NAME = "typing"
"""Of the event, as the gate has to know it from presses of a button."""


def build(desk: Desk, shown: gr.State, choice: Choice) -> None:
    """Put it on the page that is being built, behind the view that asks; with `ahead = false` nothing is told."""
    if not desk.settings.ahead:
        return
    ear = html("ahead", script=rendering.ahead_script())

    def prepare(shown: Shown, chosen: Sequence[Chosen], event: gr.EventData, request: gr.Request) -> Iterator[Updates]:
        unchanged: Updates = {ear: gr.skip()}
        yield unchanged
        question, client = event.value, client_of(request)
        if not isinstance(question, str) or not question.strip():
            desk.forget(client)
            return
        history, only = rendering.turns(shown.earlier), documents_of(chosen)
        with closing(desk.prepare(question, history, client, only, request.username)) as beats:
            for _ in beats:
                yield unchanged

    options = {**QUIET, "trigger_mode": "multiple", "api_name": NAME}
    ear.select(prepare, [shown, choice.state], [ear], **options)


def numbers(page: gr.Blocks) -> tuple[int, ...]:
    """Gradio's numbers of such events."""
    return numbered(page, (NAME,))
