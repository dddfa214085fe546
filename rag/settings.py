"""One `Settings` for every command and the page.

A value comes from the first of: `rag --set NAME=VALUE`, a `RAG_*` environment variable, `rag.toml` in the current
folder, the default below. `--set index=news`, `RAG_INDEX=news` and `index = "news"` in `rag.toml` say the same.
"""

from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from rag.errors import SettingsError

FILE = "rag.toml"

UNSPOKEN = "unspoken"
"""Type of a problem whose value isn't repeated."""

PARTS = ("title", "text", "date", "author", "url")
"""Of an article, that a field may hold."""


SECRET = ("database", "store_token")
"""Settings whose values are never printed."""


class EngineChoice(StrEnum):
    """What may run the reader; `auto` measures which of the two local ones is faster here, once."""

    AUTO = "auto"
    TRANSFORMERS = "transformers"
    LLAMA_CPP = "llama_cpp"
    OPENAI_COMPATIBLE = "openai_compatible"
    """A server; see docs/servers.md."""


def default_models_folder() -> Path:
    """The platform's cache folder, such as ~/.cache/citeline/models."""
    return platformdirs.user_cache_path("citeline") / "models"


def default_users_file() -> Path:
    """In the platform's folder for settings, such as ~/.config/citeline/users.json."""
    return platformdirs.user_config_path("citeline") / "users.json"


class Login(StrEnum):
    """Who has to log in on the page."""

    AUTO = "auto"
    """Everyone, where others than this machine can reach it."""
    ALWAYS = "always"
    NEVER = "never"
    """Nobody, even where the whole network can reach it."""


class LogFormat(StrEnum):
    """How a server writes its log."""

    TEXT = "text"
    JSON = "json"


class Store(StrEnum):
    """What holds the library."""

    LOCAL = "local"
    """Files in the folder `index`."""
    MILVUS = "milvus"
    """Milvus and PostgreSQL, which many machines share."""


class Settings(BaseSettings):
    """What a user may change. Build it with `load_settings`, which turns bad values into a `SettingsError`."""

    model_config = SettingsConfigDict(env_prefix="RAG_", toml_file=FILE, extra="forbid", frozen=True)

    index: Path = Field(Path("index"), description="folder of the library")
    models: Path = Field(default_factory=default_models_folder, description="folder of the model files")
    conversations: Path | None = Field(
        None, description="folder of the saved conversations; that of the library when not set"
    )
    store: Store = Field(Store.LOCAL, description="what holds the library: local files, or milvus with PostgreSQL")
    store_uri: str = Field("", description="address of Milvus, or a Milvus Lite file ending in .db")
    store_token: SecretStr = Field(SecretStr(""), description="NAME:PASSWORD or API key for Milvus")
    database: SecretStr = Field(SecretStr(""), description="URL of the PostgreSQL database")
    offline: bool = Field(False, description="never look for models on the network")

    embedder: str = Field("all-MiniLM-L6-v2", description="model that turns text into vectors")
    reader: str = Field("qwen2.5-coder-1.5b-instruct", description="model that writes answers")
    engine: EngineChoice = Field(EngineChoice.AUTO, description="what runs the reader")
    server: str = Field("", description="address of the server that runs the reader, for engine = openai_compatible")
    server_model: str = Field("", description="model on the server, as it calls it; the only one when not set")
    server_context: int | None = Field(
        None, ge=512, le=10_000_000, description="tokens the server takes at once; what it says when not set"
    )
    server_timeout: float = Field(
        120, ge=1, le=3_600, description="seconds without a sign of an answer after which the server is given up"
    )
    server_plain_http: bool = Field(False, description="send the server's key to another machine over http:// too")
    fallback: bool = Field(False, description="let the reader here answer while the server can't be reached")
    threads: int | None = Field(None, ge=1, le=1024, description="threads for the reader; all cores when not set")

    chunk_tokens: int = Field(160, ge=32, le=256, description="word pieces in a chunk, title included, at most")
    chunk_overlap: int = Field(1, ge=0, le=8, description="sentences that neighbouring chunks share")

    fields: str = Field(
        "", description="fields of records that hold title, text, date, author and url, as in title=headline,text=body"
    )

    candidates: int = Field(40, ge=1, le=1000, description="chunks each search contributes before they are fused")
    passages: int = Field(4, ge=1, le=20, description="passages given to the reader, at most")
    passage_tokens: int = Field(400, ge=50, le=16_000, description="reader tokens all passages may take together")
    answer_tokens: int = Field(160, ge=16, le=2_000, description="reader tokens an answer may take")
    target_seconds: float = Field(
        6,
        ge=0,
        le=3_600,
        description="in which a typical answer of the page or of `rag ask` shall be there; 0 for never mind",
    )
    max_wrong: float = Field(
        0.385, ge=0, le=1, description="at most this share of the answers given may be wrong; the others are refused"
    )
    calibration: Path | None = Field(
        None, description="file that `rag calibrate` wrote; the one that comes with Citeline when not set"
    )
    strict: bool | None = Field(
        None, description="leave out sentences that nothing supports; when not set, only batch and eval do"
    )

    host: str = Field("127.0.0.1", description="address the page listens on")
    port: int = Field(7860, ge=1, le=65_535, description="port the page listens on")
    hosts: str = Field("", description="other host names the page is reached by, with commas between them")
    login: Login = Field(Login.AUTO, description="who has to log in on the page: auto, always or never")
    users: Path = Field(default_factory=default_users_file, description="file of those who may log in")
    rights: Path | None = Field(
        None, description="file that says who may read which articles; everybody may read all when not set"
    )
    editors: str = Field(
        "", description="users who may change the library on the page, with commas between; all where not set"
    )
    api: bool | None = Field(
        None, description="let programs ask, by REST and MCP; when not set, where only this machine reaches the page"
    )
    questions_per_minute: int = Field(60, ge=1, le=10_000, description="presses of a button a reader may make")
    waiting: int = Field(20, ge=1, le=1_000, description="questions that may wait in line, at most")
    ahead: bool = Field(True, description="prepare a question on the page while it is being typed")
    log_texts: bool = Field(False, description="let the log quote questions and articles")
    log_format: LogFormat = Field(LogFormat.TEXT, description="text, or json with a line for every question")
    metrics: bool = Field(False, description="let Prometheus collect counts and times from /metrics")
    stop_seconds: float = Field(30, ge=0, le=3600, description="in which running answers finish when a server is ended")

    @property
    def conversations_folder(self) -> Path:
        """Where conversations are saved."""
        return self.index if self.conversations is None else self.conversations

    @field_validator("fields", mode="before")
    @classmethod
    def _one_mapping(cls, given: object) -> str:
        """A table of `rag.toml` as text: {title = "headline", text = ["body", "story"]}."""
        pairs = _pairs(given)
        wrong = next((f"{part}={name}" for part, name in pairs if part not in PARTS or not name), None)
        if wrong is not None:
            raise PydanticCustomError("fields", "{wrong} names no field; the parts are {parts}, as in {example}", {
                "wrong": repr(wrong), "parts": ", ".join(PARTS), "example": 'title=headline,text=body',
            })  # fmt: skip
        return ",".join(f"{part}={name}" for part, name in pairs)

    @field_validator("server", mode="after")
    @classmethod
    def _no_secret(cls, given: str) -> str:
        """An address that may be shown and written down."""
        parts = urlsplit(given)
        if given and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise PydanticCustomError(UNSPOKEN, "it has to be an address such as http://127.0.0.1:8000")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise PydanticCustomError(UNSPOKEN, "it holds more than an address; a key belongs in RAG_SERVER_KEY")
        return given

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def _pairs(given: object) -> list[tuple[str, str]]:
    """(part, name of a field) of "title=headline,text=body" or of {"title": "headline", "text": ["body"]}."""
    if isinstance(given, dict):
        several = {part: names if isinstance(names, list) else [names] for part, names in given.items()}
        return [(str(part), _one_name(name)) for part, names in several.items() for name in names]
    pairs = [pair.partition("=") for pair in str(given).split(",") if pair.strip()]
    return [(part.strip(), name.strip()) for part, _, name in pairs]


def _one_name(name: object) -> str:
    """Empty for what can't be one."""
    return name.strip() if isinstance(name, str) and "," not in name else ""


def load_settings(**given: Any) -> Settings:
    """Settings from what is `given` by name, the environment and `rag.toml`.

    Raises SettingsError naming every value that isn't accepted, and what would be.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(problem) for problem in error.errors())) from error
    except ValueError as error:  # tomllib's, for a rag.toml that isn't TOML
        raise SettingsError(f"{FILE} can't be read: {error}. Correct it or remove it.") from error


def _explain(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == UNSPOKEN:
        return f"{name} isn't accepted: {problem['msg']}."
    if name == "server_key":
        return "A key is no setting, so that it stands in no file: set the environment variable RAG_SERVER_KEY."
    if problem["type"] == "extra_forbidden":
        return f"There is no setting called {name!r}. Known: {', '.join(Settings.model_fields)}."
    given = "…" if name in SECRET else repr(problem["input"])
    return (
        f"{name} = {given} isn't accepted: {problem['msg']}. "
        f"Change --set {name}=…, RAG_{name.upper()} or {name} in {FILE}."
    )
