"""Files behind citations, and those that the page made, through the gate."""

from pathlib import Path

from rag.documents import load
from rag.guarding import Cited, Handed, Logins, Users, document_policy
from rag.guarding.headers import NOTHING, source_of
from tests.guarding.test_gate import PASSWORD, log_in, visitor


def test_a_cited_file_is_served_by_its_documents_id_to_who_saw_it(users: Users, tmp_path: Path) -> None:
    users.add("bob", PASSWORD)
    article = tmp_path / "bill.txt"
    article.write_text("<b>TikTok</b> pays.")
    [document] = load(article).documents
    cited = Cited()
    cited.note("ann", [document])
    for name, status in (("ann", 200), ("bob", 404)):
        client = visitor(logins=Logins(users), cited=cited)
        log_in(client, name)
        answer = client.get(f"/cited/{document.id}")
        assert answer.status_code == status
        assert answer.headers["content-security-policy"] == NOTHING
        if status == 200:
            assert answer.text == "<b>TikTok</b> pays."
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            assert answer.headers["content-disposition"] == 'inline; filename="bill.txt"'
        assert client.post(f"/cited/{document.id}").status_code == 404
        assert client.get(f"/cited/{'0' * 16}").status_code == 404
        assert client.behind.seen == []


def test_a_handed_file_is_served_by_its_token_to_whom_it_was_handed(users: Users) -> None:
    users.add("bob", PASSWORD)
    handed = Handed()
    saved = handed.put("ann", "Größe.csv", b"<script>1</script>", "text/csv; charset=utf-8")
    shown = handed.put("ann", "report.html", b"<style>a</style>", "text/html", document_policy(["a"], ["b"]))
    logins = Logins(users)
    for name, status in (("ann", 200), ("bob", 404)):
        client = visitor(logins=logins, handed=handed)
        log_in(client, name)
        assert client.get(f"/handed/{shown}").status_code == status
        assert client.get(f"/handed/{saved}").status_code == status
        assert client.post(f"/handed/{saved}").status_code == 404
        assert client.get(f"/handed/{'0' * 43}").status_code == 404
        assert client.behind.seen == []
    client = visitor(logins=logins, handed=handed)
    assert client.get(f"/handed/{saved}").status_code == 401
    log_in(client)
    answer = client.get(f"/handed/{saved}")
    assert answer.content == b"<script>1</script>"
    assert answer.headers["content-disposition"].startswith('attachment; filename="Gr__e.csv"')
    assert answer.headers["content-security-policy"] == NOTHING
    assert answer.headers["cache-control"] == "no-store"
    answer = client.get(f"/handed/{shown}")
    assert answer.headers["content-disposition"] == 'inline; filename="report.html"'
    policy = answer.headers["content-security-policy"]
    assert policy.startswith(f"style-src {source_of(b'a')}; script-src {source_of(b'b')}; ")
    assert policy.endswith(NOTHING)
    assert answer.headers["x-content-type-options"] == "nosniff"
