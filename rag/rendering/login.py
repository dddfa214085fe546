"""The page before the page: name and password."""

from rag.languages import direction, spoken
from rag.rendering.assets import icon
from rag.rendering.escape import Html, told

LOGIN_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:20rem;margin:16vh auto;padding:0 1rem}"
    "h1{font-size:1.4rem;font-weight:600}label{display:block;margin:1rem 0}"
    "input,button{font:inherit;box-sizing:border-box;width:100%;padding:.5rem .7rem;margin-top:.2rem}"
    "p{color:#b3261e}@media (prefers-color-scheme:dark){p{color:#f2b8b5}}"
)
"""The page's only style, whole: the policy that goes with it allows exactly this text."""


def login_page(trouble: str = "") -> Html:
    """The form, and above it what was wrong with the last try."""
    note = f'<p role="alert">{told(trouble)}</p>' if trouble else ""
    return Html(
        f'<!doctype html><html lang="{spoken()}" dir="{direction()}"><head><meta charset="utf-8">'
        "<title>Citeline</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="{icon()}"><style>{LOGIN_STYLE}</style></head><body><h1>Citeline</h1>{note}'
        f'<form method="post" action="/login"><label>{told("Name")}'
        '<input name="name" autocomplete="username" required autofocus>'
        f"</label><label>{told('Password')}"
        '<input name="password" type="password" autocomplete="current-password" required>'
        f"</label><button>{told('Log in')}</button></form></body></html>"
    )
