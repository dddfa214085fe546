"""Everything foreign is hostile here: it must come out as text, on the page and in a terminal."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from rag.rendering import (
    Draft,
    Exchange,
    Trouble,
    advanced,
    answer_citations,
    answer_html,
    answer_text,
    cited_numbers,
    conversation_html,
    delayed,
    draft_html,
    error_card,
    escape,
    evidence_html,
    exchange_html,
    failed,
    page_head,
    passages_html,
    plain,
    status_html,
    stopped,
    stopped_html,
    summary,
    timing_parts,
    turns,
    welcome_html,
    working_html,
)
from rag.types import (
    Answer,
    Chunk,
    Citation,
    Claim,
    Document,
    Finished,
    Models,
    Passage,
    PassagesFound,
    Reason,
    TextPiece,
    Timings,
    Turn,
    Verdict,
)

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</mark></p></article><iframe>",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "&lt;b&gt; &amp;",
    "javascript:alert(1)",
    "[x](javascript:alert(1)) **b** <!-- -->",
    "`rm -rf`",
    "\x1b]8;;http://evil\x07link\x1b]8;;\x07",
    "a\u202egpj.exe\u202c",
    "\ud800 lone",
)

#          0         1         2         3         4
#          0123456789012345678901234567890123456789012345678
ARTICLE = "Intro. TikTok pays US$20 million. It has begun. End."
PAYS = (7, 33)
BEGUN = (34, 47)


def passage(number: int = 1, start: int = 0, end: int = len(ARTICLE), **fields: str) -> Passage:
    values = {"title": "The bill", "text": ARTICLE, "source": "seeds/bill.txt"} | fields
    document = Document(
        id=f"d{number}",
        title=values["title"],
        text=values["text"],
        source=values["source"],
        published=values.get("published"),
        author=values.get("author"),
        content_hash="0",
    )
    end = min(end, len(document.text))
    return Passage(number, Chunk(f"c{number}", document.id, start, end), document, document.text[start:end])


def claim(text: str, start: int, *citations: Citation, verdict: Verdict = Verdict.SUPPORTED) -> Claim:
    return Claim(text, start, start + len(text), citations, verdict, 1.0)


FIRST, SECOND = passage(1), passage(2, title="Another", source="C:\\news\\other.md")
TIMINGS = Timings(retrieval=0.05, first_token=0.9, total=3.1)
MODELS = Models("minilm", "tiny", "scripted")


def answer(text: str = "It pays. It began.", standalone: str = "how much?") -> Answer:
    claims = (
        claim("It pays.", 0, Citation(FIRST, *PAYS), Citation(SECOND, *PAYS)),
        claim("It began.", 9, Citation(FIRST, *BEGUN), verdict=Verdict.PARTLY_SUPPORTED),
    )
    passages = (FIRST, SECOND)
    return Answer("how much?", standalone, text, claims, passages, False, Reason.ANSWERED, 0.9, TIMINGS, MODELS)


def refusal(reason: Reason = Reason.UNLIKELY) -> Answer:
    timings = Timings(retrieval=0.004, total=12.4)
    return Answer("who?", "who?", "", (), (FIRST,), True, reason, 0.1, timings, MODELS)


class Elements(HTMLParser):
    """Start tags and attributes of markup, as a browser would see them."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, with ümlaut\tand tab", "plain, with ümlaut\tand tab"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("\x1b[31mred\x1b[0m\x07", "[31mred[0m"),
        ("c1 \x9b31m", "c1 31m"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ("\u2066isolated\u2069", "isolated"),
        ("zero\u200bwidth\ufeff\u2060", "zerowidth"),
        ("pass\u200dword \u200c", "password "),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian needs the joiner
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("lone \ud83d", "lone \ufffd"),
    ],
)
def test_plain_drops_what_can_not_be_seen(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_escape_covers_quotes_and_what_hidden_characters_split() -> None:
    assert escape("<a href=\"x\" id='y'>&amp;") == "&lt;a href=&quot;x&quot; id=&#x27;y&#x27;&gt;&amp;amp;"
    assert escape("<scr\x00ipt>") == "&lt;script&gt;"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_markup_lets_anything_foreign_in(text: str) -> None:
    source = passage(1, title=text, text=text + ARTICLE, source=text, published=text, author=text)
    cited = Citation(source, 0, len(text) + 6)
    hostile = Answer(
        text,
        text + "!",
        text,
        (claim(text, 0, cited),),
        (source,),
        False,
        Reason.ANSWERED,
        1,
        TIMINGS,
        Models(text, text, text),
    )
    harmless = Answer("q", "q!", "t", (claim("t", 0, cited),), (source,), False, Reason.ANSWERED, 1, TIMINGS, MODELS)

    def everything(words: str, result: Answer, read: Passage, scope: str) -> str:
        parts = [
            exchange_html(Exchange(1, words, result)),
            exchange_html(Exchange(1, words, Draft(words))),
            evidence_html([Exchange(1, words, result)]),
            draft_html(words, [read], scope),
            stopped_html(words, [read], scope),
            error_card(words.replace("`", ""), words),
            status_html(words, 3),
            working_html(words),
            welcome_html([words]),
        ]
        return "".join(parts)

    shown = Elements(everything(text, hostile, source, text))
    expected = Elements(everything("words", harmless, passage(1, published="2024", author="A"), "1"))
    assert shown.tags == expected.tags
    assert shown.attributes == expected.attributes
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]", everything(text, hostile, source, "1"))


def test_a_draft_links_only_marks_that_name_a_passage() -> None:
    assert draft_html("So [1], <b> [2] [x] [1", [FIRST], "3") == (
        '<div class="answer writing" dir="auto">So <a class="cite" href="#source-3-1" title="The bill" '
        'aria-label="Source 1: The bill">[1]</a>, &lt;b&gt; [2] [x] [1</div>'
    )


def test_an_answer_carries_marks_doubts_and_timings() -> None:
    pays, begun = "TikTok pays US$20 million.", "It has begun."

    def mark(number: int, sentence: str, title: str) -> str:
        return (
            f'<a class="cite" href="#source-1-{number}" title="{sentence}" '
            f'aria-label="Source {number}: {title}">[{number}]</a>'
        )

    assert answer_html(answer(), "1") == (
        '<div class="answer" dir="auto">'
        f"<span>It pays.</span>{mark(1, pays, 'The bill')}{mark(2, pays, 'Another')}"
        f' <span class="doubtful">It began.</span>{mark(1, begun, "The bill")}'
        '<span class="verdict">partly supported</span></div>'
        '<p class="timings"><span>first word 0.9 s</span> · <span>answer 3.1 s</span> · <span>found in 0.05 s</span>'
        " · <span>tiny on scripted</span></p>"
    )


def test_several_sentences_of_one_passage_make_one_mark() -> None:
    both = claim("Yes.", 0, Citation(FIRST, *BEGUN), Citation(FIRST, *PAYS))
    markup = answer_html(Answer("q", "q", "Yes.", (both,), (FIRST,), False, Reason.ANSWERED, 1, TIMINGS, MODELS), "1")
    assert markup.count("<a ") == 1
    assert 'title="It has begun. … TikTok pays US$20 million."' in markup


def test_what_a_follow_up_was_understood_as_is_said() -> None:
    assert "Understood as: how much per &lt;i&gt;?" in answer_html(answer(standalone="how much per <i>?"), "1")
    assert "Understood" not in answer_html(answer(), "1")


def test_a_refusal_says_so_and_why() -> None:
    assert answer_html(refusal(), "1") == (
        '<div class="card refusal"><h3>The articles don’t say.</h3>'
        "<p>The passages touch on the question, but probably don’t state the answer.</p>"
        '<p class="looked" dir="auto">Looked for: who?</p></div>'
        '<p class="timings"><span>decided in 12 s</span> · <span>found in &lt; 0.01 s</span>'
        " · <span>tiny on scripted</span></p>"
    )


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.ANSWERED])
def test_every_reason_has_words(reason: Reason) -> None:
    assert re.search(r"<p>[A-Z].{20,}\.</p>", answer_html(refusal(reason), "1"))


def opens(number: int) -> str:
    """The button that opens the article of a passage."""
    details = f'data-act="open" data-number="1" data-passage="{number}"'
    return f'<button type="button" class="open" {details}>Read the article</button>'


def test_the_cited_sentences_are_marked_in_their_passage() -> None:
    markup = passages_html([FIRST, SECOND], "1", "Sources", [Citation(FIRST, *PAYS)], "how much?")
    assert markup == (
        '<section class="evidence" id="evidence-1"><h2>Sources</h2><p class="asked" dir="auto">how much?</p>'
        '<article class="source" id="source-1-1" tabindex="-1" aria-label="Source 1"><header>'
        '<span class="number" aria-hidden="true">1</span><h3 dir="auto">The bill</h3><p class="origin">bill.txt</p>'
        '</header><p class="passage" dir="auto">Intro. <mark>TikTok pays US$20 million.</mark> It has begun. End.</p>'
        f'{opens(1)}<a class="back" href="#exchange-1">Back to the answer</a></article>'
        '<article class="source aside" id="source-1-2" tabindex="-1" aria-label="Source 2"><header>'
        '<span class="number" aria-hidden="true">2</span><h3 dir="auto">Another</h3><p class="origin">other.md</p>'
        f'</header><p class="passage" dir="auto">{ARTICLE}</p>'
        f'{opens(2)}<a class="back" href="#exchange-1">Back to the answer</a></article></section>'
    )


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([BEGUN, PAYS], "<mark>TikTok pays US$20 million.</mark> <mark>It has begun.</mark>"),
        ([PAYS, PAYS], "<mark>TikTok pays US$20 million.</mark> It has begun."),
        ([(7, 20), (14, 33)], "<mark>TikTok pays U</mark><mark>S$20 million.</mark> It has begun."),
        ([(0, 13)], "<mark>TikTok</mark> pays US$20 million. It has begun."),
        ([(40, 52)], "TikTok pays US$20 million. It has<mark> begun.</mark>"),
        ([(0, 6)], "TikTok pays US$20 million. It has begun."),
    ],
    ids=["two", "twice", "overlapping", "begins before", "ends after", "outside"],
)
def test_marks_stay_within_the_passage(spans: list[tuple[int, int]], expected: str) -> None:
    part = passage(1, 7, 47)
    markup = passages_html([part], "1", "Sources", [Citation(part, *span) for span in spans])
    assert f'<p class="passage" dir="auto">{expected}</p>' in markup


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("https://a.org/news/b?c=1", ('href="https://a.org/news/b?c=1"', ">a.org/news/b</a>")),
        ("http://user:pass@a.org/", (">a.org</a>",)),
        ("https://[broken", (">https://[broken</a>",)),
        ("javascript:alert(1)//x", ('<p class="origin">x</p>',)),
    ],
)
def test_only_web_addresses_are_linked(source: str, expected: tuple[str, ...]) -> None:
    markup = passages_html([passage(source=source)], "1", "Sources")
    assert all(part in markup for part in expected)
    assert ('<p class="origin"><a ' in markup) == source.startswith("http")


def test_an_error_card_sets_commands_as_code_and_nothing_else() -> None:
    assert error_card("No <library>. Run `rag index <x>`.") == (
        '<div class="card error" role="alert"><h3>That didn’t work</h3>'
        "<p>No &lt;library&gt;. Run <code>rag index &lt;x&gt;</code>.</p></div>"
    )


def test_status_has_a_bar_when_the_percentage_is_known() -> None:
    assert status_html("Loading … 42 %", 42).endswith('<progress max="100" value="42" aria-hidden="true"></progress>')
    assert "<progress" not in status_html("Loading …")


def test_an_exchange_moves_from_event_to_event() -> None:
    exchange = delayed(Exchange(2, "how much?", Draft("Searching")), "Waiting")
    assert '<article class="exchange pending" id="exchange-2">' in exchange_html(exchange)
    assert "Waiting" in exchange_html(exchange)
    exchange = advanced(exchange, PassagesFound((FIRST, SECOND)))
    assert exchange.outcome == Draft("Reading 2 passages", (FIRST, SECOND))
    assert "<h2>Being read</h2>" in evidence_html([exchange])
    exchange = advanced(advanced(exchange, TextPiece("")), TextPiece("It "))
    assert '<div class="answer writing" dir="auto">It </div>' in exchange_html(exchange)
    assert summary(exchange) == "Answering. Stop ends it."
    half = stopped(exchange)
    assert "unfinished and unchecked" in exchange_html(half)
    assert summary(half) == "Stopped."
    exchange = advanced(exchange, Finished(answer()))
    assert '<article class="exchange" id="exchange-2">' in exchange_html(exchange)
    assert summary(exchange) == "Answered from 2 sources."
    assert stopped(exchange) is exchange
    assert turns([half, exchange]) == (Turn("how much?", "It pays. It began."),)


def test_stopping_before_the_first_word_leaves_no_empty_answer() -> None:
    markup = exchange_html(stopped(Exchange(1, "q", Draft("Searching"))))
    assert 'class="answer"' not in markup
    assert "Stopped before the answer began." in markup


def test_an_error_keeps_the_passages_that_were_found() -> None:
    exchange = failed(Exchange(1, "q", Draft("Reading", (FIRST,))), "Out of memory.")
    assert exchange.outcome == Trouble("Out of memory.", (FIRST,))
    assert "<h2>Passages found</h2>" in evidence_html([exchange])
    assert summary(exchange) == ""


def test_only_the_newest_evidence_shows() -> None:
    exchanges = [Exchange(1, "a", answer()), Exchange(2, "b", refusal())]
    markup = evidence_html(exchanges)
    assert '<section class="evidence" id="evidence-1" hidden>' in markup
    assert '<section class="evidence" id="evidence-2"><h2>Closest, but not an answer</h2>' in markup
    assert conversation_html(exchanges).count("<article") == 2
    assert evidence_html([]) == ""


def test_no_passages_leave_no_heading() -> None:
    assert passages_html([], "1", "Sources") == '<section class="evidence" id="evidence-1"></section>'


def test_timings_leave_out_what_took_no_time() -> None:
    assert timing_parts(answer()) == ["first word 0.9 s", "answer 3.1 s", "found in 0.05 s", "tiny on scripted"]
    sure = replace(answer(), confidence=0.837, signals={"support": 0.9})
    assert timing_parts(sure)[0] == "confidence 84 %"
    assert timing_parts(refusal()) == ["decided in 12 s", "found in < 0.01 s", "tiny on scripted"]


def test_the_terminal_gets_numbered_references() -> None:
    assert answer_text(answer()) == (
        "It pays. [1][2] It began. [1] (partly supported)\n"
        "\n"
        "Sources\n"
        "[1] The bill · bill.txt\n"
        "    “TikTok pays US$20 million.”\n"
        "    “It has begun.”\n"
        "[2] Another · other.md\n"
        "    “TikTok pays US$20 million.”"
    )
    assert cited_numbers(answer()) == [1, 2]
    assert [citation.passage.number for citation in answer_citations(answer())] == [1, 2, 1]


def test_the_terminal_gets_refusals_with_the_closest_passages() -> None:
    assert answer_text(refusal()) == (
        "The articles don’t say. The passages touch on the question, but probably don’t state the answer.\n"
        "Looked for: who?\n"
        "\n"
        "Closest, but not an answer\n"
        "[1] The bill · bill.txt"
    )


def test_nothing_moves_the_cursor_of_a_terminal() -> None:
    evil = "\x1b[2Jgone\r\u202e"
    source = passage(1, title=f"{evil}\nSources", text=evil + ARTICLE, source=evil)
    cited = Citation(source, 0, len(evil) + 6)
    result = Answer(evil, evil, evil, (claim(evil, 0, cited),), (source,), False, Reason.ANSWERED, 1, TIMINGS, MODELS)
    assert answer_text(result) == "[2Jgone\n [1]\n\nSources\n[1] [2Jgone Sources · [2Jgone\n    “[2Jgone Intro.”"


def test_long_quotes_wrap() -> None:
    long = passage(1, text="word " * 40 + "end.")
    result = Answer(
        "q",
        "q",
        "Yes.",
        (claim("Yes.", 0, Citation(long, 0, 204)),),
        (long,),
        False,
        Reason.ANSWERED,
        1,
        TIMINGS,
        MODELS,
    )
    lines = answer_text(result).splitlines()[4:]
    assert [len(line) <= 88 and line.startswith("    ") for line in lines] == [True, True, True]


def test_the_head_is_whole_and_fetches_nothing() -> None:
    head = page_head()
    assert Elements(head).tags == ["style", "script", "link"]
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", head)
