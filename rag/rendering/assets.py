"""The page's own style and behaviour, kept beside this file."""

from importlib.resources import files

_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='7' fill='%230f6a5b'/%3E"
    "%3Cpath d='M12 8H8v16h4M20 8h4v16h-4M13 16h6' fill='none' stroke='white' stroke-width='2.6'/%3E%3C/svg%3E"
)


def page_head() -> str:
    """What goes into the page's <head>: style, script and icon, all inline, so that nothing is fetched for them."""
    here = files(__package__)
    style = "".join(
        here.joinpath(name).read_text(encoding="utf-8")
        for name in ("page.css", "inspection.css", "library.css", "bulk.css")
    )
    return f'<style>{style}</style><script>{page_script()}</script><link rel="icon" href="{_ICON}">'


def page_script() -> str:
    """The page's own behaviour, as `page_head` has it."""
    return files(__package__).joinpath("page.js").read_text(encoding="utf-8")


def ahead_script() -> str:
    """Runs once on an element of its own: triggers `select` with the question that is being typed, or "" for none."""
    return files(__package__).joinpath("ahead.js").read_text(encoding="utf-8")


def icon() -> str:
    """A data: address for `<link rel="icon">`."""
    return _ICON


def files_script() -> str:
    """Runs once on the element of `files_html`: pressing a button triggers `select` with what it does to which file."""
    return (
        "element.addEventListener('click', (event) => {"
        " const chosen = event.target.closest('button[data-does]');"
        " if (chosen) trigger('select', { value: [chosen.dataset.does, chosen.dataset.file] });"
        " });"
    )


def welcome_script() -> str:
    """Runs once on the element of `welcome_html`: pressing an example triggers `select` with its question."""
    return (
        "element.addEventListener('click', (event) => {"
        " const chosen = event.target.closest('.examples button');"
        " if (chosen) trigger('select', { value: chosen.textContent });"
        " });"
    )
