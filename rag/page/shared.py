"""What all views of the page use."""

from typing import Any, TypeAlias

import gradio as gr

Updates: TypeAlias = dict[Any, Any]
"""Widget → its new value; widgets left out stay as they are."""

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
"""For events: no limit by Gradio's queue, since the desk holds the line, and says so on the page."""


def html(elem_id: str, value: str = "", script: str | None = None) -> gr.HTML:
    """Markup from `rag.rendering`, without the style that Gradio gives markup."""
    return gr.HTML(value, elem_id=elem_id, js_on_load=script, apply_default_css=False)
