import json
from pathlib import Path

import pytest

from rag.grounding import named_in, support, word_share
from rag.grounding.support import SupportModel, measures, model_name, support_model


def test_measures_of_a_claim_by_hand() -> None:
    # dogs, cost, Nordby (2) and a figure (3), of which Nordby is missing: 5 of 7. Pairs: dog-cost, cost-4, 4-euro,
    # euro-nordby, of which the last is missing.
    found = measures("Dogs cost 4 euros in Nordby.", ["", "Dogs cost 4 euros."])
    assert found == {"words": pytest.approx(5 / 7), "pairs": 0.75, "figures": 1.0}


def test_without_figures_or_pairs_none_is_missing() -> None:
    assert measures("Dogs.", ["Cats."]) == {"words": 0.0, "pairs": 1.0, "figures": 1.0}


def test_a_model_is_the_logistic_function_of_a_weighted_sum() -> None:
    model = SupportModel({"words": 2.0, "figures": 1.0}, -2.0, 0.5)
    assert model.probability({"words": 0.5, "figures": 1.0}) == 0.5
    assert model.probability({"words": 1.0, "figures": 1.0}) == pytest.approx(0.7311, abs=1e-4)


def test_models_in_use_know_their_measures() -> None:
    kept = json.loads((Path(support.__file__).parent / "support.json").read_text(encoding="utf-8"))
    assert "cheap" in kept["models"]
    for name in kept["models"]:
        model = support_model(name)
        extra = {one for one in model.weights if one not in support.CHEAP}
        assert model_name(extra) == name
        assert model.weights.keys() >= set(support.CHEAP)
        assert 0 < model.supported_from < 1


@pytest.mark.parametrize(
    ("question", "share"),
    [
        ("When did Nordby sell 1,000 tickets?", 1.0),
        ("When did Nordby sell one thousand tickets?", 1.0),
        ("When did Sudby sell 1,000 tickets?", 0.5),
        ("When did Sudby sell 2,000 tickets?", 0.0),
        ("When was it sold?", 1.0),
        ("Did Ada Nordby sell it?", 1.0),
    ],
)
def test_names_and_figures_of_a_question_are_looked_for(question: str, share: float) -> None:
    assert named_in(question, ["The port of Nordby", "It sold 1000 tickets."]) == share


def test_the_share_of_a_question_s_words_is_weighted() -> None:
    # sell, Nordby (2), 1,000 (3), tickets.
    assert word_share("Did Nordby sell 1,000 tickets?", ["A port", "Nordby sells fish."]) == pytest.approx(3 / 7)
    assert word_share("What is it?", ["A port"]) == 0.0
