"""A PostgreSQL of the system's packages, started for the tests in a folder of their own."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OWNER = "citeline"
DATABASE = "library"


class Postgres:
    """A server that is reached by a socket in `folder` alone; it can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._programs = _programs()
        self._account = _account()

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://{OWNER}@/{DATABASE}?host={self.folder}"

    def make(self) -> None:
        if self._account:
            shutil.chown(self.folder, self._account)
        self._run("initdb", "-D", f"{self.folder}/data", "-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()
        self._run("createdb", "-h", str(self.folder), "-U", OWNER, DATABASE)

    def start(self) -> None:
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c max_connections=60"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-w", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            check=True,
            user=self._account,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
        )


@contextmanager
def postgres() -> Iterator[Postgres]:
    # Not pytest's own folder: the name of a socket may have 107 characters, and root's folders keep others out.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = Postgres(folder)
    try:
        server.make()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _account() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.getuid():
        return None
    return next(name for name in ("postgres", "nobody") if name in {entry.pw_name for entry in pwd.getpwall()})


def _programs() -> Path:
    """Debian keeps those of each version in a folder of its own, not on the PATH."""
    found = [path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    if not found and (on_path := shutil.which("initdb")):
        found.append(Path(on_path).resolve().parent)
    assert found, "PostgreSQL isn't installed: `make test` does it on Debian (`apt-get install postgresql`)"
    return found[-1]
