"""What becomes of an exchange with each event of its answer, and how a conversation looks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rag.exchanges import Draft, Exchange, Outcome, Stopped, Trouble
from rag.languages import counted, later, said
from rag.rendering.escape import Html, joined
from rag.rendering.html import (
    answer_citations,
    answer_html,
    draft_html,
    error_card,
    exchange_frame,
    passages_html,
    stopped_html,
    working_html,
)
from rag.rendering.talk import Tools, tools_html
from rag.rendering.wording import ABSTAINED, NO_ANSWER, cited_numbers
from rag.types import Answer, Event, Finished, PassagesFound, TextPiece, Turn


def advanced(exchange: Exchange, event: Event) -> Exchange:
    """The exchange after the next event of its answer."""
    draft = exchange.outcome if isinstance(exchange.outcome, Draft) else Draft("")
    match event:
        case PassagesFound(passages):
            doing = f"Reading {len(passages)} passages" if len(passages) > 1 else "Reading"
            return replace(exchange, outcome=replace(draft, doing=doing, passages=passages))
        case TextPiece(text):
            return replace(exchange, outcome=replace(draft, text=draft.text + text))
        case Finished(answer):
            return replace(exchange, outcome=answer)


def delayed(exchange: Exchange, doing: str) -> Exchange:
    """The exchange while it waits for something else."""
    return replace(exchange, outcome=Draft(doing))


def failed(exchange: Exchange, message: str) -> Exchange:
    """The exchange after an error; passages that were found stay."""
    passages = exchange.outcome.passages if isinstance(exchange.outcome, Draft) else ()
    return replace(exchange, outcome=Trouble(message, passages))


def stopped(exchange: Exchange) -> Exchange:
    """The exchange once nothing more will come: a draft counts as stopped, anything else is final already."""
    if not isinstance(exchange.outcome, Draft):
        return exchange
    return replace(exchange, outcome=Stopped(exchange.outcome))


def turns(exchanges: Iterable[Exchange]) -> tuple[Turn, ...]:
    """The finished exchanges as history for the next question."""
    return tuple(
        Turn(exchange.question, exchange.outcome.text) for exchange in exchanges if isinstance(exchange.outcome, Answer)
    )


def summary(exchange: Exchange) -> str:
    """How the exchange stands, in a few words for a status line; empty for an error, which speaks for itself."""
    match exchange.outcome:
        case Draft():
            return said("Answering. Stop ends it.")
        case Stopped():
            return said("Stopped.")
        case Answer(abstained=True):
            return said(ABSTAINED)
        case Answer() as answer:
            count = len(cited_numbers(answer))
            return counted("Answered from {number} source.", "Answered from {number} sources.", count)
    return ""


def exchange_html(exchange: Exchange, tools: Tools | None = None) -> Html:
    """The question with what came of it so far, and below it `tools`, once nothing more will come."""
    outcome, scope = exchange.outcome, exchange.scope
    pending = isinstance(outcome, Draft)
    below = tools_html(exchange, tools) if tools and not pending else ""
    return exchange_frame(exchange.question, Html(f"{_body(outcome, scope)}{below}"), scope, pending)


def conversation_html(
    exchanges: Sequence[Exchange], tools: Callable[[Exchange], Tools | None] = lambda _: None
) -> Html:
    """Exchanges one below the other."""
    return joined([exchange_html(exchange, tools(exchange)) for exchange in exchanges])


def evidence_html(exchanges: Sequence[Exchange]) -> Html:
    """The passages of every exchange, of which only the newest's show until a mark of another is followed."""
    return joined([_evidence(exchange, hidden=exchange is not exchanges[-1]) for exchange in exchanges])


def _body(outcome: Outcome, scope: str) -> Html:
    match outcome:
        case Draft(doing, _, ""):
            return working_html(doing)
        case Draft(_, passages, text):
            return draft_html(text, passages, scope)
        case Stopped(Draft(_, passages, text)):
            return stopped_html(text, passages, scope)
        case Trouble(message, _):
            return error_card(message)
        case Answer():
            return answer_html(outcome, scope)


def _evidence(exchange: Exchange, hidden: bool) -> Html:
    question, scope = exchange.question, exchange.scope
    match exchange.outcome:
        case Draft(_, passages, _):
            return passages_html(passages, scope, later("Being read"), (), question, hidden)
        case Stopped(Draft(_, passages, _)) | Trouble(_, passages):
            return passages_html(passages, scope, later("Passages found"), (), question, hidden)
        case Answer() as answer:
            title = NO_ANSWER if answer.abstained else later("Sources")
            cited = answer_citations(answer)
            return passages_html(answer.passages, scope, title, cited, question, hidden, file_links=True)
