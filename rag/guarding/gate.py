"""The gate in front of the page: an ASGI application that lets through only what the page itself asks for.

Every request passes the same checks in this order: is it addressed to us, does it come from our page, is it one of the
few requests the page makes, is it not one too many, who sent it, is its body of a sane size. Gradio's other
routes, such as those for files and proxying, are never reached; those by which programs call a function only where
`Door.api` names it.
"""

import json
import logging
import math
import re
import secrets
from collections import OrderedDict
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import IPv6Address, IPv6Network, ip_address
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.guarding.bodies import BodyRefused, read_body, replayed
from rag.guarding.cited import DOCUMENT_ID, Cited
from rag.guarding.departures import Departures, reader_name
from rag.guarding.files import disposition
from rag.guarding.handed import TOKEN_PATTERN, Handed
from rag.guarding.headers import ALWAYS, NOTHING, inline_scripts, login_policy, page_policy
from rag.guarding.logins import LASTS, Logins
from rag.guarding.origins import comes_from_here, may_be_called
from rag.guarding.rates import Rates
from rag.guarding.refusals import refusal, too_many
from rag.guarding.routes import (
    ALIVE,
    CALL,
    CHAT,
    CONFIGURATION,
    JOIN,
    LEAVING,
    MCP,
    OPENAI,
    READ,
    READY,
    SESSION,
    UPLOAD,
    Routes,
)
from rag.guarding.streams import Streams
from rag.guarding.uploads import Reading, Uploads, files_named
from rag.languages import later, preferred, speaking
from rag.logs import log_failure
from rag.rendering import LOGIN_STYLE, login_page, page_script

MOST_BYTES = 64 * 1024
"""Of what a page sends: a question of 2,000 characters takes 24 kB at most, as JSON with everything escaped."""
MOST_TALK_BYTES = 1024 * 1024
"""Of what a chat client sends: each time the whole conversation."""
MOST_SESSIONS = 10_000
"""Sessions whose users are remembered."""

MISMATCH = later("The name and the password don’t go together.")

USER = "citeline.user"
"""In the ASGI scope: the name of who is logged in, or None."""
BROWSER = "citeline.browser"
"""In the ASGI scope: a secret that tells a browser from all others, also tomorrow; empty where it keeps no cookies."""
_A_YEAR = 365 * 24 * 3600

_BROWSER = r"[A-Za-z0-9_-]{43}"

_CITED = re.compile(rf"/cited/(?P<id>{DOCUMENT_ID.pattern})")
_HANDED = re.compile(rf"/handed/(?P<token>{TOKEN_PATTERN})")
_FORWARDED = (b"forwarded", b"x-forwarded-", b"x-real-ip", b"x-direct-url", b"x-gradio-", b"authorization")
"""Beginnings of headers by which a client could claim to be another, or make Gradio name another host; and tokens."""

_log = logging.getLogger("citeline")


@dataclass(frozen=True, slots=True)
class Door:
    """Who may come in, and how often."""

    listening: str
    """The address the page listens on."""
    names: Collection[str] = ()
    """Host names under which it may be addressed besides."""
    logins: Logins | None = None
    """None where everyone may come in."""
    cited: Cited = field(default_factory=Cited)
    handed: Handed = field(default_factory=Handed)
    departures: Departures = field(default_factory=Departures)
    uploads: Uploads = field(default_factory=Uploads)
    questions: Rates = field(default_factory=lambda: Rates(60, 20))
    """Presses of a button, by client."""
    typing: Rates = field(default_factory=lambda: Rates(300, 60))
    """Questions told while they are being typed, by client; a tab tells some forty a minute."""
    requests: Rates = field(default_factory=lambda: Rates(3_000, 1_500))
    """All requests, by client; opening the page takes some hundred."""
    attempts: Rates = field(default_factory=lambda: Rates(10, 10))
    """To log in, by client."""
    log_texts: bool = False
    editors: Collection[str] = ()
    """Users who may change the library; empty where everyone may who comes in."""
    metrics: bool = False
    """Whether Prometheus may collect, with a user's token where there is a login."""
    api: Collection[str] = ()
    """Names of the functions that programs may call, by REST and as tools of MCP; empty where they may call none."""

    def may_change(self, user: str | None) -> bool:
        """Whether the library may be changed by `user`, which is None where there is no login."""
        return self.logins is None or not self.editors or user in self.editors


class Gate:
    """Wraps the ASGI application `page`."""

    def __init__(
        self, page: ASGIApp, door: Door, functions: Collection[int] = (), typing: Collection[int] = ()
    ) -> None:
        """`functions` are Gradio's numbers of those that `door.api` names: a token starts none but these.

        `typing` are those that the page starts by itself while a question is being typed.
        """
        self._page = page
        self._door = door
        self._sessions: OrderedDict[str, str] = OrderedDict()  # session → the user who began it
        self._streams = Streams()
        self._routes = Routes(door.api, door.metrics)
        self._functions = functions
        self._typing = typing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._page(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = _Answer(send)
        try:
            await self._admit(scope, receive, answer)
        except BodyRefused as refused:
            await refusal(refused.status, str(refused), scope["path"], refused.wait)(scope, receive, answer.send)
        except Exception as error:
            log_failure(_log, "A request could not be answered", error, self._door.log_texts)
            if not answer.begun:
                await refusal(500, "Citeline didn’t foresee this error.", scope["path"])(scope, receive, answer.send)

    async def _admit(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        request = Request(scope, receive)
        client = _client(request)
        if stranger := self._refuse_strangers(request, client):
            await stranger(scope, receive, answer.send)
            return
        user, by_token = None, False
        if (logins := self._door.logins) and request.scope["path"] not in (ALIVE, READY):
            user, by_token = await run_in_threadpool(self._user, request, logins)
            if user is None or request.url.path in ("/login", "/logout"):
                response = await self._log_in(request, logins, client)
                await response(scope, receive, answer.send)
                return
        if found := _CITED.fullmatch(request.url.path):
            response = await run_in_threadpool(self._cited_file, request, user, found["id"])
            await response(scope, receive, answer.send)
            return
        if found := _HANDED.fullmatch(request.url.path):
            response = await run_in_threadpool(self._handed_file, request, user, found["token"])
            await response(scope, receive, answer.send)
            return
        if unknown := self._refuse_unknown(request):
            await unknown(scope, receive, answer.send)
            return
        if request.url.path == UPLOAD:
            await self._upload(request, user, client, answer.send)
            return
        session = self._routes.session(request)
        browser = request.cookies.get(self._cookie(request, "browser"), "")
        if not re.fullmatch(_BROWSER, browser):
            browser = ""
            if request.url.path == "/":
                browser = answer.cookie(self._cookie(request, "browser"), request.url.scheme == "https")
        if request.url.path == LEAVING:
            self._door.departures.note(reader_name(user, browser))
            await Response(status_code=204)(scope, receive, answer.send)
            return
        send: Send = answer.page if request.url.path == "/" else answer.send
        with ExitStack() as stack:
            if request.method == "POST":
                receive, begun = await self._checked_body(request, receive, user, client, by_token)
                send = self._streams.awaited(begun, send) if begun else send
            elif session:
                self._claim(session, user)
                if request.url.path == "/gradio_api/queue/data":
                    send = stack.enter_context(self._streams.followed(session, receive, send))
            await self._page(_passed_on(scope, user, browser), receive, send)

    def _refuse_strangers(self, request: Request, client: str) -> Response | None:
        hosts = request.headers.getlist("host")
        path = request.scope["path"]
        if len(hosts) != 1 or not may_be_called(hosts[0], self._door.listening, self._door.names):
            return refusal(421, "This page isn’t served under that name. Name it in RAG_HOSTS if it should be.", path)
        if not comes_from_here(request.headers, request.method):
            return refusal(403, "Another site sent this request.", path)
        if wait := self._door.requests.wait(client):
            return too_many(wait, path)
        return None

    async def _log_in(self, request: Request, logins: Logins, client: str) -> Response:
        cookie, path = self._cookie(request), request.url.path
        if request.method == "POST" and path == "/logout":
            await run_in_threadpool(logins.end, request.cookies.get(cookie))
            gone = RedirectResponse("/", HTTPStatus.SEE_OTHER)
            gone.delete_cookie(cookie)
            return gone
        if request.method == "POST" and path == "/login":
            if wait := self._door.attempts.wait(client):
                return too_many(wait)
            name, password = _credentials(await read_body(request.receive, 4096))
            token = await run_in_threadpool(logins.begin, name, password)
            if token is None:
                return _login_response(request, MISMATCH, HTTPStatus.UNAUTHORIZED)
            entered = RedirectResponse("/", HTTPStatus.SEE_OTHER)
            secure = request.url.scheme == "https"
            entered.set_cookie(cookie, token, int(LASTS), httponly=True, samesite="lax", secure=secure)
            return entered
        if request.method in READ and path in ("/", "/login"):
            return _login_response(request, "", HTTPStatus.OK)
        if self._routes.open_with_token(path):
            message = "Send a token as `Authorization: Bearer …`. `rag user token NAME` makes one."
            if path.startswith(OPENAI):
                return refusal(401, message, path)
            return JSONResponse({"detail": message}, 401, {"WWW-Authenticate": "Bearer"})
        return refusal(401, "Log in first.")

    def _user(self, request: Request, logins: Logins) -> tuple[str | None, bool]:
        """Who is logged in, or whose token it is, and whether it is a token: that opens only what programs need."""
        if user := logins.user(request.cookies.get(self._cookie(request))):
            return user, False
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self._routes.open_with_token(request.scope["path"]):
            return None, False
        return logins.holder(token.strip()), True

    def _cookie(self, request: Request, kind: str = "") -> str:
        parts = ("citeline", kind, str(request.url.port or request.url.scheme))  # cookies keep no ports apart
        return "-".join(filter(None, parts))

    def _cited_file(self, request: Request, user: str | None, document_id: str) -> Response:
        file = self._door.cited.file(user, document_id) if request.method in READ else None
        if file is None:
            message = "No file is here that you have seen cited, or it has changed. Run `rag index` and ask again."
            return refusal(404, message)
        headers = {"Content-Disposition": disposition(file.name, file.shown), "Cache-Control": "no-store"}
        return Response(file.data, headers=headers, media_type=file.content_type)

    def _handed_file(self, request: Request, user: str | None, token: str) -> Response:
        file = self._door.handed.file(user, token) if request.method in READ else None
        if file is None:
            return refusal(404, "This file is no longer here. Go back to the page and make it once more.")
        headers = {"Content-Disposition": disposition(file.name, bool(file.policy)), "Cache-Control": "no-store"}
        if file.policy:
            headers["Content-Security-Policy"] = file.policy
        return Response(file.data, headers=headers, media_type=file.content_type)

    async def _upload(self, request: Request, user: str | None, client: str, send: Send) -> None:
        """Let Gradio keep the files that a form holds, and note whose they are. Raises BodyRefused."""
        self._count_press(user or client)
        reading = Reading(request.headers.get("content-type", ""), request.headers.get("content-length"))
        if session := self._routes.session(request):
            self._claim(session, user)
        with self._door.uploads.arriving():
            try:
                await self._page(
                    _passed_on(request.scope, user), reading.counted(request.receive), reading.answering(send)
                )
            except Exception as error:
                raise reading.refused or error from None
            self._door.uploads.note(user, reading.paths())
        if reading.refused:
            raise reading.refused

    def _count_press(self, client: str, typing: bool = False) -> None:
        """Raises BodyRefused for one too many; what is told by `typing` has a rate of its own."""
        rates = self._door.typing if typing else self._door.questions
        if wait := rates.wait(client):
            raise BodyRefused(429, f"That is too much at once. Wait {math.ceil(wait)} s.", wait)

    async def _checked_body(
        self, request: Request, receive: Receive, user: str | None, client: str, by_token: bool
    ) -> tuple[Receive, str]:
        """Its content once more, and the session it names, which of a program's may be "". Raises BodyRefused."""
        path = request.url.path
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise BodyRefused(415, "Send JSON.")
        if path == CHAT:
            self._count_press(user or client)
        body = await read_body(receive, MOST_TALK_BYTES if path == CHAT else MOST_BYTES)
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            raise BodyRefused(400, "That is no JSON.") from None
        if not isinstance(content, dict):
            raise BodyRefused(400, "That is no JSON object.")
        if path == CHAT:
            return replayed(body, receive), ""
        if path.startswith((JOIN, CALL)):
            self._count_press(user or client, path.startswith(JOIN) and content.get("fn_index") in self._typing)
        if path.startswith(MCP) and content.get("method") == "tools/call":
            self._count_press(user or client)
        if not all(isinstance(file, str) and self._door.uploads.belongs(file, user) for file in files_named(content)):
            raise BodyRefused(403, "That is no file you have sent, or it was used already. Send it again.")
        if by_token and path.startswith(JOIN) and content.get("fn_index") not in self._functions:
            raise BodyRefused(403, "A token lets programs call the functions of /gradio_api/info, and nothing else.")
        if path.startswith((MCP, CALL)) and "session_hash" not in content:
            return replayed(body, receive), ""
        session = content.get("session_hash")
        if not isinstance(session, str) or not re.fullmatch(SESSION, session):
            raise BodyRefused(400, "That names no session.")
        self._claim(session, user)
        return replayed(body, receive), session

    def _refuse_unknown(self, request: Request) -> Response | None:
        path = request.scope["path"]
        methods = self._routes.methods(path)
        if not methods:
            return refusal(404, "There is nothing here.", path)
        return None if request.method in methods else refusal(405, "That isn’t done here.", path)

    def _claim(self, session: str, user: str | None) -> None:
        """A session belongs to the user who began it. Raises BodyRefused for another's."""
        if user is None:
            return
        if self._sessions.setdefault(session, user) != user:
            raise BodyRefused(403, "That session is another user’s.")
        self._sessions.move_to_end(session)
        if len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)


class _Answer:
    """Sends answers on with the headers they all have."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()
        self._cookie = ""
        self.begun = False

    def cookie(self, name: str, secure: bool) -> str:
        """Give the browser a new secret with the page, and return it. No script can read it."""
        secret, carrier = secrets.token_urlsafe(32), Response()
        carrier.set_cookie(name, secret, _A_YEAR, httponly=True, samesite="lax", secure=secure)
        self._cookie = carrier.headers["set-cookie"]
        return secret

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            for name, value in ALWAYS.items():
                headers[name] = value
            headers.setdefault("Content-Security-Policy", NOTHING)
        await self._send(message)

    async def page(self, message: Message) -> None:
        """Like `send`, for the page itself: its policy names the scripts in it, so all of it is awaited first."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body") or self._start is None:
            return
        headers = MutableHeaders(raw=self._start["headers"])
        headers["Content-Security-Policy"] = page_policy([*inline_scripts(bytes(self._body)), page_script().encode()])
        headers["Cache-Control"] = "no-store"
        if self._cookie:
            headers.append("Set-Cookie", self._cookie)
        await self.send(self._start)
        await self.send({"type": "http.response.body", "body": bytes(self._body)})


def _credentials(form: bytes) -> tuple[str, str]:
    try:
        fields = parse_qs(form.decode("utf-8", "replace"), max_num_fields=4)
    except ValueError:
        raise BodyRefused(400, "That is no login.") from None
    return fields.get("name", [""])[0], fields.get("password", [""])[0]


def _client(request: Request) -> str:
    """The address a request came from; of IPv6 the network, for a client has as many addresses as it likes."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    return str(IPv6Network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)


def _passed_on(scope: Scope, user: str | None, browser: str = "") -> Scope:
    """Without what a client claims of itself, and asking for the page as plain text where its scripts are looked at."""
    dropped = (*_FORWARDED, b"accept-encoding") if scope["path"] == "/" else _FORWARDED
    headers = [(name, value) for name, value in scope["headers"] if not name.startswith(dropped)]
    query = b"" if scope["path"] in CONFIGURATION else scope["query_string"]
    return {**scope, "headers": headers, "query_string": query, USER: user, BROWSER: browser}


def _login_response(request: Request, trouble: str, status: HTTPStatus) -> Response:
    headers = {"Content-Security-Policy": login_policy(LOGIN_STYLE), "Cache-Control": "no-store"}
    with speaking(preferred(request.headers.get("accept-language"))):
        return HTMLResponse(login_page(trouble), status, headers)
