"""A page with a public folder and a secret one, its readers, and all the ways by which something may come out of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from rag.index import Identity, open_library
from rag.indexing import index_paths
from rag.page.serving import serving
from rag.pipeline import Pipeline
from rag.settings import Settings, load_settings
from rag.types import Limits, Prompt
from tests.browser import free_port
from tests.fakes import ScriptedEngine, WordEmbedder

SECRET = "xylofnord"
"""Stands in the title, the text and the name of what only the board may read, and in nothing that is asked."""
WORDS = "harbour fund ferry council budget Rotterdam tide vote secret merger"
REPORT = " ".join(f"The ferry fund of the harbour paid {at} euros in week {at}." for at in range(12))
ARTICLES = {
    "news/ferry.txt": f"Ferry report\n\n{REPORT}",
    "news/tide.txt": "Tide tables\n\nThe tide in Rotterdam turns twice a day. The council voted for a new harbour.",
    f"board/{SECRET}-copy.txt": f"Ferry report\n\n{REPORT}",
    f"board/{SECRET}.txt": f"The {SECRET} merger\n\nThe harbour fund buys {SECRET} in May. The vote of the council on "
    f"the budget of {SECRET} was secret. The ferry fund of the harbour paid 77 euros to {SECRET}.",
    f"board/{SECRET}-plan.md": f"# What is the {SECRET} plan?\n\n{SECRET} was begun in 1895. Rotterdam owns {SECRET}.",
}
RIGHTS = """
[collections]
news = "news"
board = "board"
[readers]
everyone = ["news"]
anna = ["board"]
chief = ["*"]
"""
PASSWORDS = {"anna": "anna's password", "bob": "bob's password", "chief": "chief's password"}


class Quoting(ScriptedEngine):
    """Says the beginning of all that it was given to read, at once, and is sure of it."""

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        self.replies = [f"{' '.join(passage[:150] for passage in prompt.passages)} [1]"]
        yield "".join(super().stream(prompt, limits))

    def choose(self, prompt: Prompt, options: Any) -> tuple[float, ...]:
        self.choices = [(0.9, 0.1)]
        return super().choose(prompt, options)


def settings_of(folder: Path, **more: object) -> Settings:
    """Of a library with all the articles, and a file of rights beside them."""
    for name, text in ARTICLES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "rights.toml").write_text(RIGHTS, encoding="utf-8")
    index_paths([folder / "news", folder / "board"], folder / "index", _identity(), WordEmbedder())
    return load_settings(
        **{
            "index": folder / "index",
            "rights": folder / "rights.toml",
            "embedder": "words",
            "port": free_port(),
            "max_wrong": 1.0,
            "passage_tokens": 2000,
            "questions_per_minute": 10_000,
            **more,
        }
    )


def ids_of(settings: Settings) -> dict[str, str]:
    """Id of each article, by its file's name."""
    with open_library(settings.index, _identity()) as library:
        return {Path(listed.source).name: listed.id for listed in library.documents()}


def opener(settings: Settings, _report: object) -> Pipeline:
    return Pipeline(settings, open_library(settings.index, _identity()), WordEmbedder(), Quoting())


@contextmanager
def shown(settings: Settings) -> Iterator[str]:
    with serving(settings, opener) as address:
        yield address


def _identity() -> Identity:
    embedder = WordEmbedder()
    return Identity(embedder.name, embedder.revision, embedder.dimension, 160, 1)


class Visitor:
    """Somebody who is logged in, and presses all that can be pressed."""

    def __init__(self, address: str, name: str, password: str = "", headers: dict[str, str] | None = None) -> None:
        self.http = httpx.Client(base_url=address, timeout=120, headers=headers)
        if password:
            assert self.http.post("/login", data={"name": name, "password": password}).is_redirect
        self.heard: list[str] = []
        """Bodies of all that was answered."""
        config = self.get("config").json()
        self.functions: list[dict[str, Any]] = config["dependencies"]
        self.names = {part["id"]: part["props"].get("elem_id") for part in config["components"]}
        self._sessions = 0
        self.session = self._session()

    def get(self, path: str, **named: Any) -> httpx.Response:
        response = self.http.get(f"/{path}", **named)
        self.heard.append(response.text)
        return response

    def anew(self) -> None:
        """As a tab that was just opened."""
        self.session = self._session()

    def press(self, part: str | None, event: str, value: object = None, typed: object = None, query: str = "") -> str:
        """What the page answers to an event of a part of it, whose first input is what was `typed`."""
        where = next(
            (one, target) for one in self.functions for target in one["targets"] if self._is(target, part, event)
        )
        function, (trigger, _) = where
        body = {
            "fn_index": function["id"],
            "trigger_id": trigger,
            "session_hash": self.session,
            "data": [typed, *[None] * len(function["inputs"])][: len(function["inputs"])],
            "event_data": {"value": value},
        }
        joined = self.http.post(f"/gradio_api/queue/join{query}", json=body)
        assert joined.is_success, joined.text
        stream = self._events()
        assert '"success":true' in stream, stream
        return stream

    def call(self, name: str, **parameters: object) -> str:
        """What a program is answered."""
        begun = self.http.post(f"/gradio_api/call/v2/{name}", json=parameters)
        self.heard.append(begun.text)
        return self.get(f"gradio_api/call/{name}/{begun.json()['event_id']}").text if begun.is_success else begun.text

    def tool(self, name: str, **arguments: object) -> str:
        """What a client of MCP is answered."""
        order = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        accepted = {"accept": "application/json, text/event-stream"}
        response = self.http.post("/gradio_api/mcp/", json=order, headers=accepted)
        self.heard.append(response.text)
        return response.text

    def chat(self, question: str, **fields: object) -> str:
        body = {"model": "citeline-sources", "messages": [{"role": "user", "content": question}], **fields}
        response = self.http.post("/v1/chat/completions", json=body)
        self.heard.append(response.text)
        return response.text

    def _events(self) -> str:
        """What comes until the stream is to be closed; the page waits for that."""
        lines = []
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as response:
            for line in response.iter_lines():
                lines.append(line)
                if "close_stream" in line:
                    break
        self.heard.append("\n".join(lines))
        return self.heard[-1]

    def _is(self, target: list[Any], part: str | None, event: str) -> bool:
        return bool(self.names.get(target[0]) == part and target[1] == event)

    def _session(self) -> str:
        self._sessions += 1
        return f"{id(self)}-{self._sessions}"
