import pytest

from rag.grounding import holders_of, verdict_on
from rag.grounding.offices import misplaced_office
from rag.types import Verdict

ZHU = "Zhu Wenjia, the tech lead of TikTok, has made the same change."
LI = "Alex Zhu is the tech lead of TikTok."

ANOTHERS = [
    (LI, ZHU),
    (LI, "Alex Zhu is a co-founder of Musical.ly. Zhu Wenjia, the tech lead of TikTok, has made the same change."),
    ("The tech lead of TikTok is Alex Zhu.", ZHU),
    ("TikTok's tech lead is Alex Zhu.", ZHU),
    ("Alex Zhu serves as the tech lead of TikTok.", ZHU),
    ("Alex Zhu was appointed tech lead of TikTok.", ZHU),
    ("Alex Zhu has been named as tech lead at TikTok.", ZHU),
    ("Alex Zhu, the tech lead of TikTok, has made the same change.", ZHU),
    (LI, "Alex Zhu met TikTok's tech lead, Zhu Wenjia, on Monday."),
    (LI, "Alex Zhu met TikTok tech lead Zhu Wenjia."),
    (LI, "Alex Zhu praised the tech lead of TikTok, Zhu Wenjia."),
    (LI, "Alex Zhu works with Zhu Wenjia (the tech lead of TikTok)."),
    (LI, "Alex Zhu works with Zhu Wenjia, who is the tech lead of TikTok."),
    (LI, "Zhu Wenjia, who met Alex Zhu in 2014, is now the tech lead of TikTok."),
    (LI, "The tech lead of TikTok is Zhu Wenjia, not Alex Zhu."),
    (LI, "TikTok named Zhu Wenjia as its tech lead, Alex Zhu said."),
    (LI, "Zhu Wenjia was appointed tech lead of TikTok by Alex Zhu."),
    (LI, "Alex Zhu, the founder, and Zhu Wenjia, the tech lead of TikTok, spoke."),
    (LI, "Alex Zhu is the founder and Zhu Wenjia the tech lead of TikTok."),
    (LI, "Zhu Wenjia joined TikTok as its tech lead after Alex Zhu called."),
    ("Bo Li is the CFO of Apple.", "Ada Low, the CEO of Apple, and Cy Moe, the CFO, met Bo Li."),
    ("Bo Li is the CFO of Apple.", "Apple's founder Bo Li and chief financial officer Cy Moe spoke."),
    ("Bo Li is the president of Chile.", "Bo Li, the vice president of Chile, was there."),
    ("Bo Li is the CEO of Apple.", "Bo Li, the former CEO of Apple, was there."),
    ("Bo Li is the CEO of Apple.", "Ada Low, the chief executive of Apple, met former CEO Bo Li."),
    ("Bo Li is the CEO of Apple.", "Ada Low replaced Bo Li as CEO of Apple."),
    ("Bo Li is the CEO of Apple.", "Bo Li stepped down as CEO of Apple in 2019."),
    ("Bo Li is the CEO of Apple.", "Ada Low, 45, the CEO of Apple, met Bo Li."),
    ("Bo Li is the CEO of Apple.", "Bo Li, the CEO of Pear, met Ada Low, the CEO of Apple."),
    ("Bo Li is the CEO of Apple.", "Bo Li, the CEO of Pear, has left Apple."),
    ("Bo Li is the mayor of Varel.", "Mayor Ada Low of Varel met Bo Li."),
    ("Bo Li is the spokesman of Apple.", "Apple spokeswoman Ada Low said Bo Li would come."),
    ("Ada Low is the prime minister of Norway.", "Norway's prime minister is Bo Li, and Ada Low leads a party."),
    ("Ada Low is the author of Emma.", "Bo Li is the author of Emma, and Ada Low its editor."),
]

OWN = [
    ("Zhu Wenjia is the tech lead of TikTok.", ZHU),
    ("Zhu Wenjia is the tech lead of TikTok.", "Alex Zhu met TikTok's tech lead, Zhu Wenjia, on Monday."),
    ("The tech lead of TikTok is Zhu Wenjia.", ZHU),
    ("TikTok's tech lead is Wenjia.", ZHU),
    ("Zhu Wenjia serves as tech lead of TikTok.", "TikTok tech lead Zhu Wenjia met Alex Zhu."),
    ("Zhu Wenjia is the tech lead of TikTok.", "Alex Zhu works with Zhu Wenjia (the tech lead of TikTok)."),
    ("Zhu Wenjia is the tech lead of TikTok.", "Zhu Wenjia, who met Alex Zhu in 2014, is the tech lead of TikTok."),
    ("Zhu Wenjia is the tech lead of TikTok.", "TikTok appointed Zhu Wenjia as its tech lead."),
    ("Zhu Wenjia was appointed tech lead of TikTok.", "Alex Zhu appointed Zhu Wenjia tech lead of TikTok."),
    ("Zhu Wenjia is the tech lead of TikTok.", "Zhu Wenjia joined TikTok as its tech lead."),
    ("Tim Cook is the CEO of Apple.", "Apple CEO Tim Cook said so."),
    ("Timothy D. Cook is the CEO of Apple.", "Apple's chief executive officer, Tim Cook, said so."),
    ("Tim Cook is the chief executive of Apple.", "Tim Cook (born 1960) is the CEO of Apple."),
    ("Cook is the CEO of Apple.", "Ada Low, the CFO, and Tim Cook, the CEO of Apple, spoke."),
    ("Ada Low is the founder and CEO of Apple.", "Ada Low, founder and CEO of Apple, spoke to Bo Li."),
    ("Ada Low is the CEO of Apple.", "Ada Low, the founder and CEO of Apple, spoke to Bo Li."),
    ("Ada Low is the CEO of Apple.", "Ada Low is the founder of Pear and the CEO of Apple."),
    ("Ada Low and Bo Li are the founders of Apple.", "Apple was started by its founders Ada Low and Bo Li."),
    ("Cy Moe is a leader of Nord.", "Two leaders of Nord, Ada Low, Bo Li, and Cy Moe, came."),
    ("Bo Li is a founder of Apple.", "Ada Low and Bo Li, the founders of Apple, spoke."),
    ("Ada Low is a founder of Apple.", "Ada Low and Bo Li, the founders of Apple, spoke."),
    ("Ada Low was the CEO of Apple.", "Bo Li replaced Ada Low as CEO of Apple."),
    ("Bo Li became the CEO of Apple.", "Bo Li replaced Ada Low as CEO of Apple."),
    ("Ada Low was the CEO of Apple.", "Ada Low, the former CEO of Apple, was there."),
    ("Ada Low is a former CEO of Apple.", "Former Apple CEO Ada Low met Bo Li, the CEO."),
    ("Ada Low stepped down as CEO of Apple.", "Ada Low stepped down as CEO of Apple in 2019."),
    ("Ada Low was the CEO of Apple.", "Ada Low, who stepped down as CEO of Apple, met Bo Li."),
    ("Ada Low is the vice president of Chile.", "Ada Low, the vice president of Chile, met President Bo Li."),
    ("Ada Low is the head of AI at Apple.", "Bo Li, the founder, hired Ada Low, Apple's head of AI."),
    ("Ada Low is the CEO of TikTok.", "Ada Low, the CEO of TikTok, met Bo Li, the CEO of Apple."),
    ("Ada Low is the author of Emma.", "Emma was written by Ada Low."),
    ("Ada Low is the CEO of Apple.", "She is the CEO of Apple, Bo Li said of Ada Low."),
    ("Ada Low is the CEO of Apple.", "The CEO of Apple spoke after Ada Low."),
    ("Ada Low is the mayor of Varel.", "In Varel, mayor Ada Low opened the harbour with Bo Li."),
    ("Ada Low is the mayor of Varel.", "On Monday, the mayor of Varel, Ada Low, met Bo Li."),
    ("The harbour opened in 1871.", "Bo Li, the mayor of Varel, opened the harbour in 1871."),
    ("Apple's CEO said sales doubled.", "Bo Li, the CEO of Apple, said sales doubled."),
    ("", ""),
]


@pytest.mark.parametrize(("claim", "source"), ANOTHERS)
def test_an_office_of_another_is_noticed(claim: str, source: str) -> None:
    assert misplaced_office(claim, [source])


@pytest.mark.parametrize(("claim", "source"), OWN)
def test_whoever_holds_an_office_or_may_hold_it_keeps_it(claim: str, source: str) -> None:
    assert misplaced_office(claim, [source]) is None


def test_a_claim_about_nothing_but_the_office_of_another_is_not_supported() -> None:
    assert verdict_on(LI, [ZHU, "Alex Zhu is a co-founder of Musical.ly."]) is Verdict.UNSUPPORTED
    assert verdict_on("Zhu Wenjia is the tech lead of TikTok.", [ZHU]) is Verdict.SUPPORTED


def test_a_claim_that_says_it_by_the_way_is_supported_in_part() -> None:
    source = "Alex Zhu said with Zhu Wenjia, the tech lead of TikTok, that sales had doubled."
    claim = "Alex Zhu, the tech lead of TikTok, said that sales had doubled."
    assert verdict_on(claim, [source]) is Verdict.PARTLY_SUPPORTED


def test_one_of_several_sentences_may_say_who_holds_it() -> None:
    assert (
        misplaced_office("Ada Low is the CEO of Apple.", ["Bo Li, the CEO of Apple, came.", "Apple CEO Ada Low."])
        is None
    )


def test_whoever_may_hold_an_office_is_told() -> None:
    assert holders_of("the tech lead of TikTok", ZHU) == {("zhu", "wenjia")}
    assert holders_of("the mayor of Varel", "In Emden, the mayor of Varel, Ada Low, spoke.") == {
        ("emden",),
        ("ada", "low"),
    }
    assert holders_of("the mayor of Emden", "Ada Low, the mayor of Varel, spoke.") == set()
    assert holders_of("the mayor of Varel", "The mayor of Varel spoke.") == set()
