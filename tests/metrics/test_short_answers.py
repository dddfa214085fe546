import pytest

from rag.metrics import SquadMeasures, contained, squad_measures


@pytest.mark.parametrize(
    ("answer", "accepted", "exact_match", "f1"),
    [
        ("Oslo", "Oslo", 1, 1),
        ("the  OSLO.", "Oslo", 1, 1),
        ("Oslo", "Bergen", 0, 0),
        ("Bergen and Oslo", "Oslo", 0, 1 / 2),  # precision 1/3, recall 1
        ("red boat", "big red boat", 0, 4 / 5),  # precision 1, recall 2/3
        ("the red boat sails", "a big red boat", 0, 2 / 3),  # 2 of 3 both ways: articles don't count
        ("boat boat", "boat", 0, 2 / 3),  # a word is shared as often as both have it: precision 1/2, recall 1
        ("1,000", "1000", 1, 1),
        ("", "Oslo", 0, 0),
        ("The", "a", 1, 1),
        ("the", "Oslo", 0, 0),
    ],
)
def test_exact_match_and_f1_of_rajpurkar_et_al_2016(answer: str, accepted: str, exact_match: int, f1: float) -> None:
    found = squad_measures(answer, [accepted])
    assert found.exact_match == exact_match
    assert found.f1 == pytest.approx(f1, abs=1e-6)


def test_the_best_of_the_accepted_answers_counts_for_each_measure() -> None:
    assert squad_measures("big red boat", ["boat", "red boat", "ship"]).f1 == pytest.approx(4 / 5)
    assert squad_measures("ship", ["boat", "Ship", "red ship"]) == SquadMeasures(1, 1)


def test_without_accepted_answers_there_is_nothing_to_compare_with() -> None:
    with pytest.raises(ValueError, match="no accepted answer"):
        squad_measures("Oslo", [])


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("It was built in Oslo, in 1890.", "oslo"),
        ("It was built in **Oslo**.", "Oslo"),
        ("He said “Oslo”…", "Oslo"),
        ("Oslo—Bergen takes a day.", "Bergen"),
        ("Oslo,Bergen", "Oslo"),
        ("It has 10 seats", "10"),
        ("It cost $1,000 then.", "1000"),
        ("It cost 1000 then.", "1,000"),
        ("It has 1,234,567 of them.", "1234567"),
        ("It has 1\u202f234\u00a0567 of them.", "1,234,567"),
        ("It weighs 1,000.5 kg.", "1000.5"),
        ("About 12.5%.", "12.5 %"),
        ("In the U.S.", "US"),
        ("It’s O’Brien’s boat.", "O'Brien's"),
        ("The 'captain's' boat", "captain’s boat"),
        ("The ferry is twenty-five.", "twenty-five"),
        ("From 1939–1945.", "1939-1945"),
        ("It pays US$20 million a month.", "20 million"),
        ("It pays 20 million dollars.", "$20 million"),
        ("A 15-year lease.", "15"),
        ("It is Oslo’s oldest boat.", "Oslo"),
        ("It is Oslo's.", "Oslo’s"),
        ("Dickens wrote Tale of Two Cities.", "A Tale of Two Cities"),
        ("University of the West", "University of West"),
        ("University of West", "The University of the West"),
        ("Vitamin A helps.", "vitamin A"),
        ("Cafe\u0301 Central", "Café Central"),
        ("They are called The The.", "The The"),
        ("They are called “The The”.", "The The"),
        ("The blood group is A.", "A"),
        ("Press the % key.", "%"),
        ("Press `%`.", " % "),
    ],
)
def test_an_accepted_answer_is_contained(answer: str, accepted: str) -> None:
    assert contained(answer, [accepted])


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("It was built in 2010.", "10"),
        ("It has 1,000 seats.", "1"),
        ("It has 1,000 seats.", "000"),
        ("It has 10,000 seats.", "1,000"),
        ("It weighs 3.5 kg.", "35"),
        ("It weighs 35 kg.", "3.5"),
        ("It weighs 3.5 kg.", "5"),
        ("Rooms 2,3 and 4", "23"),
        ("Osloites like it.", "Oslo"),
        ("Oslo is near Bergen.", "Oslo Bergen"),
        ("Twenty-five of them.", "five"),
        ("Vitamin C helps.", "vitamin A"),
        ("The ferry sails to the island.", "The The"),
        ("the the", "The The"),
        ("There is a ferry.", "A"),
        ("The ferry sails.", "%"),
        ("50% of the ferries sail.", "%"),
        ("The ferry sails. Dogs do not.", "."),
        ("The ferry sails.", ""),
        ("The ferry sails.", "  "),
        ("", "Oslo"),
        ("", ""),
    ],
)
def test_an_accepted_answer_is_not_contained(answer: str, accepted: str) -> None:
    assert not contained(answer, [accepted])


def test_one_of_several_accepted_answers_is_enough_and_none_are_never_contained() -> None:
    assert contained("It is in Oslo.", ["Bergen", "Oslo"])
    assert not contained("It is in Oslo.", ["Bergen", "Narvik"])
    assert not contained("It is in Oslo.", [])


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [("The Oslo!", "oslo"), ("1,000", "1000"), ("a well-known U.S. ship", "wellknown US ship"), ("O'Brien", "OBrien")],
)
def test_what_matches_exactly_as_squad_has_it_is_contained(answer: str, accepted: str) -> None:
    assert squad_measures(answer, [accepted]).exact_match == 1
    assert contained(answer, [accepted])
