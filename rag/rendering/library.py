"""The library's view: the list of articles, one article, what is being changed, and which articles are asked.

What can be pressed carries `data-act`, and `library_script` hands its value to the page: "open:ID", "page:2".
"""

import math
from collections.abc import Collection, Sequence

from rag.holdings import Became, Behind, Chosen, Held, Listing, Opened, Result, Work
from rag.languages import counted, in_figures, later, said
from rag.rendering.escape import Html, escape, joined, told
from rag.rendering.heard import retold
from rag.rendering.html import linked
from rag.rendering.wording import is_web_address

MOST_TEXT = 200_000
"""Characters of an article that are shown."""
MOST_NAMED = 20
"""Files that the library is behind of, of which so many are named."""
FIRST = later("Drop files above, or paste the address of a page. They are read on this machine and stay on it.")
CHIPS = 3
"""Chosen articles that are named one by one."""

_SIGNS = {
    Became.ADDED: "+",
    Became.UPDATED: "↻",
    Became.MOVED: "→",
    Became.REMOVED: "−",
    Became.UNCHANGED: "=",
    Became.REFUSED: "!",
}


def library_summary_html(listing: Listing, behind: Sequence[Behind], may_change: bool) -> Html:
    """How much there is, and what it is behind of, with the button that syncs."""
    held = said("{articles} in {passages}", articles=_articles(listing.documents), passages=_passages(listing.chunks))
    title = later("Look into all folders and pages again")
    sync = _button("sync", later("Sync"), title) if may_change and listing.documents else ""
    late = said("{number} not up to date", number=in_figures(len(behind)))
    state = late if behind else said("everything up to date")
    line = f"{held} · {state}" if listing.documents else said("Nothing here yet")
    return Html(f'<div class="holdings"><p>{escape(line)}</p>{sync}</div>{_behind(behind)}')


def library_search_html() -> Html:
    """The box to look for articles; drawn once, so that typing isn't disturbed."""
    return Html(
        f'<div class="look" role="search"><label for="look-for">{told("Look for an article")}</label>'
        '<input id="look-for" type="search" maxlength="200" autocomplete="off" '
        f'placeholder="{told("Title, author, file or words of the text")}"></div>'
    )


def library_list_html(listing: Listing, chosen: Collection[str], typed: str, only: str, opened: str = "") -> Html:
    """The articles found, a page of them. `only` is "all", "stale" or "chosen"."""
    if not listing.documents:
        return Html(f'<div class="nothing"><h3>{told("Add the first article")}</h3><p>{told(FIRST)}</p></div>')
    choices = (
        ("all", later("All")),
        ("chosen", later("Only chosen")),
        ("stale", later("Only not up to date")),
    )
    tabs = joined([_button(f"only:{name}", label, pressed=name == only) for name, label in choices])
    found = said("{number} found", number=in_figures(listing.matching)) if typed or only != "all" else ""
    head = Html(
        f'<div class="narrowing" role="group" aria-label="{told("Show")}">{tabs}'
        f'<p role="status">{escape(found)}</p></div>'
    )
    if not listing.articles:
        return Html(f'{head}<p class="nothing">{told("No article like that.")}</p>')
    rows = joined([_row(article, article.id in chosen, article.id == opened) for article in listing.articles])
    return Html(f'{head}<ul class="articles">{rows}</ul>{_pager(listing)}')


def article_html(
    opened: Opened,
    chosen: bool,
    may_change: bool,
    focus: bool = False,
    confirming: bool = False,
) -> Html:
    """One article: where it is from, what can be done with it, its text with the borders of its chunks.

    With `focus` its title takes the focus; `confirming` asks whether it should really go.
    """
    document = opened.document
    facts = [fact for fact in (document.published, document.author) if fact]
    characters = said("{number} characters", number=in_figures(len(document.text)))
    facts += [_passages(len(opened.chunks)), characters]
    notes = [*(said("Not up to date: {reason}.", reason=retold(reason)) for reason in opened.reasons)]
    if opened.copies:
        notes.append(said("Other versions: {names}.", names=", ".join(opened.copies)))
    if opened.siblings:
        notes.append(
            counted(
                "The same file holds {number} other article.",
                "The same file holds {number} other articles.",
                opened.siblings,
            )
        )
    asks = _button(f"unask:{document.id}", later("Ask all articles again")) if chosen else ""
    remove = _button(f"remove:{document.id}", later("Remove …")) if may_change and not confirming else ""
    head = Html(
        f'<header><button type="button" class="close" data-act="close">{told("Back to the list")}</button>'
        f'<h2 dir="auto" tabindex="-1"{" data-focus" if focus else ""}>{escape(document.title)}</h2>'
        f'<p class="origin">{escape(" · ".join(facts))}</p><p class="origin place">{_link(opened)}</p>'
        f"{joined([_paragraph(note) for note in notes])}</header>"
    )
    only = _button(f"ask:{document.id}", later("Ask only this article"), main=True)
    doing = Html(f'<div class="doing">{only}{asks}{remove}</div>')
    sure = _confirmation(opened) if confirming else ""
    return Html(f'<article class="opened">{head}{doing}{sure}{_text(opened)}</article>')


def article_gone_html() -> Html:
    """What shows when an article was removed meanwhile."""
    return Html(f'<p class="nothing" role="status">{told("That article is no longer in the library.")}</p>')


def work_html(work: Work | None, may_change: bool) -> Html:
    """The change that is under way, or what came of the last one."""
    if work is None:
        return Html("")
    doing = escape(retold(work.doing))
    if work.running:
        amount = f'value="{work.percent:d}"' if work.percent is not None else ""
        left = said("{time} left", time=_duration(work.seconds_left)) if work.seconds_left is not None else ""
        begun = said("begun {when}", when=retold(work.begun))
        parts = [f"{work.percent} %" if work.percent is not None else "", left, begun]
        state = said("Cancelling …") if work.cancelling else " · ".join(filter(None, parts))
        cancel = _button("cancel", later("Cancel")) if may_change and not work.cancelling else ""
        return Html(
            f'<section class="work running" aria-label="{told("Change to the library")}"><p>{doing} …</p>{cancel}'
            f'<progress max="100" {amount} aria-label="{doing}"></progress>'
            f'<p class="said" role="status">{escape(state)}</p></section>'
        )
    trouble = f'<p class="trouble" role="alert">{escape(retold(work.failure))}</p>' if work.failure else ""
    summary = f'<p class="said" role="status">{escape(retold(work.summary))}</p>' if work.summary else ""
    rows = joined([_result(result) for result in work.results])
    more = f'<p class="said">{told("And {number} more.", number=in_figures(work.more))}</p>' if work.more else ""
    dismiss = _button("dismiss", later("Dismiss"))
    results = f'<ul class="results">{rows}</ul>' if rows else ""
    return Html(
        f'<section class="work" aria-label="{told("Change to the library")}"><p>{doing}</p>{dismiss}'
        f"{trouble}{summary}{results}{more}</section>"
    )


def trouble_html(message: str) -> Html:
    """Why something pressed in the library's view was not done."""
    return Html(f'<section class="work"><p class="trouble" role="alert">{escape(retold(message))}</p></section>')


def chosen_html(chosen: Sequence[Chosen]) -> Html:
    """Above the question box: which articles are asked, where it isn't all, and the way back to all."""
    if not chosen:
        return Html("")
    named = joined([Html(f"<bdi>{escape(one.title)}</bdi>") for one in chosen[:CHIPS]], ", ")
    named = Html(f"{told('Only from:')} {named}")
    beyond = len(chosen) - CHIPS
    more = f" {told('and {number} more', number=in_figures(beyond))}" if beyond > 0 else ""
    back = told("Ask all articles")
    return Html(
        f'<p class="only-from" role="status"><span>{named}{more}</span>'
        f'<button type="button" data-act="all" aria-label="{back}" title="{back}">×</button></p>'
    )


def library_script() -> str:
    """Runs once on an element of this view: pressing, ticking or typing in it triggers `select` with what is meant.

    What carries `data-focus` takes the focus when it appears, since what had it is gone.
    """
    return (
        "const say = (value) => trigger('select', { value });"
        "element.addEventListener('click', (event) => {"
        " const pressed = event.target.closest('button[data-act]');"
        " if (pressed) say(pressed.dataset.act);"
        "});"
        "element.addEventListener('change', (event) => {"
        " const box = event.target.closest('input[data-act]');"
        " if (box) say((box.checked ? 'choose:' : 'drop:') + box.dataset.act);"
        "});"
        "let waiting = 0;"
        "element.addEventListener('input', (event) => {"
        " if (event.target.type !== 'search') return;"
        " clearTimeout(waiting);"
        " waiting = setTimeout(() => say('find:' + event.target.value), 250);"
        "});"
        "watch('value', () => element.querySelector('[data-focus]')?.focus());"
    )


def _button(act: str, label: str, title: str = "", pressed: bool | None = None, main: bool = False) -> Html:
    state = "" if pressed is None else f' aria-pressed="{"true" if pressed else "false"}"'
    says = f' title="{told(title)}"' if title else ""
    kind = ' class="main"' if main else ""
    return Html(f'<button type="button"{kind} data-act="{escape(act)}"{state}{says}>{told(label)}</button>')


def _row(article: Held, chosen: bool, opened: bool) -> Html:
    facts = [_short(article.source), article.published or "", _passages(article.chunks)]
    stale = f'<span class="stale">{_reasons(article.reasons)}</span>' if article.reasons else ""
    name, number = escape(article.title), escape(article.id)
    return Html(
        f'<li{" class=here" if opened else ""}><input type="checkbox" data-act="{number}" '
        f'aria-label="{told("Ask this article: {title}", title=article.title)}"{" checked" if chosen else ""}>'
        f'<div><button type="button" data-act="open:{number}" dir="auto">{name}</button>'
        f'<p class="origin">{escape(" · ".join(filter(None, facts)))}{stale}</p></div></li>'
    )


def _pager(listing: Listing) -> Html:
    if listing.pages == 1:
        return Html("")
    before = _button(f"page:{listing.page - 1}", later("Previous")) if listing.page > 1 else ""
    after = _button(f"page:{listing.page + 1}", later("Next")) if listing.page < listing.pages else ""
    where = told("Page {page} of {pages}", page=in_figures(listing.page), pages=in_figures(listing.pages))
    label = told("Pages of the list")
    return Html(f'<nav class="pager" aria-label="{label}">{before}<span>{where}</span>{after}</nav>')


def _behind(behind: Sequence[Behind]) -> Html:
    if not behind:
        return Html("")
    rows = [
        Html(f'<li><span class="stale">{_reasons(one.reasons)}</span> <bdi>{escape(one.source)}</bdi></li>')
        for one in behind[:MOST_NAMED]
    ]
    beyond = len(behind) - MOST_NAMED
    more = f"<li>{told('and {number} more', number=in_figures(beyond))}</li>" if beyond > 0 else ""
    summary = told("What is not up to date")
    return Html(f'<details class="behind"><summary>{summary}</summary><ul>{joined(rows)}{more}</ul></details>')


def _result(result: Result) -> Html:
    name = f"<bdi>{escape(_short(result.name))}</bdi> " if result.name else ""
    return Html(
        f'<li class="{result.became}"><span class="sign" aria-hidden="true">{_SIGNS[result.became]}</span>'
        f"<span>{name}<em>{escape(retold(result.became))}</em> {escape(retold(result.detail))}</span></li>"
    )


def _link(opened: Opened) -> Html:
    document = opened.document
    address = document.file if is_web_address(document.file) else f"cited/{document.id}"
    links = [linked(said("Open the original"), address)]
    if document.url and is_web_address(document.url) and document.url != document.file:
        links.append(linked(said("As published"), document.url))
    return joined([Html(f"<bdi>{escape(opened.place)}</bdi>"), *links], " · ")


def _confirmation(opened: Opened) -> Html:
    if opened.siblings:
        then = said("The other articles of its file stay. It comes back when that file changes.")
    elif is_web_address(opened.document.file):
        then = said("Its page will not be visited any more.")
    elif opened.uploaded:
        then = said("Its file, which was sent to this page, is deleted.")
    else:
        then = said(
            "Its file stays where it is, and syncing leaves it out from now on. Adding the file again brings it back."
        )
    return Html(
        f'<div class="card sure" role="alertdialog" aria-labelledby="sure-title" aria-describedby="sure-text">'
        f'<h3 id="sure-title">{told("Remove this article from the library?")}</h3><p id="sure-text">{escape(then)}</p>'
        f'<div class="doing">{_button(f"really:{opened.document.id}", later("Remove it"), main=True)}'
        f'<button type="button" data-act="open:{escape(opened.document.id)}" data-focus>{told("Keep it")}</button>'
        "</div></div>"
    )


def _text(opened: Opened) -> Html:
    """The text cut where a chunk begins; what a chunk shares with the one before is marked."""
    text, shown = opened.document.text, min(len(opened.document.text), MOST_TEXT)
    chunks = [chunk for chunk in opened.chunks if chunk.start < shown]
    borders = [0, *(chunk.start for chunk in chunks), shown]
    parts = [Html(f"<p>{escape(text[: borders[1]])}</p>")] if text[: borders[1]].strip() else []
    for number, chunk in enumerate(chunks, 1):
        end = borders[number + 1]
        shared = min(max(chunk.start, chunks[number - 2].end if number > 1 else 0), end)
        again = f'<span class="shared">{escape(text[chunk.start : shared])}</span>' if shared > chunk.start else ""
        label = told("Passage {number}", number=number)
        parts.append(
            Html(
                f'<section aria-label="{label}"><h3>{label}</h3>'
                f'<p dir="auto">{again}{escape(text[shared:end])}</p></section>'
            )
        )
    if shown < len(text):
        parts.append(_paragraph(_cut(shown, len(text))))
    return Html(f'<div class="text">{joined(parts)}</div>')


def _paragraph(text: str) -> Html:
    return Html(f'<p class="note">{escape(text)}</p>')


def _short(source: str) -> str:
    """The last part of a path, and of an address all but its beginning."""
    return (
        source.partition("//")[2] if is_web_address(source) else source.replace("\\", "/").rpartition("/")[2] or source
    )


def _cut(shown: int, of: int) -> str:
    text = later("The first {shown} of {all} characters; the original has the rest.")
    return said(text, shown=in_figures(shown), all=in_figures(of))


def _articles(number: int) -> str:
    return counted("{number} article", "{number} articles", number)


def _passages(number: int) -> str:
    return counted("{number} passage", "{number} passages", number)


def _reasons(reasons: Sequence[str]) -> Html:
    return escape(", ".join(map(retold, reasons)))


def _duration(seconds: float) -> str:
    """`40 s`, `3 min`, `1 h 20 min`; never less than a second."""
    if seconds < 60:
        return f"{max(1, math.ceil(seconds))} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
