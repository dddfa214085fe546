"""llama.cpp's server in a child process: started at once, waited for when it is needed."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import weakref
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, TypeAlias, cast

from rag.engines import llama_child
from rag.engines.kept_states import KEPT_MIB
from rag.errors import EngineError

BATCH = 64
"""Tokens read between two looks at whether the reader pressed Stop; larger batches were no faster on two cores."""

SOCKET = "llama.sock"
SOCKET_PATH_BYTES = 103
"""The longest path a Unix socket can have on macOS; Linux takes four more."""

Child: TypeAlias = "subprocess.Popen[bytes]"


class LlamaProcess:
    """Loads a GGUF file from the moment it is made. Ends when closed, dropped, or when this process ends."""

    def __init__(self, model_file: Path, context_tokens: int, threads: int, kept_prompts_mib: int = KEPT_MIB) -> None:
        """Raises EngineError when no process can be started."""
        folder = _private_folder()
        self.socket = str(folder / SOCKET)
        self.key = secrets.token_urlsafe(32)
        self._child = child = _started(folder)
        self._end = weakref.finalize(self, _end, child, folder)
        self._model_file = model_file
        self._ready = False
        order = llama_child.Order(
            str(model_file), self.socket, self.key, context_tokens, BATCH, threads, kept_prompts_mib
        )
        with suppress(OSError):  # of a process that has ended already, which `wait` will say
            to, _ = _pipes(child)
            to.write(json.dumps(asdict(order)).encode() + b"\n")  # so that the key shows in no list of processes
            to.flush()

    def wait(self) -> None:
        """Return when the server listens. Raises EngineError when it can't."""
        if self._ready:
            return
        _, back = _pipes(self._child)
        said = back.readline()
        failed = json.loads(said)["failed"] if said else "its process ended; perhaps there is too little memory"
        if failed:
            self.close()
            raise EngineError(
                f"llama.cpp can't load {self._model_file}: {failed.rstrip('.')}. "
                "Check the file with `rag models verify`, or name another GGUF file in RAG_READER."
            )
        self._ready = True

    def close(self) -> None:
        """End the process at once and remove its folder. Safe to call twice."""
        self._end()


def _private_folder() -> Path:
    """A new folder that only this user may enter, with a path short enough for a socket in it."""
    folder = Path(tempfile.mkdtemp(prefix="citeline-"))
    if len(os.fsencode(folder / SOCKET)) <= SOCKET_PATH_BYTES:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="citeline-", dir="/tmp"))  # nosec B108


def _started(folder: Path) -> Child:
    try:
        return subprocess.Popen(  # noqa: S603  # nosec B603
            # -P: what lies beside the script, or in the folder we happen to be in, is never imported.
            [sys.executable, "-P", llama_child.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if not name.startswith("RAG_")},
            start_new_session=True,  # Ctrl-C in the terminal is for this process, which then ends that one
        )
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise EngineError(f"No process could be started for llama.cpp ({error}). Start Citeline again.") from error


def _end(child: Child, folder: Path) -> None:
    child.kill()
    child.wait()
    for pipe in _pipes(child):
        with suppress(OSError):
            pipe.close()
    shutil.rmtree(folder, ignore_errors=True)


def _pipes(child: Child) -> tuple[IO[bytes], IO[bytes]]:
    return cast(IO[bytes], child.stdin), cast(IO[bytes], child.stdout)
