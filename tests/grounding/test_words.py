import pytest

from rag.grounding.words import content_words, polarity, wording, words


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The Payments'", ["the", "payment"]),
        ("Nordby’s charging tourists", ["nordbi", "charg", "tourist"]),
        ("Autódromo in Galați", ["autodromo", "in", "galati"]),
        ("20,000 tickets, 4.5 km", ["20000", "ticket", "4.5", "km"]),
        ("as is", ["as", "is"]),
        ("carry carries carried carrying", ["carri"] * 4),
        ("agree agrees agreed agreeing", ["agr"] * 4),
        ("disclose discloses disclosed disclosing", ["disclos"] * 4),
        ("stop stops stopped stopping", ["stop"] * 4),
    ],
)
def test_words_lose_case_accents_and_endings(text: str, normal: list[str]) -> None:
    assert words(text) == normal


def test_content_words_say_something() -> None:
    assert content_words("According to the article, it was the harbour of Nordby.") == ["harbour", "nordbi"]


def test_a_wording_weighs_words_names_and_figures() -> None:
    said = wording("Dogs of Nordby cost 4 euros.")
    assert said.weights == {"dog": 1.0, "nordbi": 2.0, "cost": 1.0}
    assert len(said.figures) == 1
    assert said.weight == 1 + 2 + 1 + 3
    assert said.order == ("dog", "nordbi", "cost", "4", "euro")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The boss is Tim Cook of Apple.", (("tim", "cook"), ("appl",))),
        ("Tim Cook is the boss.", (("tim", "cook"),)),
        ("Dogs need a lead.", ()),
        ("Dogs like Nordby, Sudby and St. Olaf.", (("nordbi",), ("sudbi",), ("st", "olaf"))),
        ("It opened in May 2023.", ()),
        ("2. Dogs need a lead.", ()),
        ("“Dogs need a lead.”", ()),
    ],
)
def test_names_are_runs_of_capitalized_words_but_not_what_begins_a_sentence(
    text: str, names: tuple[tuple[str, ...], ...]
) -> None:
    assert wording(text).names == names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It did not disclose the price, but the buyer.", {"disclos", "pric"}),
        ("It never sailed again.", {"sail", "again"}),
        ("It didn’t sail.", {"sail"}),
        ("No dogs. Cats may come.", {"dog"}),
        ("It does not sail today or tomorrow morning.", {"sail", "todai"}),
        ("It sailed.", set()),
    ],
)
def test_a_not_reaches_the_words_close_behind_it(text: str, expected: set[str]) -> None:
    assert polarity(text).negated == expected


def test_a_word_may_be_negated_and_not() -> None:
    found = polarity("One religion was legal; no other religion was.")
    assert "religion" in found.plain & found.negated
