"""Which articles are versions of one another, however they came into the library."""

import random
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from rag.index import check_library, open_library, open_writer
from rag.index.sketches import ALIKE, BANDS, FEWEST_WORDS, PLACES, alike, bands, signature
from tests.index.shelf import IDENTITY, make_library, put

WORDS = [f"word{number}" for number in range(3000)]


def story(seed: int, words: int = 200) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def edited(text: str, share: float, seed: int = 7) -> str:
    """With so many of the words replaced by others, at places spread evenly."""
    words = text.split()
    step = round(1 / share)
    for place in range(seed % step, len(words), step):
        words[place] = f"other{place}"
    return " ".join(words)


def families(folder: Path) -> set[frozenset[str]]:
    with open_library(folder) as library:
        named = {listed.id: library.duplicates_of(listed.id) for listed in library.documents()}
    return {frozenset({name, *(other.id for other in others)}) for name, others in named.items() if others}


def similarity(one: str, other: str) -> float:
    """Of the sets of three words in a row."""
    sets = [{tuple(words[at : at + 3]) for at in range(len(words) - 2)} for words in (one.split(), other.split())]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def test_a_signature_estimates_the_similarity_of_two_texts() -> None:
    text = story(1, 2000)
    own = signature(text)
    assert own is not None
    for share in (0.01, 0.05, 0.1, 0.5):
        other = signature(edited(text, share))
        assert other is not None
        assert float(np.mean(own == other)) == pytest.approx(similarity(text, edited(text, share)), abs=0.12)
    assert len(bands(own)) == BANDS
    assert own.shape == (PLACES,)


def test_a_signature_is_the_same_on_every_machine_and_in_every_process() -> None:
    own = signature("one two three four five six seven eight nine ten eleven twelve")
    assert own is not None
    assert [int(value) for value in own[:3]] == FIRST_VALUES
    assert bands(own)[0] == FIRST_BAND


FIRST_VALUES = [72704927, 22157243, 69758049]
FIRST_BAND = 2062248004898168339


def test_case_punctuation_and_spaces_make_no_difference() -> None:
    text = story(1)
    shouted = text.upper().replace(" ", ",\n ")
    quiet, loud = signature(text), signature(shouted)
    assert quiet is not None
    assert loud is not None
    assert np.array_equal(quiet, loud)


def test_a_text_of_a_few_words_has_no_signature_and_one_without_spaces_has() -> None:
    assert signature("") is None
    assert signature(" ".join(WORDS[: FEWEST_WORDS - 1])) is None
    assert signature("東京都は日本の首都であり世界最大級の都市である") is not None


def test_texts_are_alike_only_above_the_threshold_and_with_a_band_in_common() -> None:
    own = np.arange(PLACES, dtype=np.uint32)
    none_banded = own.copy()
    none_banded[::5] += 1000
    few = np.where(np.arange(PLACES) < ALIKE * PLACES - 1, own, own + 1000).astype(np.uint32)
    enough = np.where(np.arange(PLACES) < ALIKE * PLACES, own, own + 1000).astype(np.uint32)
    assert alike(own, np.stack([own, none_banded, few, enough])).tolist() == [True, False, False, True]


def test_copies_and_lightly_edited_copies_are_one_family_and_others_are_not(tmp_path: Path) -> None:
    make_library(
        tmp_path,
        {
            "reuters": story(1),
            "copy": story(1),
            "edited": f"By our own reporter.\n{edited(story(1), 0.02)}\nAll rights reserved.",
            "rewritten": edited(story(1), 0.25),
            "other": story(2),
            "short": "Tea grows on hills.",
            "short copy": "Tea grows on hills.",
        },
    )
    assert families(tmp_path) == {frozenset({"reuters", "copy", "edited"})}
    with open_library(tmp_path) as library:
        assert [other.source for other in library.duplicates_of("edited")] == [
            "articles/copy.txt",
            "articles/reuters.txt",
        ]
        assert library.duplicates_of("other") == library.duplicates_of("unknown") == ()


CHAIN = {"a": story(1), "b": edited(story(1), 0.05, 0), "c": edited(edited(story(1), 0.05, 0), 0.05, 10)}


def test_a_chain_of_alike_articles_is_one_family_in_whatever_order_they_come(tmp_path: Path) -> None:
    assert similarity(CHAIN["a"], CHAIN["c"]) < ALIKE < similarity(CHAIN["a"], CHAIN["b"])
    for order in permutations(CHAIN):
        folder = tmp_path / "".join(order)
        for name in order:
            make_library(folder, {name: CHAIN[name]})
        assert families(folder) == {frozenset("abc")}


def test_a_family_whose_link_is_removed_or_rewritten_falls_apart(tmp_path: Path) -> None:
    for way in ("remove", "rewrite"):
        folder = make_library(tmp_path / way, {**CHAIN, "d": CHAIN["c"]})
        with open_writer(folder, IDENTITY) as writer:
            if way == "remove":
                writer.remove("b")
            else:
                put(writer, "b", story(9))
            writer.commit()
        assert families(folder) == {frozenset("cd")}
        assert check_library(folder).faults == ()


def test_what_is_not_committed_leaves_no_family(tmp_path: Path) -> None:
    make_library(tmp_path, {"a": story(1)})
    with open_writer(tmp_path, IDENTITY) as writer:
        put(writer, "b", story(1))
    assert families(tmp_path) == set()
