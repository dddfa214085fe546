"""How an answer came about, on the page and in a terminal; all that is foreign is hostile here."""

from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from rag.inspecting import (
    Asked,
    Candidate,
    Decision,
    Explained,
    Fate,
    Inspection,
    Place,
    Purpose,
    Weighed,
    shares,
)
from rag.rendering import inspection_html, inspection_text, page_head
from rag.types import Chunk, Document, Prompt, Reason, Timeframe
from tests.test_rendering import HOSTILE, answer, refusal

DECISION = Decision(
    (Weighed("answerable", 0.9, 2.0, 0.31, assumed=False), Weighed("named", 1.0, 0.0, 0.0, assumed=False)),
    intercept=-2.0,
    confidence=0.9,
    threshold=0.6,
    max_wrong=0.2,
    risk=0.1,
    questions=127,
    strict=False,
)
PROMPT = Prompt("Use only the passages.", ("Passage [1]: It pays.", "Passage [2]: It began."), "Question: how much?")


def candidate(rank: int = 1, fate: Fate = Fate.GIVEN, text: str = "It pays.", title: str = "The bill") -> Candidate:
    document = Document("d", title, text, "seeds/bill.txt", None, None, "0")
    return Candidate(
        Chunk(f"c{rank}", "d", 0, len(text)),
        document,
        dense=Place(0.774, 3),
        words=None,
        mixed=Place(0.46, rank),
        reranked=Place(2.5, rank),
        best=(0, len(text)),
        relevance=0.7,
        best_of="",
        preferred=False,
        fate=fate,
        passage=1 if fate is Fate.GIVEN else None,
    )


def inspection(*candidates: Candidate, part: str = "what of it?", change: str = "It is other now.") -> Inspection:
    prompts = (
        Asked(Purpose.CHECK, PROMPT, 4, (40, 50), 6),
        Asked(Purpose.ANSWER, replace(PROMPT, request="Question: how much? Answer it."), 4, (40, 50), 9),
    )
    return Inspection(
        answer=answer(),
        found=Explained((part,), candidates or (candidate(),), (), 0.7),
        most_passages=4,
        most_tokens=400,
        prompts=prompts,
        answer_tokens=37,
        stages=shares([("searching", 0.5), ("writing", 1.5)]),
        decision=DECISION,
        changes=(change,),
    )


class Outline(HTMLParser):
    """Elements with their attributes, and those that were left open or closed twice."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_foreign_becomes_markup_or_moves_a_cursor(hostile: str) -> None:
    calm, attacked = (
        replace(
            inspection(candidate(text=text, title=text), part=text, change=text),
            prompts=(Asked(Purpose.CHECK, Prompt(text, (text,), text), 1, (1,), 1),),
            answer=replace(answer(), question=text, standalone_question=f"{text}?"),
        )
        for text in ("calm", hostile)
    )
    assert [tag for tag, _ in Outline(inspection_html(attacked)).elements] == [
        tag for tag, _ in Outline(inspection_html(calm)).elements
    ]
    assert "\x1b" not in inspection_text(attacked)
    assert "\u202e" not in inspection_text(attacked)


def test_tables_have_captions_and_heads_and_what_scrolls_can_be_focused() -> None:
    outline = Outline(inspection_html(inspection(*[candidate(rank) for rank in range(1, 15)])))
    assert outline.open == []
    assert len(outline.all("table")) == len(outline.all("caption")) == 3
    assert {head["scope"] for head in outline.all("th")} == {"col", "row"}
    scrolling = [one for one in outline.all("div") if one.get("class") == "table-scroll"] + outline.all("pre")
    assert all(one["tabindex"] == "0" and one["role"] == "region" and one["aria-label"] for one in scrolling)


def test_stages_have_bars_as_wide_as_their_share_and_say_so_in_words() -> None:
    markup = inspection_html(inspection())
    bars = [one["style"] for one in Outline(markup).all("span") if one.get("class") == "stage-bar"]
    assert bars == ["width: 25.0%", "width: 75.0%"]
    assert "0.5 s, 25 %" in markup
    assert "2.0 s in all" not in markup  # the answer's own total is 3.1 s
    assert "3.1 s in all; the first word came after 0.9 s" in markup


def test_the_text_shows_everything_in_order() -> None:
    lines = inspection_text(inspection(candidate(), candidate(2, Fate.OVER_BUDGET, "It began."))).splitlines()
    assert lines == [
        "Why",
        "Given: it is 90 % sure to be right. Answers are given from 60 % on, so that at most 20 % of them are wrong.",
        "! It is other now.",
        "",
        "Decision",
        "signal                                                    value  weight    adds",
        "the reader thinks that the passages state the answer      0.90   2.00      +31 points",
        "names and figures of the question that the passages hold  1.00   not used",
        "From this confidence on 10 % of the answers to 127 other questions were wrong. "
        "Sentences that nothing supports are shown with a mark.",
        "",
        "Timings",
        "searching  ████████                0.5 s, 25 %",
        "writing    ██████████████████████  1.5 s, 75 %",
        "3.1 s in all; the first word came after 0.9 s",
        "",
        "Search",
        "Part of it: what of it?",
        "Chunks found: 2, given to the reader: 1, joined into passages: 0. "
        "Allowed are 4 passages of 400 tokens together.",
        "  1 The bill · bill.txt: given to the reader: [1]",
        "    by meaning 0.77 (3), by words –, by both 0.46 (1), read closely 2.50",
        "    “It pays.”",
        "  2 The bill · bill.txt: cut: too long for the tokens left",
        "    by meaning 0.77 (3), by words –, by both 0.46 (2), read closely 2.50",
        "    “It began.”",
        "",
        "Prompts",
        "Ask whether the passages state the answer: 100 tokens (4 instructions, 90 passages, 6 request)",
        "  Instructions, 4 tokens",
        "    | Use only the passages.",
        "  Passage 1, 40 tokens",
        "    | Passage [1]: It pays.",
        "  Passage 2, 50 tokens",
        "    | Passage [2]: It began.",
        "  Request, 6 tokens",
        "    | Question: how much?",
        "Ask for the answer: 103 tokens (4 instructions, 90 passages, 9 request)",
        "  It begins with the same instructions and passages, which the reader needn’t read again.",
        "  Request, 9 tokens",
        "    | Question: how much? Answer it.",
        "Answer: 37 tokens",
    ]


def test_the_question_as_it_was_searched_for_is_shown_where_it_is_another() -> None:
    asked = replace(inspection(), answer=answer(standalone="how much does TikTok pay?"))
    assert "<dt>The question, standing alone</dt>" in inspection_html(asked)
    assert "The question, standing alone: how much does TikTok pay?" in inspection_text(asked)


def test_what_was_left_out_before_and_what_dates_did_are_said() -> None:
    dated = replace(candidate(1), preferred=True, document=replace(candidate().document, published="2023-05-14"))
    gone = replace(candidate(2, Fate.OTHER_TIME), mixed=None, reranked=None, best=None)
    copy = replace(candidate(3, Fate.COPY), mixed=None, reranked=None, best=None)
    made = inspection(dated, gone, copy)
    made = replace(made, found=replace(made.found, timeframe=Timeframe(date(2023, 5, 1), date(2023, 5, 31))))
    lines = inspection_text(made).splitlines()
    assert "Articles published from 1 May 2023 until 31 May 2023 were preferred." in lines
    assert "  1 The bill · bill.txt · 14 May 2023: given to the reader: [1]; preferred for its date" in lines
    assert "  – The bill · bill.txt: left out: the article is of another time" in lines
    assert "  – The bill · bill.txt: left out: another version of the article says the same" in lines
    assert lines.count("    by meaning 0.77 (3), by words –, by both –, read closely not read") == 2
    markup = inspection_html(made)
    assert '<p class="inspection-note">Articles published from 1 May 2023 until 31 May 2023 were preferred.' in markup
    assert '<tr class="other-time"><th scope="row">–</th>' in markup


def test_many_candidates_are_counted_by_what_became_of_them() -> None:
    many = [candidate(rank) for rank in range(1, 13)]
    more = [candidate(13, Fate.NO_PLACE), candidate(14, Fate.NO_PLACE), candidate(15, Fate.SAME_WORDS)]
    shown = inspection_text(inspection(*many, *more))
    counts = "3 more (2 cut: all places were taken, 1 cut: a better one has the same words)"
    assert f"\nand {counts}\n" in shown
    assert f"<summary>{counts}</summary>" in inspection_html(inspection(*many, *more))


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (Reason.NOTHING_FOUND, "Refused: neither search found a passage."),
        (
            Reason.UNLIKELY,
            "Refused before anything was written: the answer could have become at most 10 % sure. "
            "Answers are given from 60 % on, so that at most 20 % of them are wrong.",
        ),
        (Reason.READER_ABSTAINED, "Refused: the reader wrote that it found no answer in what it read."),
        (Reason.UNSUPPORTED, "Withheld: no sentence that the reader wrote is supported by the passages."),
        (
            Reason.UNSURE,
            "Withheld: what the reader wrote is 10 % sure to be right. "
            "Answers are given from 60 % on, so that at most 20 % of them are wrong.",
        ),
    ],
)
def test_a_refusal_says_why_in_numbers(reason: Reason, sentence: str) -> None:
    refused = replace(inspection(), answer=refusal(reason), answer_tokens=0)
    assert inspection_text(refused).splitlines()[1] == sentence
    assert f'<p class="why">{sentence}</p>' in inspection_html(refused)
    assert "No answer is shown." in inspection_text(refused)
    assert ("it isn’t kept" in inspection_text(refused)) is (reason is Reason.UNSURE)


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [
        (
            replace(DECISION, threshold=0.0, max_wrong=1.0),
            "As up to 100 % of the answers may be wrong, none is refused for its confidence.",
        ),
        (
            replace(DECISION, threshold=0.8, max_wrong=0.02),
            "Answers are given from 80 % on, where 10 % were wrong in a trial; at most 2 % can't be reached.",
        ),
    ],
)
def test_the_threshold_is_explained(decision: Decision, sentence: str) -> None:
    assert sentence in inspection_text(replace(inspection(), decision=decision))


def test_an_answer_from_memory_has_nothing_to_show_for_it() -> None:
    decision = replace(DECISION, signals=())
    bare = replace(inspection(), found=Explained((), (), (), 0.0), prompts=(), stages=(), decision=decision, changes=())
    for shown in (inspection_text(bare), inspection_html(bare)):
        assert "Given without a check: the reader answered from memory." in shown
        assert "Nothing was found." in shown
        assert "The reader was asked nothing." in shown


def test_the_page_has_the_inspector_s_style() -> None:
    assert ".inspection" in page_head()
