"""What an export says: numbers of sources, doubts, and what became of each question."""

from dataclasses import replace

from rag.exchanges import Draft, Exchange, Stopped
from rag.exporting import answer_to_paste
from rag.exporting.manuscript import Quote, Reference, Sentence, Status, manuscript_of
from rag.types import Answer, Citation, Passage, Verdict
from tests.conversations.samples import COST, FERRY_ARTICLE, FIRST, SECOND, VAREL, answer, document, passage, refusal
from tests.exporting.samples import WHOLE, conversation

FERRY = Reference(
    number=1,
    title="Ferry",
    author="Ada Nyberg",
    published="2024-05-01",
    place="ferry.txt",
    link="",
    quotes=(Quote("The ferry is free.", 1), Quote("It sails at nine.", 2)),
    notes=("also in: copy.txt, a.example/ferry", "Its file had changed since it was indexed."),
)
HARBOUR = Reference(
    number=2,
    title="Harbour",
    author="",
    published="",
    place="https://www.example.org/varel/harbour",
    link="https://www.example.org/varel/harbour",
    quotes=(Quote("The harbour of Varel opened in 1912.", None),),
)


def test_each_source_has_one_number_through_the_whole_conversation() -> None:
    manuscript = manuscript_of(WHOLE)
    assert manuscript.references == (FERRY, HARBOUR)
    first, *_, sixth, _ = manuscript.sections
    assert first.paragraphs == (
        (
            Sentence("", "It is free.", (1,), ""),
            Sentence(" ", "It sails at nine.", (1, 2), "partly supported"),
            Sentence(" ", "Fish fly.", (), "not supported"),
        ),
    )
    assert sixth.paragraphs == ((Sentence("", "In 1912.", (2,), ""),),)
    assert sixth.opening == ("Understood as: When did the harbour open?",)


def test_what_is_no_answer_says_what_it_is() -> None:
    _, refused, stopped, begun, failed, _, unfinished = manuscript_of(WHOLE).sections
    assert (refused.status, refused.paragraphs) == (Status.REFUSED, ())
    assert refused.opening == (
        "The articles don’t say. The passages touch on the question, but probably don’t state the answer.",
        "Looked for: Who sails?",
    )
    assert refused.closing == (
        "Closest, but not an answer: “Ferry” (ferry.txt); “Harbour” (www.example.org/varel/harbour)",
    )
    assert stopped.status is begun.status is Status.STOPPED
    assert stopped.closing == (
        "The answer was stopped: it is unfinished, and nobody checked whether the sources support it.",
    )
    assert begun.closing == ("The answer was stopped before it began.",)
    assert (failed.status, failed.opening) == (
        Status.FAILED,
        ("No answer, because of an error: Nothing is indexed. Run `rag index`.",),
    )
    assert unfinished.status is Status.UNFINISHED
    assert "still being written" in unfinished.closing[0]


def test_marks_of_an_unfinished_answer_become_those_of_the_references() -> None:
    stopped = manuscript_of(WHOLE).sections[2]
    assert stopped.paragraphs == (
        (Sentence("", "It", (1,), ""), Sentence(" ", "is", (2,), ""), Sentence(" ", "so", (), "")),
    )
    side_by_side = manuscript_of(conversation(Stopped(Draft("", (FIRST, SECOND), "Both [2][1].\n\nEnd"))))
    assert side_by_side.sections[0].paragraphs == (
        (Sentence("", "Both", (1, 2), ""), Sentence("", ".", (), "")),
        (Sentence("", "End", (), ""),),
    )
    assert [(one.number, one.title, one.quotes) for one in side_by_side.references] == [
        (1, "Harbour", ()),
        (2, "Ferry", ()),
    ]


def test_an_article_that_changed_between_two_questions_is_two_sources() -> None:
    changed = replace(FERRY_ARTICLE, text="The ferry costs a mark.", content_hash="another")
    later = passage(1, changed)
    said = answer("Now?", ("A mark.", (Citation(later, 0, 23),), Verdict.SUPPORTED), passages=(later,))
    references = manuscript_of(conversation(COST, said)).references
    assert [(one.number, one.title, one.quotes[0].text) for one in references] == [
        (1, "Ferry", "The ferry is free."),
        (2, "Harbour", "The harbour of Varel opened in 1912."),
        (3, "Ferry", "The ferry costs a mark."),
    ]


def test_paragraphs_and_scripts_without_spaces_stay_as_they_are() -> None:
    said = replace(COST, text="一。二。\n\n- Three", claims=())
    claims = (
        replace(COST.claims[2], text="一。", start=0, end=2),
        replace(COST.claims[2], text="二。", start=2, end=4),
    )
    paragraphs = manuscript_of(conversation(replace(said, claims=claims))).sections[0].paragraphs
    assert [[(one.before, one.text) for one in paragraph] for paragraph in paragraphs] == [
        [("", "一。"), ("", "二。")],
        [("", "- Three")],
    ]


def test_a_source_without_a_title_goes_by_its_file_and_only_web_addresses_are_links() -> None:
    def reference(**fields: object) -> Reference:
        cited = passage(1, document("x", "It is so.", **fields))
        said = answer("Is it?", ("Yes.", (Citation(cited, 0, 9),), Verdict.SUPPORTED), passages=(cited,))
        return manuscript_of(conversation(said)).references[0]

    assert reference(title=" ").title == "x.txt"
    assert reference(url="https://a.example/b c?d=<e>").link == "https://a.example/b%20c?d=%3Ce%3E"
    for url in ("javascript:alert(1)", "file:///etc/passwd", None):
        assert (reference(url=url).link, reference(url=url).place) == ("", "x.txt")


def test_an_answer_is_pasted_with_its_citations() -> None:
    assert answer_to_paste(Exchange(4, "What?", COST), citations=True).splitlines() == [
        "It is free. [1] It sails at nine. [1][2] (partly supported) Fish fly. (not supported)",
        "",
        "References",
        "[1] Ferry · Ada Nyberg · 2024-05-01 · ferry.txt",
        "    “The ferry is free.” (page 1)",
        "    “It sails at nine.” (page 2)",
        "    also in: copy.txt, a.example/ferry",
        "    Its file had changed since it was indexed.",
        "[2] Harbour · https://www.example.org/varel/harbour",
        "    “The harbour of Varel opened in 1912.”",
    ]


def test_an_answer_is_pasted_without_citations_but_not_without_doubts() -> None:
    assert answer_to_paste(Exchange(4, "What?", COST), citations=False) == (
        "It is free. It sails at nine. (partly supported) Fish fly. (not supported)"
    )
    assert answer_to_paste(Exchange(1, "When?", VAREL), citations=False) == "In 1912."


def test_a_refusal_is_pasted_as_one() -> None:
    pasted = answer_to_paste(Exchange(1, "Who?", refusal("Who?", FIRST)), citations=True)
    assert pasted.startswith("The articles don’t say.")
    assert pasted.endswith("Closest, but not an answer: “Ferry” (ferry.txt)")


def test_of_an_article_cited_twice_all_places_and_the_last_state_of_its_file_are_said() -> None:
    moved = replace(passage(1, FERRY_ARTICLE, 0, 36), copies=("/news/other.txt",), stale="missing")
    later = answer("And now?", ("It is free.", (Citation(moved, 0, 18),), Verdict.SUPPORTED), passages=(moved,))
    (reference,) = manuscript_of(conversation(answer_of(FIRST), later)).references
    assert reference.notes == ("also in: copy.txt, a.example/ferry, other.txt", "Its file was gone.")
    fresh = replace(FIRST, copies=(), stale="")
    (reference,) = manuscript_of(conversation(answer_of(fresh))).references
    assert reference.notes == ()


def answer_of(cited: Passage) -> Answer:
    return answer("What?", ("It is free.", (Citation(cited, 0, 18),), Verdict.SUPPORTED), passages=(cited,))
