import pytest
from starlette.datastructures import Headers

from rag.guarding.origins import comes_from_here, is_loopback, may_be_called

HERE = "127.0.0.1:7860"


@pytest.mark.parametrize("host", [HERE, "localhost:7860", "LOCALHOST", "localhost.:7860", "[::1]:7860", "127.0.0.1"])
def test_this_machines_own_names_are_fine(host: str) -> None:
    assert may_be_called(host, "127.0.0.1", ())


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:7860",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.168.1.5:7860",
        "0.0.0.0:7860",
        "2130706433",
        "",
        "localhost:7860@evil.example",
        "localhost:7860/evil",
        "localhost evil.example",
        "localhost:port",
        "[::1",
        "[::1]x",
        "localhost\n",
    ],
)
def test_any_other_name_is_not_for_a_page_on_this_machine(host: str) -> None:
    assert not may_be_called(host, "127.0.0.1", ())


def test_a_page_on_one_address_is_called_by_it() -> None:
    assert may_be_called("192.168.1.5:7860", "192.168.1.5", ())
    assert may_be_called("[fd00::5]", "fd00::5", ())
    assert not may_be_called("192.168.1.6", "192.168.1.5", ())
    assert not may_be_called("127.0.0.1", "192.168.1.5", ())


@pytest.mark.parametrize("everywhere", ["0.0.0.0", "::"])
def test_a_page_on_all_addresses_is_called_by_any_address_but_by_no_name(everywhere: str) -> None:
    assert may_be_called("192.168.1.5:7860", everywhere, ())
    assert may_be_called("localhost:7860", everywhere, ())
    assert not may_be_called("0.0.0.0:7860", everywhere, ())
    assert not may_be_called("evil.example", everywhere, ())


def test_names_that_were_given_are_fine_in_any_case_and_with_any_port() -> None:
    assert may_be_called("News.Example:443", "127.0.0.1", ("news.example",))
    assert not may_be_called("x.news.example", "127.0.0.1", ("news.example",))


def test_loopback() -> None:
    assert [is_loopback(name) for name in ("127.0.0.1", "127.9.9.9", "::1", "localhost")] == [True] * 4
    assert [is_loopback(name) for name in ("0.0.0.0", "::", "192.168.1.5", "news.example", "")] == [False] * 5


def request(**headers: str) -> Headers:
    return Headers({"host": HERE, **{name.replace("_", "-"): value for name, value in headers.items()}})


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": f"http://{HERE}"},
        {"origin": f"https://{HERE}", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {},  # a program that is no browser
    ],
)
def test_requests_of_the_page_itself(method: str, headers: dict[str, str]) -> None:
    assert comes_from_here(request(**headers), method)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://localhost:7860"},  # another name is another origin
        {"origin": "null"},
        {"origin": ""},
        {"origin": f"file://{HERE}"},
        {"origin": "http://[bad"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"},
        {"sec_fetch_site": "same-site", "sec_fetch_mode": "cors"},
        {"sec_fetch_site": "cross-site"},
    ],
)
def test_requests_of_other_sites(method: str, headers: dict[str, str]) -> None:
    assert not comes_from_here(request(**headers), method)


def test_a_link_from_elsewhere_may_be_followed_but_no_form_be_sent() -> None:
    followed = request(sec_fetch_site="cross-site", sec_fetch_mode="navigate")
    assert comes_from_here(followed, "GET")
    assert not comes_from_here(followed, "POST")
