import random
from dataclasses import dataclass

import pytest

from rag.engines.kept_states import WORTH_KEEPING, KeptStates
from tests.engines.automaton import LETTERS, Automaton, answer, engine_of, prompt, random_table

LONG = WORTH_KEEPING + 1


@dataclass(frozen=True)
class Named:
    """A state that is only a name and a size."""

    name: str
    bytes: int = 10

    def restore(self, length: int) -> None:
        raise AssertionError(f"nobody asked for {length} tokens of {self.name}")


def run_of(token: int) -> list[int]:
    return [token] * LONG


def kept(states: KeptStates, tokens: list[int]) -> str:
    """The name of the closest state, empty where none shares a token."""
    found = states.closest(tokens, more_than=0)
    return found[0].name if found and isinstance(found[0], Named) else ""


def test_the_state_that_shares_most_is_found_with_how_much_it_shares() -> None:
    states = KeptStates(100)
    states.keep([1, *run_of(2)], Named("short"))
    states.keep([1, 5, *run_of(3)], Named("long"))
    assert states.closest([1, 5, 3, 9], more_than=2) == (Named("long"), 3)
    assert states.closest([1, 5, 3, 9], more_than=3) is None
    assert states.closest([7], more_than=0) is None


def test_the_state_unused_for_longest_goes_when_there_is_no_room() -> None:
    states = KeptStates(20)
    states.keep(run_of(1), Named("one"))
    states.keep(run_of(2), Named("two"))
    assert kept(states, [1]) == "one"
    states.keep(run_of(3), Named("three"))
    assert [kept(states, [token]) for token in (1, 2, 3)] == ["one", "", "three"]
    assert states.bytes == 20


def test_a_state_larger_than_all_room_pushes_nothing_out() -> None:
    states = KeptStates(20)
    states.keep(run_of(1), Named("one"))
    states.keep(run_of(2), Named("huge", 21))
    assert [kept(states, [token]) for token in (1, 2)] == ["one", ""]


def test_a_state_that_goes_on_from_another_replaces_it() -> None:
    states = KeptStates(100)
    states.keep([*run_of(1), 5], Named("first question"))
    states.keep([*run_of(1), 6, 7], Named("second question"))
    assert states.closest([*run_of(1), 6], more_than=0) == (Named("second question"), LONG + 1)
    assert states.bytes == 10


def test_a_state_with_hardly_anything_new_replaces_nothing_but_counts_as_use() -> None:
    states = KeptStates(20)
    states.keep([*run_of(1), *run_of(2)], Named("whole"))
    states.keep(run_of(3), Named("other"))
    states.keep([*run_of(1), 5], Named("beginning"))
    assert kept(states, run_of(1)) == "whole"
    states.keep(run_of(4), Named("new"))
    assert [kept(states, [token]) for token in (1, 3, 4)] == ["whole", "", "new"]


# In an engine


def text(seed: int, length: int = 2 * LONG) -> str:
    return "".join(random.Random(seed).choices(LETTERS[1:], k=length))


def test_a_conversation_that_is_returned_to_is_not_read_again() -> None:
    model = Automaton({})
    engine = engine_of(model)
    passages, others = "b" + text(1), "c" + text(2)
    for request in (passages + "cc", others, passages + "dd"):
        model.steps.clear()
        answer(engine, request, 1)
    assert model.steps[0] == (passages, "d")


def test_nothing_is_kept_where_there_is_no_room_for_it() -> None:
    model = Automaton({})
    engine = engine_of(model, kept_mib=0)
    for request in ("b" + text(1), "c" + text(2), "b" + text(1)):
        model.steps.clear()
        answer(engine, request, 1)
    assert model.steps[0] == ("", ("b" + text(1))[:128])


def test_what_was_forgotten_is_read_again() -> None:
    model = Automaton({})
    engine = engine_of(model)
    for request in ("b" + text(1), "c" + text(2)):
        answer(engine, request, 1)
    engine.forget()
    model.steps.clear()
    answer(engine, "b" + text(1), 1)
    assert model.steps[0] == ("", ("b" + text(1))[:128])


@pytest.mark.parametrize("can_truncate", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_going_back_and_forth_between_conversations_changes_no_answer(seed: int, can_truncate: bool) -> None:
    chance = random.Random(seed)
    model = Automaton(random_table(seed), can_truncate)
    engine = engine_of(model, kept_mib=0.7)  # room for two of the three
    conversations = [text(seed), text(seed)[:LONG] + text(seed + 1), text(seed + 2)]
    for _ in range(30):
        at = chance.randrange(3)
        request = conversations[at] + text(chance.randrange(99), 5)
        assert answer(engine, request) == model.greedy(request, 50)
        list(engine.warm(prompt(request[: chance.randrange(1, len(request))])))


def test_a_step_broken_off_after_a_return_leaves_nothing_behind() -> None:
    for breaks_off in range(1, 12):
        model = Automaton(random_table(3), breaks_off=breaks_off)
        engine = engine_of(model)
        requests = [text(1), text(2), text(1) + "bc"]
        for request in requests:
            try:
                assert answer(engine, request, 3) == model.greedy(request, 3)
            except KeyboardInterrupt:
                assert len(model.steps) == breaks_off
        assert [answer(engine, request) for request in requests] == [model.greedy(one, 50) for one in requests]
