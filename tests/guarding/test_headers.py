import re
from pathlib import Path

from rag.guarding.headers import ALWAYS, NOTHING, inline_scripts, login_policy, page_policy, source_of
from rag.rendering import LOGIN_STYLE, login_page


def test_a_hash_as_browsers_compute_it() -> None:
    # The example of the Content Security Policy specification, section 8.3
    assert source_of(b"alert('Hello, world.');") == "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"


def test_scripts_in_a_page_are_found_and_those_with_an_address_are_not() -> None:
    page = b'<script>a<b</script><script data-x>\nb\n</script><script type="module" src="./x.js"></script>'
    assert inline_scripts(page) == [b"a<b", b"\nb\n"]


def test_the_policy_names_each_script_and_allows_no_other() -> None:
    policy = dict(part.split(" ", 1) for part in page_policy([b"a", b"b", b"a"]).split("; "))
    assert policy["script-src"].split() == ["'self'", "'unsafe-eval'", *sorted([source_of(b"a"), source_of(b"b")])]
    assert policy["script-src-attr"] == "'none'"
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    sources = " ".join(policy.values())
    assert not re.search(r"https?:|blob:|\*|'unsafe-hashes'|'strict-dynamic'", sources)


def test_what_is_no_page_may_do_nothing() -> None:
    assert NOTHING.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in NOTHING


def test_the_login_page_has_no_script_and_the_style_its_policy_allows() -> None:
    page = login_page("<b>")
    assert "<script" not in page
    assert "&lt;b&gt;" in page
    assert f"<style>{LOGIN_STYLE}</style>" in page
    assert source_of(LOGIN_STYLE.encode()) in login_policy(LOGIN_STYLE)
    assert "script-src" not in login_policy(LOGIN_STYLE)


def test_no_answer_may_be_framed_sniffed_or_given_a_camera() -> None:
    assert ALWAYS["X-Frame-Options"] == "DENY"
    assert ALWAYS["X-Content-Type-Options"] == "nosniff"
    assert "camera=()" in ALWAYS["Permissions-Policy"]


def test_the_documentation_quotes_the_policy_in_force() -> None:
    page = page_policy([b"a"]).replace(source_of(b"a"), "'sha256-…'")
    assert page in (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
