from collections.abc import Sequence

import pytest

from rag.metrics import CitationMeasures, citation_measures


def supports(claim: str, cited: Sequence[str]) -> bool:
    """All of the claim's words stand in the sentences together."""
    return set(claim.split()) <= {word for sentence in cited for word in sentence.split()}


def measures(*claims: tuple[str, list[str]]) -> CitationMeasures:
    return citation_measures(claims, supports)


def test_a_sentence_that_supports_the_claim_is_all_it_takes() -> None:
    assert measures(("red boat", ["big red boat"])) == CitationMeasures(recall=1, precision=1, cited_share=1)


def test_sentences_that_support_a_claim_only_together_are_all_needed() -> None:
    assert measures(("red boat", ["red car", "big boat"])) == CitationMeasures(1, 1, 1)


def test_sentences_that_each_support_the_claim_are_not_superfluous() -> None:
    assert measures(("red boat", ["red boat", "red boat"])) == CitationMeasures(1, 1, 1)


def test_a_sentence_that_adds_nothing_is_superfluous() -> None:
    assert measures(("red boat", ["red boat", "green car"])) == CitationMeasures(1, 1 / 2, 1)
    # Each word stands in two sentences, so any one of the three may go.
    assert measures(("a b c", ["a b", "b c", "a c"])) == CitationMeasures(1, 0, 1)


def test_citations_of_an_unsupported_claim_count_for_nothing() -> None:
    # One of two claims is supported; of three citations only its own is right.
    assert measures(("red boat", ["red boat"]), ("red boat", ["red", "green"])) == CitationMeasures(1 / 2, 1 / 3, 1)


def test_a_claim_without_citations_is_not_supported() -> None:
    assert measures(("red boat", ["red boat"]), ("", []), ("big", [])) == CitationMeasures(1 / 3, 1, 1 / 3)


def test_without_any_citations_all_is_nought() -> None:
    assert measures(("red boat", [])) == CitationMeasures(0, 0, 0)


def test_the_verifier_sees_a_claim_with_all_then_each_then_the_others() -> None:
    asked: list[tuple[str, list[str]]] = []

    def only_all(claim: str, cited: Sequence[str]) -> bool:
        asked.append((claim, list(cited)))
        return len(cited) == 3

    assert citation_measures([("claim", ["a", "b", "c"])], only_all) == CitationMeasures(1, 1, 1)
    assert asked == [
        ("claim", cited) for cited in (["a", "b", "c"], ["a"], ["b", "c"], ["b"], ["a", "c"], ["c"], ["a", "b"])
    ]


def test_there_have_to_be_claims() -> None:
    with pytest.raises(ValueError, match="no claims"):
        measures()
