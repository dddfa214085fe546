"""A conversation with every kind of outcome, and what is hostile in a text."""

from dataclasses import replace
from datetime import UTC, datetime

from rag.exchanges import Conversation, Draft, Exchange, Feedback, Outcome, Stopped, Trouble, Vote
from rag.types import Answer, Citation, Verdict
from tests.conversations.samples import COST, FIRST, SECOND, VAREL, answer, document, passage, refusal

BEGAN = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def conversation(*outcomes: Outcome, question: str = "What does the ferry cost?") -> Conversation:
    exchanges = tuple(Exchange(number, question, outcome) for number, outcome in enumerate(outcomes, 1))
    return Conversation("0a1b", question, BEGAN, BEGAN, exchanges, {1: Feedback(Vote.DOWN, "Too short")})


WHOLE = conversation(
    COST,
    refusal("Who sails?", FIRST, SECOND),
    Stopped(Draft("Reading", (SECOND, FIRST), "It [1] is [2][7] so")),
    Stopped(Draft("Searching")),
    Trouble("Nothing is indexed. Run `rag index`."),
    replace(VAREL, standalone_question="When did the harbour open?"),
    Draft("Reading", (SECOND,), "In 19"),
)

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</para><font size=99>&amp;&lt;",
    "[x](javascript:alert(1)) ![y](http://e.example/p.png) <http://e.example>",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "=====",
    "---",
    "```\ncode",
    "[1]: http://e.example",
    '=HYPERLINK("http://e.example")',
    "\x00\x08\x1b[31m\x7f\x9b \ufffe\uffff",
    "a\u202egpj.exe\u202c \u2066x\u2069",
    "\ud800 lone \udfff",
    "w" * 5000,
    "two\n\nparagraphs\r\nand\u2028lines",
    "***bold*** _it_ ~~no~~ \\",
)


def hostile(text: str) -> Conversation:
    """With the text wherever a conversation holds any."""
    article = document("x", text + " End.", title=text, author=text, published=text, source=text, url=text)
    cited = passage(1, article)
    said = answer(text, (text, (Citation(cited, 0, len(text) + 5),), Verdict.SUPPORTED), passages=(cited,))
    said = replace(said, standalone_question=text + "!")
    outcomes: tuple[Outcome, ...] = (said, _refused(said), Stopped(Draft(text, (cited,), text + " [1]")), Trouble(text))
    return replace(conversation(*outcomes, question=text), feedback={1: Feedback(Vote.UP, text)})


def _refused(said: Answer) -> Answer:
    return replace(said, abstained=True, text="", claims=())
