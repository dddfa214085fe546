"""The page in its reader's language, which is the one that their browser names first.

What stands on the page from the beginning is in all languages at once, of which Gradio shows one: `label` for a text,
`fixed` for markup. What a handler makes is in the language of its request: `in_readers_language`.
"""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial, wraps
from typing import Any, TypeVar

import gradio as gr
from gradio.i18n import I18nData

from rag.languages import languages, preferred, said, speaking
from rag.rendering import Html

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Local(I18nData):
    """What Gradio shows in the browser's language: its name, and how it is made in the language spoken."""

    def __init__(self, key: str, make: Callable[[], str]) -> None:
        super().__init__(key)
        self.make = make


def label(text: str) -> Local:
    """A text of the page's own, for a component."""
    return Local(text, partial(said, text))


def fixed(name: str, make: Callable[[], Html]) -> Local:
    """Markup that no handler makes anew, under a name of its own."""
    return Local(f"markup {name}", make)


def translations(page: gr.Blocks) -> gr.I18n:
    """All that stands on the page as `label` or `fixed`, in all languages."""
    given = [value for block in page.blocks.values() for value in block.constructor_args.values()]
    found = {value.key: value.make for value in given if isinstance(value, Local)}
    return gr.I18n(**{language: _in(language, found) for language in languages()})


def in_readers_language(handler: Handler) -> Handler:
    """A handler, with a `gr.Request` among its parameters, that speaks the language of who sent it.

    Each step of a generator is taken by itself: Gradio may take the next on another thread.
    """

    @wraps(handler)
    def answer(*given: Any, **named: Any) -> Any:
        with speaking(_language(given, named)):
            return handler(*given, **named)

    @wraps(handler)
    def steps(*given: Any, **named: Any) -> Iterator[Any]:
        language, updates = _language(given, named), handler(*given, **named)
        try:
            while True:
                with speaking(language):
                    try:
                        update = next(updates)
                    except StopIteration:
                        return
                yield update
        finally:
            updates.close()

    @wraps(handler)
    async def async_steps(*given: Any, **named: Any) -> AsyncIterator[Any]:
        language, updates = _language(given, named), handler(*given, **named)
        try:
            while True:
                with speaking(language):
                    try:
                        update = await anext(updates)
                    except StopAsyncIteration:
                        return
                yield update
        finally:
            await updates.aclose()

    if inspect.isasyncgenfunction(handler):
        return async_steps  # type: ignore[return-value]
    return steps if inspect.isgeneratorfunction(handler) else answer  # type: ignore[return-value]


def _in(language: str, made: dict[str, Callable[[], str]]) -> dict[str, str]:
    with speaking(language):
        return {key: make() for key, make in made.items()}


def _language(given: tuple[Any, ...], named: dict[str, Any]) -> str:
    request = next(value for value in (*given, *named.values()) if isinstance(value, gr.Request))
    return preferred(request.headers.get("accept-language"))
