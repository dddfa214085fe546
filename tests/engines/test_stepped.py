import math
import random
import threading

import pytest

from rag.engines.stepped import BATCH, DRAFT, Logits, SteppedEngine, lookup
from rag.errors import EngineError
from rag.types import Limits
from tests.engines.automaton import LETTERS, Automaton, answer, engine_of, letters, prompt, random_table
from tests.engines.helpers import stop

SEEDS = range(80)

LOOP = {"ab": "c", "bc": "a", "ca": "b"}
"""Writes abcabcabc… for ever."""


def random_text(seed: int, length: int = 30) -> str:
    return "".join(random.Random(seed).choices(LETTERS, k=length))


# Prompt lookup


def test_what_followed_the_ending_before_is_proposed() -> None:
    assert lookup([7, 8, 9, 5, 7, 8]) == [9, 5, 7, 8]


def test_three_equal_tokens_go_before_two() -> None:
    # (2, 3) last stood before 6, but (1, 2, 3) stood before 4.
    assert lookup([1, 2, 3, 4, 5, 2, 3, 6, 1, 2, 3]) == [4, 5, 2, 3, 6, 1, 2, 3]


def test_the_latest_occurrence_goes_before_earlier_ones() -> None:
    assert lookup([1, 2, 8, 1, 2, 9, 1, 2]) == [9, 1, 2]


def test_an_occurrence_may_overlap_the_ending() -> None:
    assert lookup([5, 5, 5]) == [5]
    assert lookup([5, 5, 5, 5]) == [5]


@pytest.mark.parametrize("tokens", [[], [1], [1, 2], [1, 1], [1, 2, 3, 4], [2, 1, 3, 1]])
def test_nothing_is_proposed_for_what_never_occurred(tokens: list[int]) -> None:
    assert lookup(tokens) == []


def test_a_proposal_is_no_longer_than_a_draft() -> None:
    assert lookup([*range(50), 0, 1]) == list(range(2, 2 + DRAFT))


# Drafts change how fast an answer comes, never what it says


@pytest.mark.parametrize("seed", SEEDS)
def test_drafts_lead_to_the_greedy_answer(seed: int) -> None:
    model = Automaton(random_table(seed))
    text = random_text(seed)
    assert answer(engine_of(model), text) == model.greedy(text, 50)


@pytest.mark.parametrize("seed", SEEDS)
def test_before_every_step_the_cache_holds_what_was_read_and_written_and_no_rejected_draft(seed: int) -> None:
    model = Automaton(random_table(seed))
    text = random_text(seed)
    known = text + answer(engine_of(model), text)
    for before, tokens in model.steps:
        assert known.startswith(before + tokens[0])
    reading, *writing = model.steps
    assert reading == ("", text[:-1])
    assert writing[0][0] + writing[0][1][0] == text


def test_accepted_drafts_save_steps() -> None:
    model = Automaton(LOOP)
    assert answer(engine_of(model), "abcabc", 27) == "abc" * 9
    # One step reads "abcab". The loop last came round 3 letters ago, so each step after that checks a draft of 3 and
    # gains a fourth letter: 6 steps write 24 letters, the seventh the last 3.
    assert [len(tokens) for _, tokens in model.steps] == [5, 4, 4, 4, 4, 4, 4, 3]


def test_a_rejected_draft_is_forgotten() -> None:
    model = Automaton({"ab": "c", "bc": "d", "cd": "e", "de": "f"})
    # "ab" once stood before "eea", but now c follows it.
    assert answer(engine_of(model), "abeeab", 4) == "cdef"
    assert model.steps[:3] == [("", "abeea"), ("abeea", "beea"), ("abeeab", "c")]


def test_an_end_inside_a_draft_ends_the_answer() -> None:
    model = Automaton({"da": "b", "ab": "c", "bc": ""})
    engine = engine_of(model, before="abc.dd")
    # After "b" was written, "ab" is found at the beginning, and the draft "c.dda" contains the end.
    assert answer(engine, "a") == "bc"
    assert model.steps[-1] == ("abc.dda", "bc.ddab")
    assert answer(engine, "a") == "bc"


@pytest.mark.parametrize("max_tokens", range(12))
def test_an_answer_stops_at_max_tokens_even_inside_a_draft(max_tokens: int) -> None:
    model = Automaton(LOOP)
    assert answer(engine_of(model), "abcabc", max_tokens) == ("abc" * 4)[:max_tokens]
    written = 0
    for _, tokens in model.steps[1:]:
        written += len(tokens)
        assert written <= max_tokens


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cache_that_cant_be_cut_gets_no_drafts_and_gives_the_same_answers(seed: int) -> None:
    model = Automaton(random_table(seed), can_truncate=False)
    engine = engine_of(model)
    texts = [random_text(seed), random_text(seed)[:20], random_text(seed) + "abc", random_text(seed + 1)]
    for text in texts:
        model.steps.clear()
        assert answer(engine, text) == model.greedy(text, 50)
        writing = [tokens for before, tokens in model.steps if len(before) >= len(text) - 1]
        assert all(len(tokens) == 1 for tokens in writing)


def test_a_cache_that_cant_be_cut_is_kept_for_a_prompt_that_goes_on_from_it() -> None:
    model = Automaton(LOOP, can_truncate=False)
    engine = engine_of(model)
    list(engine.warm(prompt("abcdef")))
    assert answer(engine, "abcdefgab", 1) == "c"
    assert model.steps == [("", "abcdef"), ("abcdef", "ga"), ("abcdefga", "b")]


# The cache between prompts


def test_only_what_differs_from_the_last_prompt_is_read() -> None:
    model = Automaton({})
    engine = engine_of(model)
    answer(engine, "abcdefgh", 1)
    model.steps.clear()
    answer(engine, "abcdhhhh", 1)
    assert model.steps == [("abcd", "hhh"), ("abcdhhh", "h")]


def test_the_same_prompt_again_reads_one_token() -> None:
    model = Automaton({})
    engine = engine_of(model)
    answer(engine, "abcdefgh", 5)
    model.steps.clear()
    answer(engine, "abcdefgh", 1)
    assert model.steps == [("abcdefg", "h")]


@pytest.mark.parametrize("can_truncate", [True, False])
@pytest.mark.parametrize("seed", range(40))
def test_whatever_was_asked_warmed_chosen_or_stopped_before_answers_are_those_of_a_fresh_engine(
    seed: int, can_truncate: bool
) -> None:
    chance = random.Random(seed)
    model = Automaton(random_table(seed), can_truncate)
    engine = engine_of(model)
    common = random_text(seed, 300)
    for _ in range(25):
        text = common[: chance.randrange(1, 300)] + random_text(chance.randrange(10**6), chance.randrange(1, 20))
        match chance.choice(["ask", "warm", "choose", "stop"]):
            case "ask":
                assert answer(engine, text) == model.greedy(text, 50)
            case "warm":
                list(engine.warm(prompt(text)))
            case "choose":
                odds = engine.choose(prompt(text), LETTERS)
                follower = model.greedy(text, 1)
                assert follower == "" or max(odds) == odds[LETTERS.index(follower)] > min(odds)
            case "stop":
                pieces = engine.stream(prompt(text), Limits(50))
                for _ in range(chance.randrange(6)):
                    next(pieces, "")
                stop(pieces)


@pytest.mark.parametrize("can_truncate", [True, False])
@pytest.mark.parametrize("breaks_off", range(1, 8))
def test_a_step_broken_off_half_way_leaves_nothing_behind(breaks_off: int, can_truncate: bool) -> None:
    model = Automaton(random_table(3), can_truncate, breaks_off)
    engine = engine_of(model)
    text = random_text(4, 3 * BATCH)
    with pytest.raises(KeyboardInterrupt):
        answer(engine, text)
    assert answer(engine, text) == model.greedy(text, 50)


# Pieces


def test_an_empty_piece_comes_after_every_batch_that_is_read() -> None:
    model = Automaton(LOOP)
    text = "d" * (2 * BATCH) + "ab"  # all but the last letter are read before writing begins
    pieces = list(engine_of(model).stream(prompt(text), Limits(3)))
    assert pieces[:3] == ["", "", ""]
    assert [len(tokens) for _, tokens in model.steps[:3]] == [BATCH, BATCH, 1]
    assert "".join(pieces) == "cab"


def test_warming_stops_where_the_caller_stops() -> None:
    model = Automaton({})
    warming = engine_of(model).warm(prompt("d" * 5 * BATCH))
    next(warming)
    next(warming)
    stop(warming)
    assert len(model.steps) == 2


class HalfCharacters(Automaton):
    """Its letters a and b are the two bytes of "é"."""

    def text(self, tokens: list[int]) -> str:
        return letters(tokens).encode().replace(b"a", b"\xc3").replace(b"b", b"\xa9").decode(errors="replace")


def test_half_a_character_waits_for_its_other_half() -> None:
    pieces = engine_of(HalfCharacters(LOOP)).stream(prompt("ab"), Limits(8))
    # It writes c, a, b, c, a, b, c, a: the last half never finds its other one.
    assert [piece for piece in pieces if piece] == ["c", "é", "c", "é", "c"]


# The rest of the protocol


def test_probabilities_are_the_softmax_of_the_options_first_tokens() -> None:
    odds = engine_of(Automaton(LOOP)).choose(prompt("ab"), ("cabbage", "dead"))
    assert odds == pytest.approx((math.e / (math.e + 1), 1 / (math.e + 1)))


def test_options_with_the_same_first_token_are_refused() -> None:
    with pytest.raises(EngineError, match="'bad', 'bee'"):
        engine_of(Automaton(LOOP)).choose(prompt("ab"), ("bad", "bee"))


def test_a_prompt_that_doesnt_fit_is_refused_with_the_numbers() -> None:
    engine = engine_of(Automaton(LOOP), context_tokens=10)
    with pytest.raises(EngineError, match="prompt of 8 tokens and an answer of 3 don't fit the reader's window of 10"):
        answer(engine, "abcabcab", 3)
    assert answer(engine, "abcabcab", 2) == "ca"


def test_a_closed_engine_says_so() -> None:
    model = Automaton(LOOP)
    engine = engine_of(model)
    engine.close()
    engine.close()
    assert model.closed
    for use in (
        lambda: answer(engine, "ab"),
        lambda: engine.count_tokens("ab"),
        lambda: list(engine.warm(prompt("a"))),
    ):
        with pytest.raises(EngineError, match="closed"):
            use()


class Slow(Automaton):
    """Begins a step when it says so, and ends it when it is told to."""

    def __init__(self) -> None:
        super().__init__(LOOP)
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.closed_meanwhile = False

    def step(self, tokens: list[int], last_only: bool) -> Logits:
        self.begun.set()
        assert self.may_end.wait(10)
        self.closed_meanwhile = self.closed
        return super().step(tokens, last_only)


def test_closing_waits_for_the_step_at_hand_and_ends_the_answer_after_it() -> None:
    model = Slow()
    engine = engine_of(model)
    pieces = engine.stream(prompt("abc"), Limits(50))
    asking = threading.Thread(target=lambda: next(pieces))
    closing = threading.Thread(target=engine.close)
    asking.start()
    assert model.begun.wait(10)
    closing.start()
    closing.join(0.05)
    assert not model.closed
    model.may_end.set()
    asking.join(10)
    closing.join(10)
    assert model.closed
    assert not model.closed_meanwhile
    with pytest.raises(EngineError, match="closed"):
        next(pieces)


def test_closing_ends_an_answer_that_is_being_written() -> None:
    engine: SteppedEngine = engine_of(Automaton(LOOP))
    pieces = engine.stream(prompt("ab"), Limits(50))
    next(pieces)
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        list(pieces)
