import json
from typing import Any

import pytest

from rag.documents import FieldNames, load_bytes
from rag.errors import DocumentError
from tests.documents.reading import about, loaded, only

RECORD = {
    "headline": "Ferry <b>sails</b> again",
    "body": "It left.",
    "authors": [{"name": "Ada Low"}, "Bo Ray"],
    "publishedAt": "2024-03-14T09:00:00Z",
    "url": "https://harbour.example/ferry",
    "id": 3,
}


def test_a_record_is_an_article() -> None:
    document = only(json.dumps(RECORD), "ferry.json")
    assert (document.text, document.source, document.part) == ("It left.", "/news/ferry.json", "")
    assert about(document) == ("Ferry sails again", "Ada Low, Bo Ray", "2024-03-14", "https://harbour.example/ferry")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([RECORD, {"id": 4}, {"text": "It came."}]),
        json.dumps({"status": "ok", "tags": [1, 2, 3, 4], "articles": [RECORD, {"id": 4}, {"text": "It came."}]}),
        "\n".join(json.dumps(one) for one in (RECORD, {"id": 4}, {"text": "It came."})) + "\n\n",
    ],
    ids=["list", "list in a record", "lines"],
)
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_records_are_articles_and_those_without_text_are_named(text: str, name: str) -> None:
    found = loaded(text, name)
    assert [(document.source, document.text, document.title) for document in found.documents] == [
        (f"/news/{name}#1", "It left.", "Ferry sails again"),
        (f"/news/{name}#3", "It came.", "A, 3"),
    ]
    assert found.notes == (f"/news/{name} has 1 of 3 records without text: #2.",)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ({"text": ["One.", "Two."]}, "One.\n\nTwo."),
        ({"text": "<p>One.</p><p>Two.</p>"}, "One.\n\nTwo."),
        ({"text": "1 < 2 and 3 > 2"}, "1 < 2 and 3 > 2"),
        ({"text": " ", "content": {"rendered": "<p>One.</p>"}}, "One."),
        ({"Article-Body": "One."}, "One."),
        ({"text": "One\u0000 \ud800two\r\nthree\u2028four"}, "One two\nthree\nfour"),
        ({"text": 5}, "5"),
    ],
)
def test_texts_come_in_many_forms(text: dict[str, Any], read: str) -> None:
    assert only(json.dumps(text), "a.json").text == read


def test_a_mapping_names_the_fields_before_the_usual_ones() -> None:
    names = FieldNames.of("text=story, title=meta.heading")
    data = json.dumps([{"story": "It left.", "meta": {"heading": "Ferry"}, "text": "No."}, {"text": "It came."}])
    first, second = load_bytes(data.encode(), "a.json", "/a.json", names).documents
    assert (first.title, first.text) == ("Ferry", "It left.")
    assert second.text == "It came."


@pytest.mark.parametrize("mapping", ["story", "story=text", "text="])
def test_a_mapping_that_names_no_field_is_refused(mapping: str) -> None:
    with pytest.raises(DocumentError, match=r"names no field\. Write title=NAME,text=NAME"):
        FieldNames.of(mapping)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"question": "When?", "answer": "At nine."}', r"holds no record with a text\..*has question, answer\."),
        ("[]", r"holds no record with a text.*no records in it"),
        ('{"text": "It', "line 1, column 10: Unterminated string"),
        ('{"text": "One."}\n{"text": }', "line 2, column 10: Expecting value"),
        ("[" * 100_000, "is nested too deeply"),
        ('{"text": ' + "[" * 100_000 + "]" * 100_000 + "}", "is nested too deeply"),
        ("1" * 5000, "holds a number that can't be read"),
        ("The ferry left.", "is no JSON"),
    ],
)
def test_what_holds_no_article_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(DocumentError, match=complaint):
        loaded(text, "a.json")
