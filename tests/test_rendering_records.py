import pytest

from rag.rendering.records import markdown_words, single_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words, 95 % (of 3)", "plain words, 95 % (of 3)"),
        ("a | b", r"a \| b"),
        ("two\nlines\r\nand\u2028three", "two lines and three"),
        (r"a\|b", r"a\\\|b"),
        ("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>"),
        ("[x](javascript:alert(1))", r"\[x\](javascript:alert(1))"),
        ("`code` *bold* _it_ ~~no~~ &lt;", r"\`code\` \*bold\* \_it\_ \~\~no\~\~ \&lt;"),
        ("evil\u202etxt.exe\x1b[31m", r"eviltxt.exe\[31m"),
        ("", ""),
    ],
)
def test_words_show_as_themselves_in_markdown(text: str, shown: str) -> None:
    assert markdown_words(text) == shown


def test_a_single_line_has_single_blanks_and_nothing_hidden() -> None:
    assert single_line(" rag  eval\nseeds\t--mode\u202e normal ") == "rag eval seeds --mode normal"
