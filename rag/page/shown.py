"""What a tab of the Ask view shows: one conversation, as a value, and its markup."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rag import rendering
from rag.exchanges import Conversation, Draft, Exchange, Feedback
from rag.exporting import answer_to_paste
from rag.rendering import Html, Tools
from rag.rights import Readable, withheld


@dataclass(frozen=True, slots=True)
class Shown:
    """The conversation that a tab shows."""

    id: str = ""
    """Empty for one that has not begun, or can't be saved."""
    title: str = ""
    exchanges: tuple[Exchange, ...] = ()
    feedback: Mapping[int, Feedback] = field(default_factory=dict)
    shared: str = ""
    """Token of its shared copy."""
    editing: int = 0
    """Number of the exchange whose place the next question takes."""
    read_only: bool = False

    @property
    def earlier(self) -> tuple[Exchange, ...]:
        """The exchanges before the next question: all, or those before the one whose place it takes."""
        if self.read_only:
            return ()
        until = self.editing - 1 if self.editing else None
        return tuple(rendering.stopped(one) for one in self.exchanges[:until])

    def place_html(self, opened: bool = False) -> Html:
        """Which conversation it is and what can be done with the whole of it, at once to be seen where `opened`."""
        shared = f"?shared={self.shared}" if self.shared else ""
        return rendering.place_html(self.id, self.title, shared, self.read_only, opened)

    def exchanges_html(self) -> Html:
        """All exchanges, one below the other."""
        return rendering.conversation_html(self.exchanges, self._tools)

    def past_html(self) -> Html:
        """All exchanges but the newest."""
        return rendering.conversation_html(self.exchanges[:-1], self._tools)

    def last_html(self) -> Html:
        """The newest exchange; empty where there is none."""
        return rendering.conversation_html(self.exchanges[-1:], self._tools)

    def _tools(self, exchange: Exchange) -> Tools | None:
        if isinstance(exchange.outcome, Draft) or self.read_only:
            return None
        plain, cited = (answer_to_paste(exchange, citations) for citations in (False, True))
        return Tools(plain, cited, self.feedback.get(exchange.number))


def shown_from(kept: Conversation, readable: Readable, read_only: bool = False) -> Shown:
    """A saved conversation as it is shown; `read_only` where it is the copy that somebody shared.

    What isn't `readable` is withheld, be it because rights have changed, or of a copy because those of another count.
    """
    token = "" if read_only else kept.token or ""
    exchanges = withheld(kept.exchanges, readable)
    return Shown(kept.id, kept.title, exchanges, kept.feedback, token, read_only=read_only)
