"""The page as a server: who may come in, what answers them, and on which address."""

import errno
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio.routes import App
from starlette.types import ASGIApp

from rag import rendering
from rag.conversations import Conversations
from rag.desk import FAREWELL, OpenPipeline, open_pipeline
from rag.errors import RagError
from rag.guarding import MAX_BYTES, USER, Cited, Door, Gate, Logins, Rates, Users, is_loopback, is_wildcard
from rag.page import ahead
from rag.page.api import NAMES, numbers, unsuited
from rag.page.building import MOST_CONNECTIONS, build_page
from rag.page.speech import translations
from rag.page.tools import with_tools
from rag.rights import Rights
from rag.service import Service, Stopping, Workers, with_service
from rag.settings import Login, Settings
from rag.talks import Talks


@contextmanager
def serving(
    settings: Settings,
    opener: OpenPipeline = open_pipeline,
    stopping: Stopping | None = None,
    workers: int = 0,
) -> Iterator[str]:
    """Run the page, yield its address, and end everything with the block: where `stopping` has begun, answers first.

    With `workers` so many processes answer chats beside it.

    Raises RagError when it can't listen, or would let in people whom nobody has given a password.
    """
    door = door_of(settings)
    with closing(_listener(settings.host, settings.port)) as listener:
        stopping = stopping or Stopping()
        service = Service(settings, opener, stopping, Workers(settings, opener, stopping) if workers else None)
        desk = service.desk
        conversations = Conversations(settings.conversations_folder)
        page = build_page(desk, Talks(desk, conversations, settings.log_texts, door.departures.last), door)
        answering = with_service(with_tools(with_page(page, door), desk, door), service)
        server = _server(Gate(answering, door, numbers(page), ahead.numbers(page)))
        desk.open()  # last, for it loads PyTorch beside what comes after
        service.start(workers)
        thread = threading.Thread(target=server.run, args=([listener],), name="page", daemon=True)
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield _address(settings)
        finally:
            with suppress(KeyboardInterrupt):  # Ctrl-C, for who doesn't want to wait
                service.finish()
            service.close()
            page.close(verbose=False)  # ends the answers that stream to open tabs
            server.should_exit = True
            thread.join(FAREWELL)
            conversations.close()
            door.uploads.close()


def door_of(settings: Settings) -> Door:
    """Who may come in. Raises RagError where the page would be open to others and nobody has a password.

    And where the file of rights can't be read.
    """
    names = _names(settings.hosts)
    open_to_others = bool(names) or not is_loopback(settings.host)
    logins = None
    if settings.login is Login.ALWAYS or (settings.login is Login.AUTO and open_to_others):
        users = Users(settings.users)
        if not users.names():
            raise RagError(
                f"Others could reach the page on {settings.host}, and nobody has a password for it yet. Run `rag user "
                "add NAME`, or set RAG_LOGIN=never to let everyone in who can reach this machine."
            )
        logins = Logins(users)
    rights = Rights(settings.rights)
    rights.of(None)
    rate = settings.questions_per_minute
    questions, editors = Rates(rate, max(1, rate // 3)), _names(settings.editors)
    api = NAMES if settings.api or (settings.api is None and not open_to_others) else ()
    return Door(
        settings.host,
        names,
        logins,
        Cited(rights.may_read),
        questions=questions,
        log_texts=settings.log_texts,
        editors=editors,
        metrics=settings.metrics,
        api=api,
    )


def _names(given: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in given.split(",") if name.strip())


def with_page(page: gr.Blocks, door: Door) -> ASGIApp:
    """What answers requests for the page; `Gate` stands in front of it."""
    app: FastAPI = gr.mount_gradio_app(
        FastAPI(openapi_url=None, docs_url=None, redoc_url=None),
        page,
        path="/",
        theme=gr.themes.Base(font="sans-serif", font_mono="monospace"),
        head=rendering.page_head(),
        i18n=translations(page),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        allowed_paths=[],
        blocked_paths=[Path.cwd().anchor],  # Gradio is to serve no file at all; `Gate` doesn't let it come to that
        max_file_size=MAX_BYTES,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        auth_dependency=(lambda request: request.scope.get(USER)) if door.logins else None,
    )
    page.is_running = True  # what Gradio's own `launch` does, and its `close` asks for
    page.app = next(mounted for route in app.routes if isinstance(mounted := getattr(route, "app", None), App))
    page.app.add_exception_handler(TypeError, unsuited)
    page.app.uploaded_file_dir = str(door.uploads.folder)
    for block in page.blocks.values():
        block.GRADIO_CACHE = page.app.uploaded_file_dir  # where it looks for what was sent
    return app


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        log_level="critical",  # what fails is logged by the gate; what is cut off at the end is no failure
        log_config=None,
        access_log=False,
        ws="none",
        proxy_headers=False,  # a client could claim any address
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def _listener(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            trouble = f"Port {port} is already in use. Choose another, for example RAG_PORT={port + 1}."
        else:
            trouble = f"The page can’t listen on {host}:{port}: {error.strerror}. Change RAG_HOST or RAG_PORT."
        raise RagError(trouble) from error


def _address(settings: Settings) -> str:
    host = "localhost" if is_wildcard(settings.host) else settings.host
    return f"http://[{host}]:{settings.port}/" if ":" in host else f"http://{host}:{settings.port}/"
