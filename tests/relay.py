"""A line between a browser and the page that can be cut, as when a laptop leaves its network."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Relay:
    """Passes on all that arrives on its port."""

    def __init__(self, address: str) -> None:
        self._to = ("127.0.0.1", urlsplit(address).port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._cut = False
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """End all connections, and every new one at once."""
        self._cut = True
        while self._open:
            _end(self._open.pop())

    def mend(self) -> None:
        """Pass on again."""
        self._cut = False

    def close(self) -> None:
        _end(self._listener)
        self.cut()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._cut:
                    _end(client)
                    continue
                with suppress(OSError):
                    server = socket.create_connection(self._to)
                    self._open += [client, server]
                    for pair in ((client, server), (server, client)):
                        threading.Thread(target=_pass_on, args=pair, daemon=True).start()


@contextmanager
def relayed(address: str) -> Iterator[Relay]:
    relay = Relay(address)
    try:
        yield relay
    finally:
        relay.close()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    _end(source)
    _end(target)


def _end(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
