import re

import pytest

from rag.errors import DocumentError
from tests.documents.corpus import Odd, corpus
from tests.documents.reading import loaded

CORPUS = corpus()


def test_the_corpus_is_large_and_every_file_has_a_name_and_one_outcome() -> None:
    assert len(CORPUS) >= 60
    assert len({odd.name for odd in CORPUS}) == len(CORPUS)
    assert all(bool(odd.texts) != bool(odd.refused) for odd in CORPUS)


@pytest.mark.parametrize("odd", CORPUS, ids=lambda odd: odd.name)
def test_an_odd_file_has_its_outcome(odd: Odd) -> None:
    if odd.refused:
        with pytest.raises(DocumentError, match=odd.refused) as refusal:
            loaded(odd.data, odd.name)
        assert str(refusal.value).count(f"/news/{odd.name}") == 1
        return
    found = loaded(odd.data, odd.name)
    assert tuple(document.text for document in found.documents) == odd.texts
    assert len(found.notes) == bool(odd.noted)
    assert all(re.search(odd.noted, note) for note in found.notes)
