from collections.abc import Sequence

import pytest

from rag.grounding import Grounder, verdict_on, verified
from rag.types import Citation, Verdict
from tests.fakes import WordEmbedder
from tests.grounding.passages import FARES, cited, claim_of, claims_of, passage, passages

# To choose sentences a claim's words weigh 1 each, a figure 3, a name that doesn't begin the claim 2. Stop words weigh
# nothing.


def test_a_missing_number_is_added() -> None:
    claim = claim_of("Dogs need a lead.")
    assert cited(claim) == [(1, "Dogs need a lead.")]
    assert claim.verdict is Verdict.SUPPORTED


def test_a_right_number_is_kept_though_another_passage_says_it_as_well() -> None:
    assert cited(claim_of("Bicycles travel free [3].")) == [(3, "Bicycles travel free on trains.")]


def test_without_a_number_the_sentence_that_says_least_besides_is_cited() -> None:
    assert cited(claim_of("Bicycles travel free.")) == [(1, "Bicycles travel free.")]


def test_a_wrong_number_is_corrected() -> None:
    assert cited(claim_of("Dogs need a lead [2].")) == [(1, "Dogs need a lead.")]


def test_a_number_that_names_no_passage_is_corrected() -> None:
    assert cited(claim_of("Dogs need a lead [9].")) == [(1, "Dogs need a lead.")]


def test_of_sentences_with_the_same_name_the_one_closest_to_the_question_is_cited() -> None:
    given = passages("Ada Nyberg swims.\nThe bakery was founded by the baker Ada Nyberg in spring.")
    [claim] = Grounder(given, "Who founded the bakery?").ground("Ada Nyberg")[1]
    assert cited(claim) == [(1, "The bakery was founded by the baker Ada Nyberg in spring.")]
    [claim] = Grounder(given).ground("Ada Nyberg")[1]
    assert cited(claim) == [(1, "Ada Nyberg swims.")]


@pytest.mark.parametrize("written", ["Yes", "Yes.", "No [2]."])
def test_a_bare_yes_or_no_rests_on_what_is_said_about_the_question_and_is_supported_in_part(written: str) -> None:
    [claim] = Grounder(passages(*FARES), "Do bicycles travel free on trains?").ground(written)[1]
    assert cited(claim) == [(3, "Bicycles travel free on trains.")]
    assert claim.verdict is Verdict.PARTLY_SUPPORTED


def test_a_bare_yes_to_what_the_passages_are_not_about_is_unsupported() -> None:
    [claim] = Grounder(passages(*FARES), "Did elephants juggle volcanoes?").ground("Yes.")[1]
    assert (claim.citations, claim.verdict) == ((), Verdict.UNSUPPORTED)


def test_a_list_is_cited_with_the_line_that_introduces_it() -> None:
    [fares] = given = passages("Fares rose.\nThe ferry carries:\n- bicycles\n- dogs\n- tractors\nIt sails daily.")
    claim = claim_of("The ferry carries bicycles, dogs and tractors.", given)
    assert cited(claim) == [(1, "The ferry carries:\n- bicycles\n- dogs\n- tractors")]
    assert claim.verdict is Verdict.SUPPORTED
    assert cited(claim_of("It sails daily.", [fares])) == [(1, "It sails daily.")]


def test_one_item_of_a_list_is_cited_alone_where_it_says_all() -> None:
    given = passages("The ferry carries:\n1. green bicycles\n2. dogs")
    assert cited(claim_of("Green bicycles.", given)) == [(1, "1. green bicycles")]


def test_a_number_is_kept_where_its_passage_says_nearly_as_much_as_the_best() -> None:
    # The second passage lacks one of seven words (6/7, so 0.14 less), or one of six (5/6, so 0.17 less).
    given = passages("One red fast small cheap tidy boat.", "One red fast small cheap boat.")
    assert cited(claim_of("One red fast small cheap tidy boat [2].", given))[0][0] == 2
    given = passages("One red fast small tidy boat.", "One red fast small boat.")
    assert cited(claim_of("One red fast small tidy boat [2].", given))[0][0] == 1


def test_one_of_several_numbers_is_right() -> None:
    assert cited(claim_of("Dogs need a lead [2, 1, 3].")) == [(1, "Dogs need a lead.")]


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("Bicycles travel free [3]. Bicycles travel free [1].", [3, 1]),
        ("Bicycles travel free. [3] Bicycles travel free. [1]", [3, 1]),
        ("[3] Bicycles travel free. [1] Bicycles travel free.", [3, 1]),
        ("[3] Bicycles travel free.\n[1] Bicycles travel free.", [3, 1]),
        ("[3] Bicycles travel free [3]. [1] Bicycles travel free.", [3, 1]),
        ("Bicycles travel free.[3]\nBicycles travel free.[1]", [3, 1]),
        ("Bicycles [3] travel free. Bicycles travel free [1].", [3, 1]),
        ("Bicycles travel free. Bicycles travel free [3].", [1, 3]),
    ],
)
def test_a_number_counts_for_the_sentence_it_stands_in_or_behind_unless_all_stand_in_front(
    written: str, numbers: list[int]
) -> None:
    assert [cited(claim)[0][0] for claim in claims_of(written)] == numbers


def test_what_nothing_supports_has_no_citation() -> None:
    # "harbour" of: museums, opened, harbour, Sundays (a name).
    claim = claim_of("Museums opened by the harbour on Sundays [1].")
    assert (claim.citations, claim.verdict) == ((), Verdict.UNSUPPORTED)


def test_half_of_a_claim_makes_it_partly_supported() -> None:
    claim = claim_of("Dogs need tickets.", passages("Dogs need a lead."))
    assert claim.verdict is Verdict.PARTLY_SUPPORTED
    assert cited(claim) == [(1, "Dogs need a lead.")]


def test_another_number_than_the_source_s_is_at_most_partly_supported() -> None:
    written = "The harbour company charges {} euros for every single day ferry."
    source = passages("The harbour company charges 4 euros for every single day ferry.")
    assert claim_of(written.format(4), source).verdict is Verdict.SUPPORTED
    wrong = claim_of(written.format(5), source)
    assert wrong.verdict is Verdict.PARTLY_SUPPORTED


@pytest.mark.parametrize("number", ["5", "40", "4.5", "14", "35", "1,871"])
def test_a_number_from_elsewhere_does_not_make_up_for_a_wrong_one(number: str) -> None:
    # Other sentences do hold 35 and 1871.
    claim = claim_of(f"The harbour company charges {number} euros for the day ferry.")
    assert claim.verdict is Verdict.PARTLY_SUPPORTED
    assert [passage for passage, _ in cited(claim)] == [1]


def test_another_name_than_the_source_s_is_at_most_partly_supported() -> None:
    source = passages("The night ferry carries many passengers to Nordby.")
    assert claim_of("Night ferry carries many passengers to Nordby.", source).verdict is Verdict.SUPPORTED
    for written in (
        "Night ferry carries many passengers to Sudby.",
        "“Night ferry carries many passengers to Sudby.”",
        "Olaf Nyberg carries many passengers to Nordby.",
    ):
        assert claim_of(written, source).verdict is Verdict.PARTLY_SUPPORTED


def test_half_of_a_name_will_do() -> None:
    source = passages("The night ferry carries Nyberg to Nordby every day.")
    assert claim_of("The night ferry carries Ada Nyberg to Nordby every day.", source).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("The ferry carries dogs to Nordby.", "The ferry never carries dogs to Nordby."),
        ("The ferry does not carry dogs to Nordby.", "The ferry carries dogs to Nordby."),
        ("Alex Zhu sold the boats.", "Alex Zhu built the harbour and Bo Li sold the boats."),
    ],
)
def test_what_a_not_or_another_s_name_turns_round_is_at_most_partly_supported(claim: str, source: str) -> None:
    assert claim_of(claim, passages(source)).verdict is Verdict.PARTLY_SUPPORTED


def test_an_office_that_another_holds_is_not_supported() -> None:
    source = passages("Alex Zhu is a founder. Zhu Wenjia, the tech lead of TikTok, has made the same change.")
    claim = claim_of("Alex Zhu is the tech lead of TikTok.", source)
    assert (claim.verdict, claim.citations, claim.score) == (Verdict.UNSUPPORTED, (), 0)
    assert claim_of("The tech lead of TikTok is Zhu Wenjia.", source).verdict is Verdict.SUPPORTED


def test_a_claim_drawn_from_two_sentences_cites_both() -> None:
    claim = claim_of("Dogs need a lead and the crossing takes 35 minutes.")
    assert cited(claim) == [(2, "Every crossing takes 35 minutes."), (1, "Dogs need a lead.")]
    assert claim.verdict is Verdict.SUPPORTED


def test_two_sentences_of_one_passage_may_be_needed() -> None:
    claim = claim_of("Bicycles travel free but dogs need a lead [1].")
    assert sorted(cited(claim)) == [(1, "Bicycles travel free."), (1, "Dogs need a lead.")]


def test_a_second_sentence_that_adds_little_is_not_cited() -> None:
    # It would add one of seven words (0.14); one of four (0.25) is enough.
    given = passages("One red fast small cheap boat.", "A tidy cat.")
    assert [number for number, _ in cited(claim_of("One red fast small cheap tidy boat.", given))] == [1]
    given = passages("A red fast boat.", "A tidy cat.")
    assert [number for number, _ in cited(claim_of("A red fast tidy boat.", given))] == [1, 2]


def test_a_title_counts_as_part_of_its_sentences() -> None:
    claim = claim_of("Nordby ferry is free.", (passage(1, "It is free.", title="Nordby ferry"),))
    assert (claim.verdict, cited(claim)) == (Verdict.SUPPORTED, [(1, "It is free.")])


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("It sold 20,000 tickets.", "It sold 20000 tickets."),
        ("It sold 20000 tickets.", "It sold 20,000 tickets."),
        ("Nordby's ferry sails.", "The ferry sails to Nordby."),
        ("Nordby’s ferry sails.", "The ferry sails to Nordby."),
        ("It charges tourists.", "It is charging a tourist."),
        ("It CARRIES dogs.", "It carries dogs."),
        ("It costs €4.", "It costs 4 euros."),
        ("Over 100 dogs travel.", "Over 100 dogs travelled."),
        ("It cost US$20 million.", "It cost $20m."),
        ("It opened on May 5, 2023.", "It opened on 5 May 2023."),
        ("It sold one thousand tickets.", "It sold 1,000 tickets."),
        ("It carries 20 percent of dogs.", "It carries 20 % of dogs."),
    ],
)
def test_small_differences_in_writing_do_not_matter(claim: str, source: str) -> None:
    assert claim_of(claim, passages(source)).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    "words", ["This is what the article says", "It does", "According to the passages this does so"]
)
def test_words_that_say_nothing_need_no_support(words: str) -> None:
    assert claim_of(f"{words}: dogs need a lead.").score == claim_of("Dogs need a lead.").score
    assert claim_of(f"{words}.").verdict is Verdict.UNSUPPORTED


@pytest.mark.parametrize("ordinal", ["2. ", "2) ", "12. ", "- ", "* "])
def test_the_number_of_a_list_s_item_needs_no_support(ordinal: str) -> None:
    claim = claim_of(f"{ordinal}Dogs need a lead.")
    assert (claim.score, claim.verdict) == (claim_of("Dogs need a lead.").score, Verdict.SUPPORTED)


def test_the_text_has_no_marks_and_claims_are_its_sentences() -> None:
    text, claims = Grounder(passages(*FARES)).ground(" [1] Dogs need a lead. [7] Who knows? \n")
    assert text == "Dogs need a lead. Who knows?"
    assert [(claim.text, claim.start, claim.end) for claim in claims] == [
        ("Dogs need a lead.", 0, 17),
        ("Who knows?", 18, 28),
    ]


@pytest.mark.parametrize("written", ["", " ", "[1]", "[1][2]\n"])
def test_nothing_written_is_no_claim(written: str) -> None:
    assert Grounder(passages(*FARES)).ground(written) == ("", ())


def test_without_passages_nothing_is_supported() -> None:
    claim = claim_of("Dogs need a lead [1].", ())
    assert (claim.citations, claim.verdict, claim.score) == ((), Verdict.UNSUPPORTED, 0.0)


def test_citations_are_sentences_of_the_article_inside_their_passage() -> None:
    given = (passage(1, FARES[0], before=""), passage(2, FARES[1], before="Ω" * 33 + "\n"), passage(3, FARES[2]))
    sentences = [sentence for text in FARES for sentence in text.replace(". ", ".|").split("|")]
    written = [f"{one} {two}" for one in sentences for two in [*sentences, "Whales sing."]]
    found = [citation for text in written for claim in claims_of(text, given) for citation in claim.citations]
    assert len(found) >= len(written)
    for citation in found:
        assert citation.text == citation.passage.document.text[citation.start : citation.end]
        assert citation.text in sentences
        assert citation.passage.chunk.start <= citation.start < citation.end <= citation.passage.chunk.end
        assert citation.passage in given


@pytest.mark.parametrize(
    ("sentences", "verdict"),
    [
        (["Dogs need a lead."], Verdict.SUPPORTED),
        (["Dogs are welcome.", "They need a lead."], Verdict.SUPPORTED),
        (["Ferries\nDogs need a lead.", "Bicycles travel free."], Verdict.SUPPORTED),
        (["They need a lead."], Verdict.PARTLY_SUPPORTED),
        (["Dogs are welcome."], Verdict.UNSUPPORTED),
        (["Bicycles travel free."], Verdict.UNSUPPORTED),
        ([], Verdict.UNSUPPORTED),
    ],
)
def test_a_verdict_is_on_what_the_sentences_hold_together(sentences: list[str], verdict: Verdict) -> None:
    assert verdict_on("Dogs need a lead.", sentences) is verdict


def test_a_verdict_needs_every_number() -> None:
    claim = "The harbour company charges 4 euros for every single day ferry."
    assert verdict_on(claim, [claim]) is Verdict.SUPPORTED
    assert verdict_on(claim, [claim.replace("4", "5")]) is Verdict.PARTLY_SUPPORTED
    assert verdict_on(claim, [claim.replace("4", "5"), "It has 4 seats."]) is Verdict.SUPPORTED


@pytest.mark.parametrize("claim", ["", "?", "That is what it says."])
def test_nothing_carries_a_claim_without_words_of_its_own(claim: str) -> None:
    assert verdict_on(claim, FARES) is Verdict.UNSUPPORTED


def test_what_nothing_refutes_is_verified_by_meaning_and_the_reader() -> None:
    claims = claims_of("Dogs need a lead. Whales sing at night.")
    asked = []

    def yes(claim: str, citations: Sequence[Citation]) -> float:
        asked.append((claim, [citation.text for citation in citations]))
        return 0.9

    verified_claims = verified(claims, WordEmbedder(), yes)
    assert asked == [("Dogs need a lead.", ["Dogs need a lead."])]
    assert [claim.verdict for claim in verified_claims] == [Verdict.SUPPORTED, Verdict.UNSUPPORTED]
    assert verified_claims[1] == claims[1]


def test_a_reader_s_no_lowers_the_score() -> None:
    claims = claims_of("Dogs need a lead.")
    [sure], [unsure] = (verified(claims, yes=lambda *_, answer=answer: answer) for answer in (0.95, 0.02))
    assert unsure.score < sure.score
    assert sure.verdict is Verdict.SUPPORTED


def test_verifying_without_help_changes_nothing() -> None:
    claims = claims_of("Dogs need a lead. Whales sing at night.")
    assert verified(claims) == claims


def test_a_verdict_on_what_a_claim_cites_is_the_claim_s_own() -> None:
    given = tuple(passage(number, text, title=f"Fares {number}") for number, text in enumerate(FARES, start=1))
    sentences = [sentence for text in FARES for sentence in text.replace(". ", ".|").split("|")]
    written = [f"{one[:-1]} and {two}" for one in sentences for two in [*sentences, "whales sing in the night."]]
    claims = [claim for text in [*written, "Whales sing."] for claim in claims_of(text, given)]
    assert {claim.verdict for claim in claims} == set(Verdict)
    for claim in claims:
        held = [f"{citation.passage.document.title}\n{citation.text}" for citation in claim.citations]
        assert verdict_on(claim.text, held) is claim.verdict
