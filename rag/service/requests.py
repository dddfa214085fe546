"""What a chat client asks for, of which a question with its history is made.

Fields that only tune how a model writes, such as `temperature`, are let pass without effect: answers are chosen
greedily, whatever they say. What a client would wait for in vain, such as several choices, is refused by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from rag.errors import InputError
from rag.rendering import without_references
from rag.types import Turn

PLAIN, WITH_SOURCES = "citeline", "citeline-sources"
MODELS = (PLAIN, WITH_SOURCES)
"""What a client may name as its model: the second one's texts end with a list of the sources."""

MOST_DOCUMENTS = 200
"""To which one question may be limited."""


class Unaccepted(InputError):
    """A request that can't be honoured; `param` names the field, `status` and `code` are as OpenAI's."""

    def __init__(self, message: str, param: str | None = None, status: int = 400, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A question as a chat client asks it."""

    model: str
    question: str
    history: tuple[Turn, ...] = ()
    stream: bool = False
    with_usage: bool = False
    """Whether a stream ends with what was used."""
    references: bool = False
    """Whether the text ends with a list of the sources."""
    documents: tuple[str, ...] = ()
    """Ids of the only articles to answer from; all where empty."""
    strict: bool | None = None


def chat_request(content: object) -> ChatRequest:
    """What the body of a request asks for. Raises Unaccepted."""
    if not isinstance(content, dict):
        raise Unaccepted("Send a JSON object with model and messages.")
    model = model_named(content.get("model"))
    _check_fields(content)
    question, history = _talk(content.get("messages"))
    options = _kind(content, "stream_options", dict) or {}
    asked = ChatRequest(
        model,
        question,
        history,
        stream=_kind(content, "stream", bool) or False,
        with_usage=_kind(options, "include_usage", bool) or False,
        references=model == WITH_SOURCES,
    )
    return _with_own(asked, _kind(content, "citeline", dict) or {})


def model_named(name: object) -> str:
    """The name, once it is known. Raises Unaccepted."""
    if not isinstance(name, str):
        raise Unaccepted(f"model is one of {', '.join(MODELS)}.", "model")
    if name not in MODELS:
        message = f"There is no model {name[:80]!r} here. Known: {', '.join(MODELS)}."
        raise Unaccepted(message, "model", 404, "model_not_found")
    return name


def _check_fields(content: Mapping[str, Any]) -> None:
    """Raises Unaccepted for what would change the form of an answer."""
    if content.get("n") not in (None, 1):
        raise Unaccepted("n is 1: a question has one answer.", "n")
    if content.get("stop"):
        raise Unaccepted("stop isn't supported: an answer is checked, and so sent, as a whole.", "stop")
    if content.get("logprobs"):
        raise Unaccepted("logprobs aren't told; `citeline.confidence` of the answer says how sure it is.", "logprobs")
    for name in ("tool_choice", "function_call"):
        if content.get(name) not in (None, "auto", "none"):
            raise Unaccepted(f"{name} can't be made to happen: answers come from articles and call nothing.", name)
    form = content.get("response_format")
    if form is not None and (not isinstance(form, dict) or form.get("type") != "text"):
        raise Unaccepted("response_format is text; the field `citeline` of the answer holds JSON.", "response_format")
    if content.get("modalities") not in (None, ["text"]) or content.get("audio"):
        raise Unaccepted("Answers are text alone.", "modalities")


def _talk(messages: object) -> tuple[str, tuple[Turn, ...]]:
    """The last message, which is a user's, and the exchanges before it. Orders of a system are none here."""
    if not isinstance(messages, list) or not messages:
        raise Unaccepted("messages is a list of messages, the last of which is the question.", "messages")
    said = [_said(message, f"messages[{at}]") for at, message in enumerate(messages)]
    said = [(role, text) for role, text in said if role in ("user", "assistant") and text.strip()]
    if not said or said[-1][0] != "user":
        raise Unaccepted("The last message is the user's question, and there is none.", "messages")
    pairs = pairwise(said)
    turns = [
        Turn(text, without_references(reply))
        for (role, text), (replying, reply) in pairs
        if (role, replying) == ("user", "assistant")
    ]
    return said[-1][1], tuple(turns)


def _said(message: object, param: str) -> tuple[str, str]:
    """Role and text of a message."""
    if not isinstance(message, dict):
        raise Unaccepted("A message has a role and a content.", param)
    role, content = message.get("role"), message.get("content")
    if role in ("system", "developer", "tool", "function"):
        return role, ""
    if role not in ("user", "assistant"):
        raise Unaccepted("A message's role is user or assistant.", f"{param}.role")
    if content is None and role == "assistant":  # which called a tool, elsewhere
        return role, ""
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    return role, "\n".join(_part(part, role, f"{param}.content") for part in parts)


def _part(part: object, role: str, param: str) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if role == "assistant" and kind == "refusal":
        return ""
    text = part.get("text") if isinstance(part, dict) and kind == "text" else None
    if not isinstance(text, str):
        raise Unaccepted("A message's content is text; images, sound and files can't be read here.", param)
    return text.encode("utf-8", "replace").decode("utf-8")


def _with_own(asked: ChatRequest, own: Mapping[str, Any]) -> ChatRequest:
    """With the wishes of the field `citeline`, which only clients that know Citeline send."""
    if unknown := next(iter(set(own) - {"references", "documents", "strict"}), None):
        message = f"citeline takes references, documents and strict, and not {unknown[:80]!r}."
        raise Unaccepted(message, "citeline")
    documents = _kind(own, "documents", list) or []
    if len(documents) > MOST_DOCUMENTS or not all(isinstance(name, str) for name in documents):
        raise Unaccepted(f"documents is a list of at most {MOST_DOCUMENTS} ids of articles.", "citeline.documents")
    references = _kind(own, "references", bool)
    return replace(
        asked,
        references=asked.references if references is None else references,
        documents=tuple(documents),
        strict=_kind(own, "strict", bool),
    )


def _kind(fields: Mapping[str, Any], name: str, kind: type) -> Any:
    """The field's value, or None where it is left out. Raises Unaccepted for one of another kind."""
    value = fields.get(name)
    if value is not None and not isinstance(value, kind):
        words = {bool: "true or false", dict: "an object", list: "a list"}
        raise Unaccepted(f"{name} is {words[kind]}.", name)
    return value


def texts_of(asked: ChatRequest) -> Sequence[str]:
    """All that was said, to be counted."""
    return [asked.question, *(text for turn in asked.history for text in (turn.question, turn.answer))]
