"""A tab that goes says so, of its own reader only."""

import time

from rag.guarding import Departures, Door, Logins, Users, reader_name
from tests.guarding.test_gate import Visitor, log_in, visitor

NEVER = float("-inf")


def test_a_tab_that_goes_is_noted_by_the_browser_it_is_in() -> None:
    departures = Departures()
    leaving, staying = (Visitor(Door("127.0.0.1", departures=departures)) for _ in range(2))
    for one in (leaving, staying):
        one.get("/")
    before = time.monotonic()
    assert leaving.post("/leaving").status_code == 204
    gone, here = (reader_name(None, next(iter(one.cookies.values()))) for one in (leaving, staying))
    assert before <= departures.last(gone) <= time.monotonic()
    assert departures.last(here) == NEVER
    assert [request.url.path for request in leaving.behind.seen] == ["/"]  # it ends at the gate


def test_a_users_tab_is_noted_by_the_user_and_nobodys_where_there_is_a_login(users: Users) -> None:
    departures = Departures()
    client = visitor(logins=Logins(users), departures=departures)
    assert client.post("/leaving").status_code == 401
    assert departures.last("user ann") == NEVER
    log_in(client)
    client.post("/leaving")
    assert departures.last("user ann") > NEVER


def test_another_site_cannot_say_so() -> None:
    departures = Departures()
    client = visitor(departures=departures)
    client.get("/")
    assert client.post("/leaving", headers={"origin": "http://evil.example"}).status_code == 403
    assert departures.last(reader_name(None, next(iter(client.cookies.values())))) == NEVER
