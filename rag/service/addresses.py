"""The addresses of the service, in front of the page. Who may ask for them is the gate's to say."""

from starlette.types import ASGIApp, Receive, Scope, Send

from rag.desk import Desk
from rag.guarding import CHAT, OPENAI
from rag.service.chat import Chat
from rag.service.stopping import Stopping

MODELS = f"{OPENAI}models"


def with_service(page: ASGIApp, desk: Desk, stopping: Stopping) -> ASGIApp:
    """The page, and the service's answers to what isn't for it."""
    chat = Chat(desk, stopping)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path == CHAT:
            await chat.complete(scope, receive, send)
        elif path == MODELS or path.startswith(f"{MODELS}/"):
            response = chat.models(path.removeprefix(MODELS).strip("/"))
            await response(scope, receive, send)
        else:
            await page(scope, receive, send)

    return answer
