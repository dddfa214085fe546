import random

import pytest

from rag.metrics import ExcerptMeasures, Span, excerpt_measures


def measures(retrieved: list[tuple[int, int]], gold: list[tuple[int, int]]) -> ExcerptMeasures:
    """Of spans of one document."""
    return excerpt_measures([Span("d", *span) for span in retrieved], [Span("d", *span) for span in gold])


def test_a_passage_that_holds_half_of_the_excerpt() -> None:
    # Wanted are 10..29, retrieved 20..59: 10 in common, of 20 and of 40, and 50 in all.
    assert measures([(20, 60)], [(10, 30)]) == ExcerptMeasures(recall=10 / 20, precision=10 / 40, iou=10 / 50)


def test_several_excerpts_in_several_passages() -> None:
    # In common 5 + 10, wanted 10 + 10, retrieved 15 + 25, in all 20 + 25.
    assert measures([(0, 15), (40, 65)], [(10, 20), (50, 60)]) == ExcerptMeasures(15 / 20, 15 / 40, 15 / 45)


def test_text_that_several_spans_hold_counts_once() -> None:
    assert measures([(0, 20), (10, 30), (12, 14)], [(0, 10), (5, 15)]) == ExcerptMeasures(15 / 15, 15 / 30, 15 / 30)


def test_equal_offsets_in_another_document_have_nothing_in_common() -> None:
    found = excerpt_measures([Span("a", 0, 10), Span("b", 0, 10)], [Span("b", 0, 10), Span("c", 0, 10)])
    assert found == ExcerptMeasures(recall=10 / 20, precision=10 / 20, iou=10 / 30)


def test_exactly_the_excerpts_are_worth_all_and_neighbours_nothing() -> None:
    assert measures([(5, 9), (3, 5)], [(3, 9)]) == ExcerptMeasures(1, 1, 1)
    assert measures([(0, 3), (9, 12)], [(3, 9)]) == ExcerptMeasures(0, 0, 0)


def test_nothing_retrieved_is_worth_nothing() -> None:
    assert measures([], [(3, 9)]) == measures([(4, 4)], [(3, 9)]) == ExcerptMeasures(0, 0, 0)


@pytest.mark.parametrize("gold", [[], [(3, 3)]])
def test_without_gold_text_there_is_nothing_to_measure(gold: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="no characters"):
        measures([(0, 5)], gold)


@pytest.mark.parametrize(("start", "end"), [(5, 4), (-1, 4)])
def test_a_span_is_a_range(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="no range"):
        Span("d", start, end)


def test_random_spans_measure_as_sets_of_their_characters_do() -> None:
    """Smith and Troynikov 2024: recall, precision and IoU of the set retrieved against the set wanted."""
    chance = random.Random(1)

    def spans(count: int) -> list[Span]:
        starts = [chance.randrange(40) for _ in range(count)]
        return [Span(chance.choice("ab"), start, start + chance.randint(1, 20)) for start in starts]

    def characters(of: list[Span]) -> set[tuple[str, int]]:
        return {(span.document, at) for span in of for at in range(span.start, span.end)}

    for _ in range(200):
        retrieved, gold = spans(chance.randint(1, 5)), spans(chance.randint(1, 3))
        got, wanted = characters(retrieved), characters(gold)
        both = len(got & wanted)
        assert excerpt_measures(retrieved, gold) == ExcerptMeasures(
            both / len(wanted), both / len(got), both / len(got | wanted)
        )
