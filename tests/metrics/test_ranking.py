import math
import random

import pytest
from sklearn.metrics import ndcg_score

from rag.metrics import ranking_measures


def test_a_ranking_worked_by_hand() -> None:
    scores = ranking_measures({"q": ["x", "b", "y", "a"]}, {"q": {"a": 2, "b": 1, "c": 1, "x": 0}})["q"]
    gained = 1 / math.log2(3) + 2 / math.log2(5)  # b at rank 2, a at rank 4
    possible = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)  # a, b, c
    assert scores == pytest.approx(
        {
            "hit@1": 0, "hit@5": 1, "hit@10": 1, "recall@5": 2 / 3, "recall@10": 2 / 3,
            "MRR@10": 1 / 2, "nDCG@10": gained / possible,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rank", "reached"),
    [(1, "hit@1 hit@5 hit@10 recall@5 recall@10"), (5, "hit@5 hit@10 recall@5 recall@10"), (6, "hit@10 recall@10"),
     (10, "hit@10 recall@10"), (11, "")],
)  # fmt: skip
def test_what_counts_is_the_rank_of_the_one_relevant_document(rank: int, reached: str) -> None:
    ranked = [f"other {at}" for at in range(20)]
    ranked[rank - 1] = "wanted"
    scores = ranking_measures({"q": ranked}, {"q": {"wanted": 1}})["q"]
    shares = {name for name, score in scores.items() if name[0] in "hr" and score == 1}
    assert shares == set(reached.split())
    assert scores["MRR@10"] == pytest.approx(1 / rank if rank <= 10 else 0)
    assert scores["nDCG@10"] == pytest.approx(1 / math.log2(rank + 1) if rank <= 10 else 0)


def test_the_order_given_is_the_order_whatever_the_ids() -> None:
    for ranked in (["a", "b"], ["b", "a"]):
        assert ranking_measures({"q": ranked}, {"q": {ranked[0]: 1}})["q"]["hit@1"] == 1
        assert ranking_measures({"q": ranked}, {"q": {ranked[1]: 1}})["q"]["hit@1"] == 0


def test_ids_may_hold_anything() -> None:
    scores = ranking_measures({"wo ist’s?": ["Größe 1.md", "a/b c"]}, {"wo ist’s?": {"a/b c": 1}})
    assert scores["wo ist’s?"]["MRR@10"] == 0.5


def test_a_query_without_a_ranking_scores_nothing_and_one_that_nobody_judged_is_left_out() -> None:
    scores = ranking_measures(
        {"unjudged": ["a"], "nothing found": []}, {"missing": {"a": 1}, "nothing found": {"a": 1}}
    )
    assert set(scores) == {"missing", "nothing found"}
    assert all(len(of_query) == 7 and set(of_query.values()) == {0.0} for of_query in scores.values())


def test_no_queries_are_no_scores() -> None:
    assert ranking_measures({}, {}) == {}


@pytest.mark.parametrize("grades", [{}, {"a": 0}])
def test_a_query_without_relevant_documents_has_no_scores(grades: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="No document is relevant to the query 'q'"):
        ranking_measures({"q": ["a"]}, {"q": grades})


def test_a_ranking_holds_no_document_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        ranking_measures({"q": ["a", "b", "a"]}, {"q": {"a": 1}})


def test_random_rankings_score_as_their_definitions_say() -> None:
    """nDCG (Järvelin and Kekäläinen 2002) as scikit-learn has it; the others counted out."""
    chance = random.Random(1)
    documents = [f"d{at}" for at in range(30)]
    ranked = {f"q{at}": chance.sample(documents, 30) for at in range(20)}
    relevance = {query: {chance.choice(documents): 3, chance.choice(documents): 1, "d0": 2} for query in ranked}
    for query, scores in ranking_measures(ranked, relevance).items():
        grades = [relevance[query].get(document, 0) for document in ranked[query]]
        ranks = [rank for rank, grade in enumerate(grades, start=1) if grade]
        assert scores["nDCG@10"] == pytest.approx(ndcg_score([grades], [range(30, 0, -1)], k=10))
        assert scores["MRR@10"] == pytest.approx(1 / ranks[0] if ranks[0] <= 10 else 0)
        for k in (5, 10):
            within = sum(rank <= k for rank in ranks)
            assert scores[f"recall@{k}"] == pytest.approx(within / len(ranks))
            assert scores[f"hit@{k}"] == (within > 0)
