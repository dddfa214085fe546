"""The page's languages: complete, and chosen by who asks."""

from collections.abc import Iterator, Sequence
from contextvars import copy_context
from datetime import date
from string import Formatter

import gradio as gr
import pytest
from starlette.requests import Request

from rag.languages import counted, day_in_words, direction, in_figures, languages, preferred, said, speaking, spoken
from rag.page.speech import in_readers_language
from rag.rendering import answer_text, error_card, login_page, welcome_html
from rag.rendering.heard import retold
from tests.page import passage, refusal
from tools.languages import texts, translated

OTHERS = [language for language in languages() if language != "en"]


def in_forms(text: str | Sequence[str | None] | None) -> tuple[str, ...]:
    """Singular and plural, or the only form; "" for one that is missing."""
    return (text or "",) if text is None or isinstance(text, str) else tuple(form or "" for form in text)


def named(text: str) -> set[str]:
    """The {names} in a text."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_english_and_at_least_three_others_are_spoken() -> None:
    assert languages()[0] == "en"
    assert {"de", "es", "fr"} <= set(OTHERS)


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_every_text_and_no_other(language: str) -> None:
    wanted = {message.id for message in texts() if message.id}
    known = {message.id for message in translated(language) if message.id}
    assert (wanted - known, known - wanted) == (set(), set())  # `python -m tools.languages` brings them in step


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_is_there_with_the_same_names_in_it(language: str) -> None:
    catalog = translated(language)
    for message in catalog:
        if not message.id:
            continue
        english, forms = in_forms(message.id), in_forms(message.string)
        assert len(forms) == (catalog.num_plurals if len(english) > 1 else 1), message.id
        assert all(form.strip() for form in forms), message.id
        assert not message.fuzzy, message.id
        assert all(named(form) == named(english[-1]) for form in forms), message.id


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("FR", "fr"),
        ("es_MX;q=0.9", "es"),
        ("pt-BR,de;q=0.9", "en"),
        ("*", "en"),
        ("", "en"),
        (None, "en"),
        ("../../etc/passwd", "en"),
    ],
)
def test_the_first_language_of_a_browser_is_spoken_where_it_is_known(accepted: str | None, language: str) -> None:
    assert preferred(accepted) == language


def test_texts_dates_and_figures_are_in_the_language_spoken() -> None:
    assert said("Page {page} of {pages}", page=1, pages=2) == "Page 1 of 2"
    assert (day_in_words(date(2024, 3, 14)), in_figures(1234), in_figures(3.14, 1)) == ("14 March 2024", "1,234", "3.1")
    with speaking("de"):
        assert said("Page {page} of {pages}", page=1, pages=2) == "Seite 1 von 2"
        assert [counted("{number} passage", "{number} passages", at) for at in (1, 1234)] == [
            "1 Stelle",
            "1.234 Stellen",
        ]
        assert (day_in_words(date(2024, 3, 14)), in_figures(3.14, 1)) == ("14. März 2024", "3,1")
        assert said("Nobody has translated this.") == "Nobody has translated this."
        assert direction() == "ltr"
    assert spoken() == "en"


def test_what_others_say_in_english_is_retold() -> None:
    with speaking("de"):
        assert retold("This question waits. Loading qwen … 42 %") == "Diese Frage wartet. qwen wird geladen … 42 %"
        assert retold("This question waits for 3 others.") == "Diese Frage wartet auf 3 andere."
        assert retold("2 added, 1 refused.") == "2 hinzugefügt, 1 abgelehnt."
        assert retold("Adding 2 files and 1 address") == "2 Dateien und 1 Adresse werden hinzugefügt"
        assert retold("It is here already: removed") == "Schon hier: removed"
        assert retold("The disk is full.") == "The disk is full."
    assert retold("This question waits for another.") == "This question waits for another."


def test_names_in_what_is_retold_are_never_read_as_templates() -> None:
    with speaking("de"):
        assert retold("It is here already: {title.__class__} {0}") == "Schon hier: {title.__class__} {0}"


def test_markup_and_terminal_speak_it_and_errors_stay_english_and_say_so() -> None:
    with speaking("fr"):
        assert "Interrogez vos articles" in welcome_html(())
        assert answer_text(refusal("qui ?", passage(1))).startswith("Les articles ne le disent pas.")
        assert '<p lang="en">The disk is full.</p>' in error_card("The disk is full.")
        assert '<html lang="fr" dir="ltr">' in login_page()
    assert "lang=" not in error_card("The disk is full.")


def test_each_step_of_a_handler_speaks_the_language_of_its_request() -> None:
    @in_readers_language
    def handler(request: gr.Request) -> Iterator[str]:  # noqa: ARG001
        yield said("Ask")
        yield said("Stop")

    request = gr.Request(request=Request({"type": "http", "headers": [(b"accept-language", b"es-ES")]}))
    steps = handler(request)
    assert [copy_context().run(next, steps) for _ in range(2)] == ["Preguntar", "Detener"]
    assert spoken() == "en"
