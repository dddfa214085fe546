"""Who may log in: a file of names and hashes, from which no password and no token can be read back."""

import contextlib
import hashlib
import hmac
import json
import os
import re
import secrets
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rag.errors import InputError, RagError

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 256
"""Characters, both."""

BEGINS = "citeline_"
"""By which a token is known for one, also to tools that look for secrets in files."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")

ROUNDS, BLOCK, LANES = 2**15, 8, 3
"""scrypt's N, r and p: 32 MiB and some tenths of a second a password, as OWASP's cheat sheet advises."""


@dataclass(frozen=True, slots=True)
class Hashed:
    """A password as it is kept. The numbers are kept with it so that those of later versions may be others."""

    salt: str
    """Hex, 16 bytes."""
    key: str
    """Hex, 32 bytes."""
    rounds: int
    block: int
    lanes: int
    token: str = ""
    """sha256 (hex) of the token by which the user's programs come in; empty where there is none."""


class Users:
    """The users of one file, read anew whenever it has changed: who is removed is out with the next request."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._known: dict[str, Hashed] = {}

    def names(self) -> list[str]:
        """Sorted. Raises RagError when the file can't be read or isn't one of users."""
        return sorted(self._read())

    def __contains__(self, name: object) -> bool:
        return name in self._read()

    def add(self, name: str, password: str) -> None:
        """Let `name` in with `password`, which replaces the one before; a token of theirs ends.

        Raises InputError for a name or password that isn't accepted, RagError when the file can't be written.
        """
        if not _NAME.fullmatch(name):
            raise InputError(f"{name[:80]!r} is no user name. Use up to 64 letters, digits and . _ @ - without blanks.")
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise InputError(
                f"The password has {len(password)} characters. Use {SHORTEST_PASSWORD} to {LONGEST_PASSWORD}."
            )
        self._write({**self._read(), name: _hashed(password)})

    def remove(self, name: str) -> None:
        """Let `name` in no longer. Raises InputError when there is no such user."""
        self._known_user(name)
        self._write({other: kept for other, kept in self._read().items() if other != name})

    def give_token(self, name: str) -> str:
        """A new token for the programs of `name`, which ends the one before. It can't be shown again.

        Raises InputError when there is no such user.
        """
        kept, token = self._known_user(name), BEGINS + secrets.token_urlsafe(32)
        self._write({**self._read(), name: replace(kept, token=_token_hash(token))})
        return token

    def end_token(self, name: str) -> None:
        """Let the programs of `name` in no longer. Raises InputError when there is no such user."""
        self._write({**self._read(), name: replace(self._known_user(name), token="")})  # nosec B106  which is none

    def holder(self, token: str) -> str | None:
        """Whose token it is."""
        given = _token_hash(token)
        return next((name for name, kept in self._read().items() if hmac.compare_digest(given, kept.token)), None)

    def admits(self, name: str, password: str) -> bool:
        """Whether that is the user's password. Takes as long for a name that nobody has."""
        kept = self._read().get(name)
        with self._lock:  # one at a time: each takes 32 MiB
            return _matches(password[: LONGEST_PASSWORD + 1], kept or _NOBODY) and kept is not None

    def _known_user(self, name: str) -> Hashed:
        known = self._read()
        if name not in known:
            raise InputError(f"There is no user {name[:80]!r}. Known: {', '.join(sorted(known)) or 'nobody'}.")
        return known[name]

    def _read(self) -> dict[str, Hashed]:
        try:
            stat = self._file.stat()
            if (stamp := (stat.st_mtime_ns, stat.st_size)) != self._stamp:
                content = json.loads(self._file.read_text(encoding="utf-8"))
                self._known = {name: Hashed(**kept) for name, kept in content.items()}
                self._stamp = stamp
        except FileNotFoundError:
            self._known, self._stamp = {}, None
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise RagError(
                f"{self._file} can’t be read as a file of users: {error}. Remove it and run `rag user add NAME`."
            ) from error
        return self._known

    def _write(self, users: dict[str, Hashed]) -> None:
        draft = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        content = {name: asdict(kept) for name, kept in sorted(users.items())}
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(content, stream, indent=1)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(self._file)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise RagError(
                f"{self._file} can’t be written: {error.strerror}. Set RAG_USERS to another file."
            ) from error


def _hashed(password: str) -> Hashed:
    salt = secrets.token_bytes(16)
    return Hashed(salt.hex(), _key(password, salt, ROUNDS, BLOCK, LANES).hex(), ROUNDS, BLOCK, LANES)


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()  # 256 random bits: nothing to slow down


def _matches(password: str, kept: Hashed) -> bool:
    key = _key(password, bytes.fromhex(kept.salt), kept.rounds, kept.block, kept.lanes)
    return hmac.compare_digest(key, bytes.fromhex(kept.key))


def _key(password: str, salt: bytes, rounds: int, block: int, lanes: int) -> bytes:
    room = 256 * rounds * block  # twice what scrypt needs at least
    encoded = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(encoded, salt=salt, n=rounds, r=block, p=lanes, maxmem=room, dklen=32)


_NOBODY = Hashed("00" * 16, "00" * 32, ROUNDS, BLOCK, LANES)
"""What a name that nobody has is compared with: no password is known to give this key."""
