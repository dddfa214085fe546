"""What is done with a conversation as a whole: found again, exported, shared, renamed, deleted."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import gradio as gr

from rag import rendering
from rag.conversations import Conversations, Found
from rag.errors import InputError
from rag.exporting import Format, exported, file_name
from rag.guarding import Door
from rag.page.shared import owner_of, tried
from rag.page.shown import Shown
from rag.rights import Rights, withheld

TYPES = {
    Format.MARKDOWN: "text/markdown; charset=utf-8",
    Format.JSON: "application/json",
    Format.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Format.PDF: "application/pdf",
}


class Keeping:
    """The saved conversations of whoever a request is from."""

    def __init__(self, saved: Conversations, door: Door, rights: Rights) -> None:
        self._saved = saved
        self._door = door
        self._rights = rights

    def listed(self, request: gr.Request, current: str, wanted: str = "") -> str:
        """All of them, of which `current` is shown, or those in which the words `wanted` stand."""
        owner = owner_of(request)
        if not wanted.strip():
            return rendering.drawer_html(tried(self._door, lambda: self._saved.listed(owner), ()), current)
        found = tried(self._door, lambda: self._saved.search(owner, wanted), ())
        found = [one for one in found if self._may_see(request, one)]
        excerpts = [(one, one.answer if one.answer.spans else one.question) for one in found]
        return rendering.found_html([(one.conversation, one.title, text.text, text.spans) for one, text in excerpts])

    def exported(self, shown: Shown, ending: str, request: gr.Request) -> str:
        """The file that the page fetches by itself. Raises InputError for an unknown format."""
        wanted = next((one for one in Format if one.value == ending or one.name.lower() == ending), None)
        if wanted is None:
            raise InputError(f"There is no format {ending!r}.")
        owner, reader = owner_of(request), request.username
        name = file_name(self._saved.read(owner, shown.id), wanted)
        make = partial(self._file, owner, reader, shown.id, wanted)
        token = self._door.handed.put(reader, name, make if self._rights.limited else make(), TYPES[wanted])
        return rendering.handout_html(f"handed/{token}", name)

    def _file(self, owner: str, reader: str | None, ident: str, wanted: Format) -> bytes:
        """By the rights of the moment, and so made anew each time it is asked for where there are any."""
        kept = self._saved.read(owner, ident)
        return exported(replace(kept, exchanges=withheld(kept.exchanges, self._rights.or_nothing(reader))), wanted)

    def _may_see(self, request: gr.Request, found: Found) -> bool:
        """Whether the reader may still see what was found."""
        readable = self._rights.or_nothing(request.username)
        if readable.everything:
            return True
        exchanges = self._saved.read(owner_of(request), found.conversation).exchanges
        return any(
            one.number == found.number and one == kept
            for one, kept in zip(withheld(exchanges, readable), exchanges, strict=True)
        )

    def changed(self, shown: Shown, detail: Mapping[str, str], request: gr.Request) -> Shown | None:
        """After what `detail["act"]` says: "share", "withdraw", "rename" or "delete", after which there is none."""
        owner, ident = owner_of(request), detail.get("id") or shown.id
        match detail["act"]:
            case "share":
                return replace(shown, shared=self._saved.share(owner, ident))
            case "withdraw":
                self._saved.withdraw(owner, ident)
                return replace(shown, shared="")
            case "rename":
                self._saved.rename(owner, ident, detail.get("title", ""))
                return replace(shown, title=detail["title"].strip())
            case _:
                self._saved.delete(owner, ident)
                return None
