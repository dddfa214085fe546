"""What the browser is told about how far to trust what it gets from here."""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping

_SCRIPT = re.compile(rb"<script(?P<attributes>[^>]*)>(?P<code>.*?)</script>", re.DOTALL)

_DEVICES = (
    "accelerometer autoplay camera display-capture encrypted-media fullscreen geolocation gyroscope hid "
    "magnetometer microphone midi payment picture-in-picture publickey-credentials-get screen-wake-lock serial usb "
    "xr-spatial-tracking"
).split()

ALWAYS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{device}=()" for device in _DEVICES),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""On every answer. `no-referrer` would be stricter, and would make the Origin of the login form "null"."""

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of answers that are no page: no script, no style, nothing fetched, in no frame."""


def source_of(text: bytes) -> str:
    """A script or style of exactly this text, for a policy: "'sha256-…'"."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"


def inline_scripts(page: bytes) -> list[bytes]:
    """The code of the scripts that stand in a page itself, in order."""
    return [found["code"] for found in _SCRIPT.finditer(page) if b" src=" not in found["attributes"]]


def page_policy(scripts: Iterable[bytes]) -> str:
    """The Content-Security-Policy of a page made by Gradio, on which of inline scripts only `scripts` run.

    Why it isn't stricter: `gr.HTML` makes a function of its template with `Function(…)`, hence 'unsafe-eval'; Gradio's
    components set style attributes and add <style> elements, hence 'unsafe-inline' for styles. Scripts and handlers
    in markup, `javascript:` links, plugins, frames and anything from elsewhere are refused.
    """
    allowed = " ".join(sorted({source_of(script) for script in scripts}))
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' 'unsafe-eval' {allowed}".rstrip(),
            "script-src-attr 'none'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


def document_policy(styles: Iterable[str] = (), scripts: Iterable[str] = ()) -> str:
    """The Content-Security-Policy of a document that fetches nothing and runs exactly these scripts and styles."""
    allowed = {
        "style-src": " ".join(source_of(style.encode()) for style in styles),
        "script-src": " ".join(source_of(script.encode()) for script in scripts),
    }
    named = [f"{kind} {sources}" for kind, sources in allowed.items() if sources]
    return "; ".join([*named, "img-src data:", NOTHING])


def login_policy(style: str) -> str:
    """The Content-Security-Policy of the login page: no script at all, its one style, its one form."""
    return (
        f"default-src 'none'; style-src {source_of(style.encode())}; img-src data:; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )
