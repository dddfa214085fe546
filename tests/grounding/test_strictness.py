import pytest

from rag.grounding import supported_only
from rag.types import Claim, Verdict

TEXT = "It opened in 1912. Elephants juggle.\nIt cost 3 million marks. It may sink."


def claims(*verdicts: Verdict) -> tuple[Claim, ...]:
    spans = [(0, 18), (19, 36), (37, 61), (62, 74)]
    return tuple(
        Claim(TEXT[start:end], start, end, (), verdict, 0.5)
        for (start, end), verdict in zip(spans, verdicts, strict=True)
    )


YES, PARTLY, NO = Verdict.SUPPORTED, Verdict.PARTLY_SUPPORTED, Verdict.UNSUPPORTED


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((YES, YES, PARTLY, YES), TEXT),
        ((YES, NO, YES, YES), "It opened in 1912.\nIt cost 3 million marks. It may sink."),
        ((NO, PARTLY, YES, NO), "Elephants juggle.\nIt cost 3 million marks."),
        ((NO, NO, NO, YES), "It may sink."),
        ((NO, NO, NO, NO), ""),
    ],
)
def test_what_nothing_supports_is_left_out_and_the_rest_moves_up(verdicts: tuple[Verdict, ...], expected: str) -> None:
    text, kept = supported_only(TEXT, claims(*verdicts))
    assert text == expected
    assert [text[claim.start : claim.end] for claim in kept] == [claim.text for claim in kept]
    assert [claim.verdict for claim in kept] == [verdict for verdict in verdicts if verdict is not NO]
