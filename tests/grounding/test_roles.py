import pytest

from rag.grounding.roles import said_of_another


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Alex Zhu is the tech lead.", "Alex Zhu is the founder and Bo Li is the tech lead."),
        ("Alex Zhu is the tech lead.", "Alex Zhu met Bo Li, and Bo Li has since become the tech lead."),
        ("Alex Zhu is the tech lead.", "Alex Zhu, the founder, works with tech lead Bo Li."),
    ],
)
def test_what_is_said_of_another_name_is_noticed(claim: str, source: str) -> None:
    assert said_of_another(claim, source)


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Alex Zhu is the tech lead.", "Alex Zhu is the tech lead and Bo Li the founder."),
        ("Alex Zhu is the tech lead.", "Bo Li is the founder and Zhu is the tech lead."),
        ("Alex Zhu is the tech lead.", "Alex Zhu is the tech lead of Apple."),
        ("Alex Zhu is the tech lead.", "Bo Li met tech lead Alex Zhu."),
        ("Alex Zhu said sales doubled.", "Alex Zhu, who started it with Bo Li in Nordby, said sales doubled."),
        ("Alex Zhu told Bo Li of sales.", "Bo Li told Alex Zhu of sales."),
        ("Alex Zhu is the tech lead.", "Alex Zhu and Bo Li run it."),
        ("Alex Zhu is the tech lead.", "Bo Li is the tech lead."),
        ("Dogs need a lead.", "Bo Li needs a lead."),
        ("", ""),
    ],
)
def test_where_it_cannot_be_told_nothing_is_noticed(claim: str, source: str) -> None:
    assert not said_of_another(claim, source)
