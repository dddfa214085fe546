"""A model server that takes its time but no processor, for load tests of what stands before it.

It speaks as much of OpenAI's chat API as Citeline asks for: says Yes to what wants one word, and else repeats the
sentence of the passage that names a keeper. What it was asked comes back in what it says, so answers that are mixed up
anywhere on the way can be told from others.
"""

import json
import random
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

SENTENCE = re.compile(r"The keeper of the lighthouse \w+ is \w+\.")
SECONDS = (0.4, 1.6)
"""For an answer; a word takes a quarter of it."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._whole({"object": "list", "data": [{"id": "scripted", "object": "model", "owned_by": "benchmarks"}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        found = SENTENCE.search(asked["messages"][-1]["content"])
        one_word = asked["max_tokens"] == 1
        seconds = random.uniform(*SECONDS) / (4 if one_word else 1)
        words = ["Yes"] if one_word else f"{found[0] if found else 'Nothing.'} [1]".split(" ")
        self._head("text/event-stream", Connection="close")
        for number, word in enumerate(words):
            time.sleep(seconds / len(words))
            self._event({"delta": {"content": word if not number else f" {word}"}, "finish_reason": None})
        self._event({"delta": {}, "finish_reason": "stop"})
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _event(self, choice: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps({"choices": [{"index": 0, **choice}]}).encode() + b"\n\n")
        self.wfile.flush()

    def _whole(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self._head("application/json", **{"Content-Length": str(len(body))})
        self.wfile.write(body)

    def _head(self, kind: str, **headers: str) -> None:
        self.send_response(200)
        for name, value in {"Content-Type": kind, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def serve_scripted(_: str, address: str) -> None:
    """Run it until it is killed."""
    url = urlsplit(address)
    with Server((str(url.hostname), int(url.port or 80)), Handler) as server:
        server.serve_forever()
