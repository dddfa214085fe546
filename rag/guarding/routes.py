"""Which requests are passed on: those of the page, and those by which programs ask, in Gradio's way or in OpenAI's."""

import re
from collections.abc import Collection
from typing import TypeAlias

from starlette.requests import Request

SESSION = r"[A-Za-z0-9-]{1,40}"
"""Its name, which the page's own script or a program makes up."""

READ = ("GET", "HEAD")
UPLOAD = "/gradio_api/upload"
JOIN = "/gradio_api/queue/join"

MCP = "/gradio_api/mcp"
"""Where MCP's requests are answered; with a slash at its end too."""
CALL = "/gradio_api/call/"
"""Of its two ways to call only "v2", with the parameters by name, is open: what doesn't fit the other one Gradio prints
with all that was sent."""
CONFIGURATION = ("/config", "/gradio_api/info")
"""What gradio_client reads before it asks; the query is dropped, for Gradio takes names of files in it."""
OPENAI = "/v1/"
"""Beginning of the addresses that OpenAI's clients ask for."""
CHAT = "/v1/chat/completions"

LEAVING = "/leaving"
"""What a tab sends as it goes."""

ALIVE, READY = "/healthz", "/readyz"
"""What may be asked by anybody, also where there is a login."""
METRICS = "/metrics"

Route: TypeAlias = tuple[tuple[str, ...], re.Pattern[str]]
"""Methods, and the whole path."""

_OF_THE_PAGE: tuple[Route, ...] = tuple(
    (methods, re.compile(path))
    for methods, path in (
        (READ, r"/"),
        (READ, r"/(?:assets|static)/[A-Za-z0-9._/-]+"),
        (READ, r"/(?:favicon\.ico|manifest\.json|(?:gradio_api/)?theme\.css)"),
        (READ, rf"/gradio_api/heartbeat/(?P<session>{SESSION})"),
        (READ, r"/gradio_api/queue/data"),
        (READ, r"/gradio_api/(?:startup-events|app_id)"),
        (READ, r"/gradio_api/upload_progress"),
        (READ, rf"{ALIVE}|{READY}"),
        (("POST",), r"/gradio_api/(?:queue/join|cancel|reset)/?"),
        (("POST",), UPLOAD),
        (("POST",), LEAVING),
    )
)


class Routes:
    """What is open; everything else answers 404."""

    def __init__(self, functions: Collection[str], metrics: bool = False) -> None:
        """`functions` are the names of those that programs may call; none of their routes is open where it is empty."""
        self._to_programs = bool(functions)
        self._metrics = metrics
        measured: tuple[Route, ...] = ((READ, re.compile(METRICS)),) if metrics else ()
        self._open = (*_OF_THE_PAGE, *_of_programs(functions), *measured)

    def methods(self, path: str) -> tuple[str, ...]:
        """By which the path may be asked for; none where nothing is there."""
        if ".." in path or "\\" in path or "//" in path or "%" in path:
            return ()
        return next((methods for methods, pattern in self._open if pattern.fullmatch(path)), ())

    def session(self, request: Request) -> str | None:
        """The session that the request's address names."""
        path = request.scope["path"]
        for _, pattern in self._open:
            if (found := pattern.fullmatch(path)) and "session" in found.groupdict():
                return found["session"]
        if path.startswith(UPLOAD):
            return f"upload {request.query_params['upload_id']}" if "upload_id" in request.query_params else None
        return request.query_params.get("session_hash")

    def open_with_token(self, path: str) -> bool:
        """Whether a user's token opens the path, as their cookie does."""
        needed = path == "/config" or (path.startswith(("/gradio_api/", OPENAI)) and not path.startswith(UPLOAD))
        return (self._to_programs and needed) or (self._metrics and path == METRICS)


def _of_programs(functions: Collection[str]) -> tuple[Route, ...]:
    if not functions:
        return ()
    name = f"(?:{'|'.join(map(re.escape, functions))})"
    return tuple(
        (methods, re.compile(path))
        for methods, path in (
            (READ, "|".join(CONFIGURATION)),
            (("POST",), rf"{CALL}v2/{name}"),
            (("GET",), rf"{CALL}(?:v2/)?{name}/(?P<session>{SESSION})"),
            (("POST",), rf"{MCP}/?"),
            *(((("POST",), CHAT), (READ, rf"{OPENAI}models(?:/[A-Za-z0-9._-]+)?")) if "ask" in functions else ()),
        )
    )
