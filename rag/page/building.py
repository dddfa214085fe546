"""The whole page: the views side by side."""

from functools import partial

import gradio as gr

from rag import rendering
from rag.desk import Desk
from rag.guarding import Door
from rag.page import api, asking, bulk, choosing, library
from rag.page.shared import html
from rag.page.speech import fixed, label
from rag.talks import Talks

MOST_CONNECTIONS = 500
"""Open at once; a tab has two or three. More are answered 503."""

MOST_CONVERSATIONS = 100
"""Remembered at once, each some 100 kB; the tab unused for longest begins anew. Gradio would keep 10,000."""


def build_page(desk: Desk, talks: Talks, door: Door) -> gr.Blocks:
    """The page with its events. `serving` runs it, which also gives it its looks."""
    page = gr.Blocks(title="Citeline", analytics_enabled=False, fill_width=True)
    page.state_session_capacity = MOST_CONVERSATIONS
    page._queue.ANALYTICS_MAX_EVENTS = 10  # times nobody looks at; Gradio would keep 10,000, and sum them up each time
    with page:
        masthead = partial(rendering.masthead_html, logged_in=door.logins is not None)
        html("masthead", fixed("masthead", masthead))
        choice = choosing.make()
        with gr.Tabs(elem_id="views"):
            with gr.Tab(label("Ask"), id="ask", elem_id="ask-view"):
                asking.build(page, desk, talks, door, choice)
            with gr.Tab(label("Library"), id="library", elem_id="library-view") as shelf:
                library.build(desk, door, choice, shelf)
            with gr.Tab(label("In bulk"), id="bulk", elem_id="bulk-view") as files:
                bulk.build(desk, door, files)
        choice.wire()
        api.build(desk, door)
    return page
