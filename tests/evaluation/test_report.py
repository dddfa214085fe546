"""The page shows the evaluation's own numbers, and everything foreign in it as text."""

import base64
import hashlib
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from rag.evaluation.numbers import read_report, report_json
from rag.evaluation.report import (
    CLEAREST,
    Bar,
    Entry,
    bar,
    clearest,
    interval_in_words,
    report_html,
    report_markdown,
    value_in_words,
)
from rag.evaluation.results import Evaluation, Gold, Judged, Mode, Score, Stage
from rag.rendering import plain
from rag.types import (
    Conditions,
    Failure,
)
from tests.evaluation.samples import (
    HOSTILE,
    MODELS,
    NAN,
    QUESTIONS,
    SCORES,
    SENTENCE,
    answer,
    evaluation,
    hostile_evaluation,
    judged,
    passage,
    refusal,
)

VOID = {"meta", "input", "br", "img", "link"}


class Reading(HTMLParser):
    """A page as start tags with attributes, the texts outside of style and script, and these two."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.inline: dict[str, str] = {}
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("style", "script"):
            self.inline[self.open[-1]] = data
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All that is to be read, each piece of it on its own line."""
        return "\n".join(" ".join(text.split()) for text in self.texts if text.strip())

    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]


@cache
def hostile_page(text: str) -> Reading:
    return Reading(report_html(hostile_evaluation(text)))


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_shows_as_text(text: str) -> None:
    harmless, hostile = hostile_page("word"), hostile_page(text)
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in harmless.tags]
    assert [attributes.keys() for _, attributes in hostile.tags] == [
        attributes.keys() for _, attributes in harmless.tags
    ]
    shown = " ".join(plain(text).split())
    assert hostile.text.count(shown) >= 20
    assert not re.search("[\u202a-\u202e\ud800-\udfff]", hostile.text)


@pytest.mark.parametrize("text", ["word", *HOSTILE])
def test_the_page_needs_nothing_from_elsewhere(text: str) -> None:
    page = hostile_page(text)
    for tag, attributes in page.tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "image")
        assert not {"src", "srcset", "style", "action", "formaction"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        links = [attributes[name] for name in ("href", "xlink:href") if name in attributes]
        links += [link for value in attributes.values() for link in re.findall(r"^url\((.*?)\)", value)]
        assert [link for link in links if link.removeprefix("#") not in page.ids()] == []
    assert not re.search(r"url\(|@import|https?:|//[a-z]", page.inline["style"])
    assert not re.search(r"fetch|import|https?:|\beval\b|innerHTML", page.inline["script"])
    assert len(page.ids()) == len(set(page.ids()))


def test_only_an_articles_own_address_leads_out_of_the_page() -> None:
    page = Reading(report_html(evaluation([judged(1, outcome=answer(read=passage(source="https://a.org/b")))])))
    out = [attributes for _, attributes in page.tags if not attributes.get("href", "#").startswith("#")]
    assert out == [{"href": "https://a.org/b", "target": "_blank", "rel": "noopener noreferrer"}]


def test_the_policy_allows_the_pages_own_style_and_script_alone() -> None:
    page = Reading(report_html(evaluation()))
    hashes = {
        tag: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for tag, text in page.inline.items()
    }
    policies = [attributes["content"] for _, attributes in page.tags if "http-equiv" in attributes]
    assert policies == [
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    ]


def test_scores_are_those_of_the_evaluation() -> None:
    text = Reading(report_html(evaluation())).text
    for row in (
        "Answers\nright\n86.4 %\n80.1 to 91.0 %\n4\n↑\nhigher",
        "Refusing\nrefused wrongly\n5.0 %\n–\n4\n↓\nlower",
        "Cost\nprompt tokens\n1,043\n998 to 1,101\n4\n↓\nlower",
    ):
        assert row in text


@pytest.mark.parametrize(
    ("value", "is_share", "shown"),
    [
        (0.8642, True, "86.4 %"),
        (1.0, True, "100.0 %"),
        (NAN, True, "–"),
        (float("inf"), False, "–"),
        (0.97312, False, "0.973"),
        (3.0, False, "3"),
        (12.34, False, "12.3"),
        (1043.2, False, "1,043"),
        (-0.25, False, "-0.25"),
    ],
)
def test_values_in_words(value: float, is_share: bool, shown: str) -> None:
    assert value_in_words(replace(SCORES[0], value=value, is_share=is_share)) == shown


def test_an_interval_without_ends_is_a_dash() -> None:
    assert interval_in_words(SCORES[0]) == "80.1 to 91.0 %"
    assert interval_in_words(replace(SCORES[0], low=NAN)) == "–"
    assert interval_in_words(SCORES[2]) == "998 to 1,101"


@pytest.mark.parametrize(
    ("value", "low", "high", "is_share", "drawn"),
    [
        (0.5, 0.25, 0.75, True, Bar(25, 75, 50)),
        (3.0, 2.0, 4.0, False, Bar(50, 100, 75)),
        (0.0, -1.0, 1.0, False, Bar(0, 100, 50)),
        (-1.0, -2.0, -1.0, False, Bar(0, 50, 50)),
        (0.0, 0.0, 0.0, False, Bar(0, 0, 0)),
        (0.5, NAN, 0.75, True, None),
    ],
)
def test_bars_run_from_0_to_100(value: float, low: float, high: float, is_share: bool, drawn: Bar | None) -> None:
    assert bar(Score("g", "n", value, low, high, 1, True, is_share)) == drawn


def test_the_page_tells_of_set_conditions_and_command() -> None:
    text = Reading(report_html(evaluation())).text
    for part in (
        "seeds, normal: evaluation\n",
        "2025-01-02 03:04 UTC",
        "4 questions",
        "Made by\nrag eval seeds",
        "reader\nscript, revision r7",
        "engine\nscripted",
        "library\n4f2a",
        "max_wrong\n0.6",
    ):
        assert part in text, part


def test_a_question_shows_all_that_is_known_of_it() -> None:
    text = Reading(report_html(evaluation(QUESTIONS[:1]))).text
    for part in (
        "1\nWhat do dogs need?\nright\n",
        "Accepted\na lead",
        "Stands in\nferry.txt: “Dogs need a lead.”",
        "They need a lead.\n[1]\npartly supported",
        "answer 2.5 s",
        "The ferry sails daily.\nDogs need a lead.\nBicycles travel free.",  # the middle one in <mark>
        "confidence\n0.9\nF1\n0.75",
    ):
        assert part in text, part


def test_what_went_wrong_is_counted_by_stage() -> None:
    text = Reading(report_html(evaluation())).text
    assert "Failed with an error\n1\n25.0 %\n33.3 %\n" in text
    assert "Not retrieved\n0\n0.0 %\n0.0 %\n" in text
    assert "Read wrongly\n1\n25.0 %\n33.3 %\nThe case\n: read wrongly\nDo whales sing?\nThey never sing.\n" in text
    assert "No reader. Run\nrag models\n." in text


def test_the_clearest_cases_were_surest_of_what_was_wrong() -> None:
    outcomes = [None, answer(confidence=0.6), refusal(0.1), answer(confidence=0.95), refusal(0.5), Failure("no")]
    entries = [Entry(at, judged(at, outcome=outcome), ()) for at, outcome in enumerate(outcomes)]
    assert [entry.number for entry in clearest(entries)] == [3, 2, 1, 4, 0, 5]
    assert len(clearest(entries * 3)) == CLEAREST


@pytest.mark.parametrize(
    ("question", "label", "kinds"),
    [
        (judged(1, outcome=answer(), right=True), "right", "right"),
        (judged(1, outcome=refusal(), right=True), "right: refused", "right refused"),
        (judged(1, outcome=answer(), right=False), "wrong", "wrong"),
        (judged(1, outcome=answer()), "not judged", "unjudged"),
        (judged(1, outcome=refusal()), "refused", "unjudged refused"),
        (judged(1), "not asked", "unjudged"),
        (judged(1, stage=Stage.NOT_RETRIEVED), "not retrieved", "wrong not_retrieved"),
        (judged(1, outcome=answer(), right=True, stage=Stage.CITED_WRONGLY), "cited wrongly", "wrong cited_wrongly"),
        (
            judged(1, outcome=refusal(), right=False, stage=Stage.REFUSED_WRONGLY),
            "refused wrongly",
            "wrong refused refused_wrongly",
        ),
    ],
)
def test_an_entry_says_what_became_of_it(question: Judged, label: str, kinds: str) -> None:
    page = Reading(report_html(evaluation([question])))
    assert f"What do dogs need?\n{label}\n" in page.text
    assert [attributes["data-kinds"] for _, attributes in page.tags if "data-kinds" in attributes] == [kinds]
    offered = [attributes["value"] for tag, attributes in page.tags if tag == "option"]
    assert set(offered) == {"", *kinds.split()}


@pytest.mark.parametrize(
    "bare",
    [
        evaluation((), ()),
        Evaluation("", Mode.NORMAL, "", "", Conditions({}, MODELS, {}, ""), (), ()),
        evaluation([judged(1, stage=Stage.NOT_RETRIEVED), judged(2)], SCORES[:1], Mode.RETRIEVAL),
        evaluation([judged(1, outcome=replace(answer(), passages=(), claims=()))], (), Mode.CLOSED_BOOK),
        evaluation([judged(1, outcome=Failure(""), right=False, stage=Stage.FAILED)]),
        evaluation([judged(1, outcome=answer(confidence=NAN), right=True, gold=Gold((), False, (), {}, (), ()))]),
    ],
)
def test_missing_parts_leave_a_whole_report(bare: Evaluation) -> None:
    assert "Not drawn" in Reading(report_html(bare)).text
    assert report_markdown(bare).startswith("## ")
    assert len(read_report(report_json(bare)).questions) == len(bare.questions)


def test_markdown_has_the_scores_and_what_went_wrong() -> None:
    assert report_markdown(evaluation()) == (
        "## seeds, normal\n"
        "\n"
        "4 questions, 2025-01-02T03:04:05+00:00:\n"
        "\n"
        "    rag eval seeds\n"
        "\n"
        "| | score | value | 95 % interval | questions | better |\n"
        "|---|---|---|---|---|---|\n"
        "| answers | right | 86.4 % | 80.1 to 91.0 % | 4 | higher |\n"
        "| refusing | refused wrongly | 5.0 % | – | 4 | lower |\n"
        "| cost | prompt tokens | 1,043 | 998 to 1,101 | 4 | lower |\n"
        "\n"
        "3 of 4 (75.0 %) went wrong: 1 failed with an error, 1 refused wrongly, 1 read wrongly.\n"
    )


def test_markdown_cells_stay_cells() -> None:
    text = report_markdown(hostile_evaluation("a|b\n# c <b>"))
    assert r"| a\|b # c \<b\> | a\|b # c \<b\> | 50.0 % |" in text
    assert text.startswith("## a\\|b # c \\<b\\>, normal\n")
    assert "\n    a|b # c <b>\n" in text


@pytest.mark.browser
def test_the_list_of_questions_is_filtered_in_the_browser(chromium: Browser, tmp_path: Path) -> None:
    questions = (*QUESTIONS, judged(5, "Is {{7*7}} <script>alert(1)</script> safe?", answer("Yes, whales are."), True))
    file = tmp_path / "report.html"
    file.write_text(report_html(evaluation(questions)), encoding="utf-8")
    page = chromium.new_page()
    page.set_default_timeout(15_000)
    console: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: console.append(message.text))
    page.on("pageerror", lambda error: console.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    entries, count = page.locator(".entry:visible"), page.locator("#count")

    expect(count).to_have_text("5 of 5 shown")
    page.get_by_label("Question or answer contains").fill("WHALES")
    expect(count).to_have_text("2 of 5 shown")
    assert [text.split("\n")[1] for text in entries.all_inner_texts()] == [
        questions[1].question.text,
        questions[4].question.text,
    ]

    page.get_by_label("Outcome").select_option("wrong")
    expect(count).to_have_text("1 of 5 shown")
    expect(entries).to_have_count(1)
    expect(entries.locator(".answer")).to_be_hidden()
    entries.locator("summary").click()
    expect(entries.locator(".answer")).to_contain_text("They never sing.")
    expect(entries.locator("mark")).to_have_text(SENTENCE)

    page.locator(".blame summary", has_text="refused wrongly").click()  # leads to an entry that is filtered out
    page.get_by_role("link", name="When does it sail?").click()
    expect(count).to_have_text("5 of 5 shown")
    expect(page.locator("#exchange-3 .refusal")).to_be_visible()
    expect(page.locator("#exchange-3")).to_be_in_viewport()

    assert page.evaluate("getComputedStyle(document.querySelector('.plot path[stroke]')).stroke").startswith("rgb(")
    page.close()
    assert console == []
    assert requests == [file.as_uri()]


@pytest.mark.browser
def test_without_scripts_everything_can_be_read(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(report_html(evaluation()), encoding="utf-8")
    with chromium.new_context(java_script_enabled=False, viewport={"width": 400, "height": 800}) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        expect(page.locator("#filter")).to_be_hidden()
        page.locator("#exchange-2 summary").click()
        expect(page.locator("#exchange-2 .answer")).to_contain_text("They never sing.")
        body = page.locator("body").bounding_box()
        assert body is not None
        assert body["width"] <= 400
