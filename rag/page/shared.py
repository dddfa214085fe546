"""What all views of the page use."""

import logging
from collections.abc import Callable, Collection
from typing import Any, TypeAlias

import gradio as gr
from gradio.i18n import I18nData

from rag.desk import UNFORESEEN
from rag.errors import RagError
from rag.guarding import BROWSER, Door, is_loopback, reader_name
from rag.logs import log_failure

Updates: TypeAlias = dict[Any, Any]
"""Widget → its new value; widgets left out stay as they are."""

QUIET: dict[str, Any] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "api_name": "page",  # Gradio counts them up, and so leaves names such as "ask" to `rag.page.api`
    "concurrency_limit": None,
}
"""For events: no limit by Gradio's queue, since the desk holds the line, and says so on the page."""

_log = logging.getLogger("citeline")


def numbered(page: gr.Blocks, names: Collection[str]) -> tuple[int, ...]:
    """Gradio's numbers of the events with these names."""
    return tuple(number for number, function in page.fns.items() if function.api_name in names)


def html(elem_id: str, value: str | I18nData = "", script: str | None = None) -> gr.HTML:
    """Markup from `rag.rendering`, without the style that Gradio gives markup."""
    return gr.HTML(value, elem_id=elem_id, js_on_load=script, apply_default_css=False)


def client_of(request: gr.Request) -> str:
    """Who takes turns with others: a user where there is a login, else a machine, and on this machine a tab."""
    host = request.client.host if request.client else ""
    if request.username:
        return f"user {request.username}"
    return f"tab {request.session_hash}" if is_loopback(host) else f"machine {host}"


def owner_of(request: gr.Request) -> str:
    """Whose conversations are shown: a user's where there is a login, else a browser's; without cookies a tab's."""
    browser = request.request.scope.get(BROWSER) if request.request else None
    return reader_name(request.username, browser or "") or f"tab {request.session_hash}"


def tried(door: Door, work: Callable[[], Any], otherwise: Any) -> Any:
    """What `work` gives, or `otherwise` where it fails: for what the page can do without."""
    try:
        return work()
    except RagError as error:
        _log.info("%s", error)
    except Exception as error:
        log_failure(_log, UNFORESEEN, error, door.log_texts)
    return otherwise
