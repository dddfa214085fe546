"""The service without a page, behind the real gate: starts in no time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.responses import Response

from rag.desk import OpenPipeline
from rag.guarding import Gate
from rag.page.serving import door_of
from rag.service import Service, Stopping, with_service
from rag.settings import load_settings
from tests.browser import free_port


@contextmanager
def answered(opener: OpenPipeline, stopping: Stopping | None = None, **given: Any) -> Iterator[str]:
    """Its address, for as long as the block lasts."""
    settings = load_settings(**{"port": free_port(), **given})
    service = Service(settings, opener, stopping or Stopping())
    app = Gate(with_service(Response(status_code=204), service), door_of(settings))
    server = uvicorn.Server(uvicorn.Config(app, port=settings.port, log_level="critical", log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    service.start()
    service.desk.open()
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{settings.port}/"
    finally:
        server.should_exit = True
        service.close()
        thread.join(5)
