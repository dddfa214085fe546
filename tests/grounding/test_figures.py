from decimal import Decimal

import pytest

from rag.grounding.figures import Date, Figure, Quantity, figures, held, without_figures


def quantity(value: str, unit: str = "") -> Quantity:
    return Quantity(Decimal(value), unit)


@pytest.mark.parametrize(
    ("ways", "figure"),
    [
        ("US$20 million|$20m|$20 M|20 million dollars|20 million US dollars|USD 20 million|$20,000,000", ("2E+7", "$")),
        ("1,000|1000|one thousand|a thousand|1 thousand|1000.0", ("1000", "")),
        ("20 %|20%|20 percent|20-percent|twenty per cent", ("20", "%")),
        ("7,000,000 square kilometers|7 million km2|7 million km²|seven million sq km", ("7E+6", "km2")),
        ("€4|4 euros|four euros|EUR 4|4.00 euro", ("4", "€")),
        ("£5k|5,000 pounds|five thousand pounds", ("5000", "£")),
        ("19th century|nineteenth century", ("19", "th")),
        ("the 1990s|the 1990's", ("1990", "s")),
        ("two hundred and five thousand|205,000", ("205000", "")),
        ("twenty-five years|25-year|25 yrs", ("25", "year")),
        ("20 m|20m|20 meters|twenty metres", ("20", "m")),
        ("one million|a million|1,000,000", ("1E+6", "")),
        ("52.29% of voters", ("52.29", "%")),
    ],
)
def test_a_quantity_is_the_same_however_it_is_written(ways: str, figure: tuple[str, str]) -> None:
    for written in ways.split("|"):
        assert figures(written) == {quantity(*figure)}, written


@pytest.mark.parametrize(
    ("ways", "date"),
    [
        (
            "May 5, 2023|5 May 2023|May 5th, 2023|the 5th of May 2023|the 5th of May, 2023|2023-05-05|MAY 5 2023",
            (2023, 5, 5),
        ),
        ("May 2023|May, 2023", (2023, 5, None)),
        ("Sept. 3|3 September|September the 3rd", (None, 9, 3)),
        ("in January", (None, 1, None)),
    ],
)
def test_a_date_is_the_same_however_it_is_written(ways: str, date: tuple[int | None, int | None, int | None]) -> None:
    for written in ways.split("|"):
        assert figures(written) == {Date(*date)}, written


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("May 5–7, 2023", {Date(2023, 5, 5), Date(2023, 5, 7)}),
        ("from 1857-59", {quantity("1857"), quantity("1859")}),
        ("4, 5 and 6", {quantity("4"), quantity("5"), quantity("6")}),
        ("two and three", {quantity("2"), quantity("3")}),
        ("In 2011 it had 249,432 residents.", {quantity("2011"), quantity("249432")}),
        ("one of the first, second to none", set()),
        ("G7, B2B", set()),
        ("", set()),
    ],
)
def test_all_figures_of_a_text_are_found(text: str, found: set[Figure]) -> None:
    assert figures(text) == found


@pytest.mark.parametrize(
    ("claim", "source", "expected"),
    [
        ("20 million", "US$20m", True),
        ("US$20m", "20 million", True),
        ("$20m", "€20m", False),
        ("20 %", "20 km", False),
        ("5 pounds", "5 lb", True),
        ("2023", "5 May 2023", True),
        ("May 2023", "May 5, 2023", True),
        ("5 May", "May 5, 2023", True),
        ("5 May 2023", "May 2023", False),
        ("5 May 2023", "6 May 2023", False),
        ("5 May 2023", "5 July 2023", False),
        ("21", "21st", True),
        ("1990s", "1990", True),
        ("1990s", "1985", False),
        ("4", "40", False),
        ("4.5", "4", False),
    ],
)
def test_a_figure_is_held_by_one_that_says_no_less(claim: str, source: str, expected: bool) -> None:
    [figure] = figures(claim)
    assert held(figure, figures(source)) is expected


def test_a_text_can_do_without_its_figures() -> None:
    assert without_figures("On May 5, 2023 one of 20 % paid $4.").split() == ["On", "one", "of", "paid", "."]
