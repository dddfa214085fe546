"""How high a ranking puts the documents that matter."""

from collections.abc import Mapping, Sequence


def ranking_measures(
    ranked: Mapping[str, Sequence[str]], relevance: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, float]]:
    """Query id → score by name, each in [0, 1], for every query of `relevance`; those without a ranking score 0.

    `ranked` has document ids, best first; `relevance` has grades by document id, of which those above 0 are relevant.
    hit@1, hit@5, hit@10: 1 where at least one relevant document is among the first k (trec_eval's success).
    recall@5, recall@10: the share of the relevant documents that are among the first k.
    MRR@10: 1 / rank of the first relevant document, 0 where that is beyond 10 (Voorhees, TREC-8, 1999).
    nDCG@10: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002, as trec_eval has
    it: grade / log2(rank + 1), summed and divided by the sum of the best possible ranking.

    No queries give {}. Raises ValueError for a query without relevant documents, where recall is undefined, and for a
    ranking that holds a document twice.
    """
    import ir_measures
    from ir_measures import RR, R, Success, nDCG

    for query, grades in relevance.items():
        if not any(grade > 0 for grade in grades.values()):
            raise ValueError(f"No document is relevant to the query {query!r}.")
        if len(set(ranked.get(query, ()))) < len(ranked.get(query, ())):
            raise ValueError(f"The ranking for the query {query!r} holds a document twice.")
    names = {
        Success @ 1: "hit@1", Success @ 5: "hit@5", Success @ 10: "hit@10", R @ 5: "recall@5", R @ 10: "recall@10",
        RR @ 10: "MRR@10", nDCG @ 10: "nDCG@10",
    }  # fmt: skip
    # Scores that fall by 1 from rank to rank: with ties the order would be that of the ids.
    run = {
        query: {document: float(-rank) for rank, document in enumerate(ranked[query])}
        for query in relevance
        if query in ranked
    }
    scores = {query: dict.fromkeys(names.values(), 0.0) for query in relevance}
    qrels = {query: dict(grades) for query, grades in relevance.items()}
    for found in ir_measures.iter_calc(list(names), qrels, run):
        scores[found.query_id][names[found.measure]] = float(found.value)
    return scores
