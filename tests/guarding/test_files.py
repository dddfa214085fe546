from rag.guarding.files import disposition


def test_a_name_in_other_letters_is_sent_beside_a_plain_one() -> None:
    assert disposition("bill.csv", shown=True) == 'inline; filename="bill.csv"'
    assert disposition("Müller 日.csv", shown=False) == (
        "attachment; filename=\"M_ller _.csv\"; filename*=UTF-8''M%C3%BCller%20%E6%97%A5.csv"
    )


def test_no_name_ends_the_header_or_names_a_folder() -> None:
    for name in (
        'a"; x=".csv',
        "a\r\nSet-Cookie: a=b.csv",
        "../../etc/passwd",
        "..\\a",
        "\u202egpj.exe",
        "...",
        "\udcff",
    ):
        sent = disposition(name, shown=False)
        sent.encode("ascii")
        assert sent.count('"') == 2
        assert not {"\r", "\n", "/", "\\"} & set(sent.partition("filename*")[0])
        assert "%2F" not in sent
        assert "%E2%80%AE" not in sent
        assert '="."' not in sent
        assert '=".' not in sent
