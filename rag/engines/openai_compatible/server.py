"""Requests to a model server, made on a thread of their own so that whoever waits can leave at any moment.

httpx does the talking, httpx-sse reads the stream and tenacity waits between attempts. A request is tried again only
while nothing of its answer was handed on: after that, a second one could contradict the first.
"""

import json
import queue
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, aclosing, contextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from httpx_sse import EventSource, SSEError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from rag.engines.openai_compatible.keys import KEY_VARIABLE, KEYRING_SERVICE, is_loopback, origin
from rag.engines.openai_compatible.trouble import ServerTrouble, ServerUnreachable
from rag.errors import EngineError

TICK = 0.05
"""Seconds of silence after which whoever waits gets a chance to stop."""

CONNECT_SECONDS = 10.0
QUICK_SECONDS = 20.0
"""How long questions that need no model may take, such as how many tokens a text has."""

LOOK_SECONDS, LOOKED_EVERY = 2.0, 1.0
"""How long a look at whether the server is there may take, and how long what it showed holds good."""

ATTEMPTS = 4
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Seconds: a random share of 0.5, 1, 2, … at most 8, so that many clients don't come back at the same moment."""
LONGEST_RETRY_AFTER = 60.0

GATEWAY_SAYS_AWAY = {502, 503, 504}
MESSAGE_CHARACTERS = 300
CLOSED = "The reader has been closed. Start Citeline again."

Taker = Callable[[Any], None]


class Server:
    """One server, with a thread that talks to it. Any number of threads may ask at once."""

    def __init__(self, url: str, key: str | None, patience: float) -> None:
        """`patience` in seconds, see `Remote`."""
        self.base = url.rstrip("/") if httpx.URL(url).path.strip("/") else f"{url.rstrip('/')}/v1"
        self.root = self.base.removesuffix("/v1")
        self.origin = origin(url)
        self.patience = patience
        self._key = key
        self._closed = False
        self._looked = (-LOOKED_EVERY, False)
        self._running: weakref.WeakSet[Future[Any]] = weakref.WeakSet()
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=None),
            follow_redirects=False,  # another server may not get the key, nor the articles
            trust_env=not is_loopback(url),  # a proxy can't reach this machine's own addresses
        )
        ending = ExitStack()
        self._portal = ending.enter_context(start_blocking_portal(name="model-server"))
        own_thread = self._portal.call(threading.get_ident)
        # Also when nobody holds the server any more, or the interpreter ends: `close` may never be called.
        self._end = weakref.finalize(self, _end, own_thread, self._portal, self._client, ending)

    def get(self, path: str) -> Any:
        """What the server says at `path`, decoded; see `post`."""
        return self._quickly("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The decoded reply to what takes no model. A path that begins with "/" counts from the server's root.

        Raises EngineError where it is refused and ServerUnreachable where nothing answers in `QUICK_SECONDS`.
        """
        return self._quickly("POST", path, body)

    def answers(self) -> bool:
        """Whether the server can be reached, asked once and at most every `LOOKED_EVERY` seconds."""
        looked, found = self._looked
        if time.monotonic() - looked < LOOKED_EVERY:
            return found
        work = self._start(self._glance)
        try:
            found = bool(work.result(LOOK_SECONDS))
        except (TimeoutError, CancelledError):
            found = False
        finally:
            work.cancel()
        self._looked = (time.monotonic(), found)
        return found

    def stream(self, path: str, body: Mapping[str, Any]) -> Iterator[Any]:
        """The decoded events of a streamed reply, and None every `TICK` seconds of silence.

        Closing the iterator closes the connection. Raises EngineError where it is refused or breaks off, and
        ServerUnreachable where nothing comes in `patience` seconds.
        """
        arrived: queue.SimpleQueue[Any] = queue.SimpleQueue()
        work = self._start(self._streamed, path, body, arrived.put)
        work.add_done_callback(lambda _: arrived.put(None))
        last = time.monotonic()
        try:
            while True:
                try:
                    event = arrived.get(timeout=TICK)
                except queue.Empty:
                    if time.monotonic() - last > self.patience:
                        raise self._silent(self.patience) from None
                    yield None
                    continue
                if event is None:
                    _outcome(work)
                    return
                last = time.monotonic()
                yield event
        finally:
            work.cancel()

    def close(self) -> None:
        """Break off all that is under way and close the connections. Safe to call twice."""
        self._closed = True
        for work in list(self._running):
            work.cancel()
        self._end()

    def _quickly(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        work = self._start(self._whole, method, path, body)
        try:
            return _outcome(work, QUICK_SECONDS)
        except TimeoutError:
            raise self._silent(QUICK_SECONDS) from None
        finally:
            work.cancel()

    def _start(self, do: Callable[..., Awaitable[Any]], *given: Any) -> "Future[Any]":
        if self._closed:
            raise EngineError(CLOSED)
        try:
            work = self._portal.start_task_soon(do, *given)
        except RuntimeError as error:  # it was closed just now
            raise EngineError(CLOSED) from error
        self._running.add(work)
        return work

    async def _glance(self) -> bool:
        try:
            response = await self._client.get(self._url("models"))
        except httpx.TransportError:
            return False
        return response.status_code not in GATEWAY_SAYS_AWAY

    async def _whole(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        async for attempt in _attempts():
            with attempt:
                with self._heard():
                    response = await self._client.request(method, self._url(path), json=body)
                if response.status_code != httpx.codes.OK:
                    raise self._refusal(response)
                try:
                    return response.json()
                except ValueError as error:
                    raise self._other_tongue() from error
        raise AssertionError("the last attempt returns or raises")

    async def _streamed(self, path: str, body: Mapping[str, Any], take: Taker) -> None:
        async for attempt in _attempts():
            with attempt:
                await self._streamed_once(path, body, take)

    async def _streamed_once(self, path: str, body: Mapping[str, Any], take: Taker) -> None:
        begun = ended = False
        try:
            with self._heard():
                async with self._client.stream("POST", self._url(path), json=body) as response:
                    if response.status_code != httpx.codes.OK:
                        await response.aread()
                        raise self._refusal(response)
                    async with aclosing(EventSource(response).aiter_sse()) as events:
                        async for event in events:
                            if event.data == "[DONE]":
                                ended = True
                                break
                            decoded = self._decoded(event.data)
                            ended = ended or bool(choice_of(decoded).get("finish_reason"))
                            begun = begun or bool((choice_of(decoded).get("delta") or {}).get("content"))
                            take(decoded)
        except ServerUnreachable as error:
            if begun:
                raise self._broken_off() from error
            raise
        if not ended:
            raise self._broken_off() if begun else self._away("it ended the reply before it began")

    def _url(self, path: str) -> str:
        return f"{self.root}{path}" if path.startswith("/") else f"{self.base}/{path}"

    def _decoded(self, data: str) -> Any:
        try:
            decoded = json.loads(data)
        except ValueError as error:
            raise self._other_tongue() from error
        if isinstance(decoded, dict) and decoded.get("error"):
            raise EngineError(f"The server {self.origin} failed: {self._clean(_message(decoded, data))}")
        return decoded

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Raises EngineError in place of what httpx and httpx-sse raise."""
        try:
            yield
        except SSEError as error:
            raise self._other_tongue() from error
        except httpx.TransportError as error:
            raise self._away(str(error) or type(error).__name__) from error

    def _refusal(self, response: httpx.Response) -> EngineError:
        code = response.status_code
        try:
            said = _message(response.json(), response.text)
        except ValueError:
            said = response.text
        said = self._clean(said)
        if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            problem = "refuses the key" if self._key else "asks for a key"
            return EngineError(
                f"The server {self.origin} {problem} ({code}). Set {KEY_VARIABLE}, or store the key with "
                f"`keyring set {KEYRING_SERVICE} {self.origin}`."
            )
        if code in GATEWAY_SAYS_AWAY:
            trouble: ServerTrouble = self._away(f"status {code}")
        elif code == httpx.codes.TOO_MANY_REQUESTS:
            trouble = ServerTrouble(f"The server {self.origin} is too busy: {said} Try again later.")
        elif code >= httpx.codes.INTERNAL_SERVER_ERROR:
            trouble = ServerTrouble(f"The server {self.origin} failed ({code}): {said}")
        else:
            return EngineError(f"The server {self.origin} refused the request ({code}): {said}")
        trouble.retry_after = _seconds(response.headers.get("Retry-After"))
        return trouble

    def _away(self, why: str) -> ServerUnreachable:
        return ServerUnreachable(
            f"The server {self.origin} can't be reached ({why}). Start it, or correct RAG_SERVER; with "
            "RAG_FALLBACK=true the reader on this machine steps in."
        )

    def _silent(self, seconds: float) -> ServerUnreachable:
        return ServerUnreachable(
            f"The server {self.origin} gave no sign of an answer for {seconds:g} s. See whether it is overloaded, or "
            "give it longer in RAG_SERVER_TIMEOUT."
        )

    def _broken_off(self) -> EngineError:
        return EngineError(f"The server {self.origin} broke off in the middle of the answer. Ask again.")

    def _other_tongue(self) -> EngineError:
        return EngineError(
            f"What answers at {self.origin} doesn't speak OpenAI's chat API. Correct RAG_SERVER: it ends in /v1 with "
            "most servers."
        )

    def _clean(self, said: str) -> str:
        """A server's message, on one line and without the key, which some repeat."""
        flat = " ".join(said.replace(self._key, "…").split() if self._key else said.split())
        return flat if len(flat) <= MESSAGE_CHARACTERS else f"{flat[:MESSAGE_CHARACTERS]}…"


def _attempts() -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception_type(ServerTrouble),
        stop=_worn_out,
        wait=_pause,
        reraise=True,
    )


_jittered = wait_random_exponential(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE)
_enough = stop_after_attempt(ATTEMPTS)


def _worn_out(state: RetryCallState) -> bool:
    return _enough(state) or _asked_for(state) > LONGEST_RETRY_AFTER


def _pause(state: RetryCallState) -> float:
    """As long as the server asks, and a little longer than the others who were asked the same."""
    return _asked_for(state) + _jittered(state)


def _asked_for(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return getattr(error, "retry_after", None) or 0.0


def _seconds(retry_after: str | None) -> float | None:
    """Of a Retry-After header: "3" or a date."""
    if not retry_after:
        return None
    with suppress(ValueError):
        return max(0.0, float(retry_after))
    with suppress(ValueError):
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    return None


def _outcome(work: "Future[Any]", seconds: float | None = None) -> Any:
    try:
        return work.result(seconds)
    except CancelledError as error:
        raise EngineError(CLOSED) from error


def _message(decoded: Any, otherwise: str) -> str:
    """Of {"error": {"message": …}}, {"error": …}, {"message": …} and {"detail": …}, which servers use."""
    if not isinstance(decoded, dict):
        return otherwise
    error = decoded.get("error") or decoded
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or otherwise
    return error if isinstance(error, str) else json.dumps(error)


def choice_of(event: Any) -> dict[str, Any]:
    """What an event of `Server.stream` says of the answer; empty where it says nothing, as None and the last may."""
    choices = event.get("choices") if isinstance(event, dict) else None
    choice: dict[str, Any] = choices[0] if choices else {}
    return choice


def _end(own_thread: int, portal: BlockingPortal, client: httpx.AsyncClient, ending: ExitStack) -> None:
    """Close the connections and end the thread `own_thread`; garbage is collected on any thread, on that one too."""
    if threading.get_ident() == own_thread:
        threading.Thread(target=_end, args=(own_thread, portal, client, ending)).start()
        return
    with suppress(RuntimeError):  # at the end of the interpreter the thread may be gone
        portal.call(client.aclose)
        ending.close()
