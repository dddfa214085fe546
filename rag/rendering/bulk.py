"""Files of questions, evaluations and what two of them say together, as HTML for the page."""

import math
from collections.abc import Mapping, Sequence

from rag.rendering.escape import Html, escape, joined
from rag.rendering.wording import percent
from rag.tasks import ReportListed, ReportsCompared, Result, RowDone, ScoreChange, Standing, State, Upload

IDS_SHOWN = 20
"""Ids of questions listed, at most."""

_STATES = {
    State.RUNNING: "Being answered",
    State.STOPPED: "Stopped",
    State.CHANGED: "Waits for you",
    State.FAILED: "Could not go on",
    State.DONE: "Done",
}
_RESULTS = {Result.ANSWERED: "Answered", Result.REFUSED: "Refused", Result.FAILED: "Not asked"}
_TOLD = ("worse", "better", "can't tell")
"""Verdicts on scores that differ, in the order in which they are shown."""
_SCORE_COLUMNS = ("Score", "Before", "After", "Difference", "95 % interval", "Questions", "Verdict")


def bulk_intro_html() -> Html:
    """What the view is for."""
    return Html(
        "<h2>Many questions at once</h2><p>Hand in a file of questions and download a file of answers: a table with a "
        "column called <i>question</i> (.csv, .xlsx), .jsonl, or text with a question a line. Work goes on while this "
        "page is closed, and gives way to whoever asks a single question.</p>"
    )


def evaluations_intro_html() -> Html:
    """What the lower half of the view is for."""
    return Html("<h2>Evaluations</h2><p>How good the answers are, over questions whose answers are known.</p>")


def upload_html(upload: Upload | None) -> Html:
    """What a file of questions holds, and which of its rows can't be asked; empty for none."""
    if upload is None:
        return Html("")
    shown = joined([Html(f'<li dir="auto">{escape(question)}</li>') for question in upload.first])
    more = upload.questions - len(upload.first)
    rest = f'<p class="more">and {more:,} more</p>' if more > 0 else ""
    return Html(
        f'<section class="looked" aria-label="The file chosen"><h3 dir="auto">{escape(upload.name)}</h3>'
        f'<p class="facts" role="status">{_count(upload.questions, "question")}</p>'
        f"<ol>{shown}</ol>{rest}{_bad_rows(upload)}</section>"
    )


def running_html(standing: Standing | None) -> Html:
    """How far the work on a file has come, and the newest rows; empty for none."""
    if standing is None:
        return Html("")
    done, total = standing.done, standing.total
    return Html(
        f'<section class="running" aria-label="Being answered"><h3 dir="auto">{escape(standing.name)}</h3>'
        f'<progress max="{total}" value="{done}" aria-label="Questions answered"></progress>'
        f'<p class="facts">{escape(_progress(standing))}</p>{_rows(standing.rows, "Newest answers")}</section>'
    )


def files_html(standings: Sequence[Standing], links: Mapping[str, Sequence[tuple[str, str]]]) -> Html:
    """The files that nobody works on now, with what can be done with each.

    `links` are label and address of a file's downloads, by its id.
    """
    return joined([_file(standing, links.get(standing.id, ())) for standing in standings])


def reports_html(reports: Sequence[ReportListed], addresses: Mapping[str, str]) -> Html:
    """The evaluations on disk; `addresses` lead to their pages, by key."""
    if not reports:
        return Html(
            '<p class="nothing">There is no evaluation yet. Choose a .jsonl file whose questions come with their '
            "<code>answers</code> above, or run <code>rag eval</code>.</p>"
        )
    return Html(f'<ul class="reports">{joined([_report(one, addresses.get(one.key, "")) for one in reports])}</ul>')


def compared_html(found: ReportsCompared) -> Html:
    """A verdict in words, then a table of the scores, then the questions whose answers flipped."""
    told = [score for verdict in _TOLD for score in found.scores if score.verdict == verdict]
    same = [score for score in found.scores if score.verdict not in _TOLD]
    rest = ""
    if same:
        title = "1 score is the same" if len(same) == 1 else f"{len(same)} scores are the same"
        rest = f"<details><summary>{title}</summary>{_scores(same, title)}</details>"
    table = _scores(told, f"{found.before}, then {found.after}") if told else ""
    return Html(
        f'<section class="compared"><h3 role="status">{escape(verdict_in_words(found))}</h3>'
        f'<p class="facts">{_count(found.questions, "question")} in both. '
        f"Changed: {escape(found.changed or 'nothing that is known of')}.</p>{table}"
        '<p class="facts">“can’t tell”: chance alone may explain the difference, or the questions are too few.</p>'
        f'{rest}<dl class="flipped"><dt>Now right</dt><dd>{escape(_listed(found.gained))}</dd>'
        f"<dt>Now wrong</dt><dd>{escape(_listed(found.lost))}</dd></dl></section>"
    )


def verdict_in_words(found: ReportsCompared) -> str:
    """What the scores say together.

    >>> verdict_in_words(compared)
    'Better: right when it answers; F1. Worse: citation recall. Nothing can be told about 7 others.'
    """
    by_verdict: dict[str, list[str]] = {}
    for score in found.scores:
        by_verdict.setdefault(score.verdict, []).append(score.name)
    better, worse = by_verdict.get("better", []), by_verdict.get("worse", [])
    parts = [f"{word}: {'; '.join(names)}." for word, names in (("Better", better), ("Worse", worse)) if names]
    if not parts:
        return "Nothing got better or worse that chance alone can’t explain."
    if unclear := len(by_verdict.get("can't tell", [])):
        parts.append(f"Nothing can be told about {unclear} {'other' if unclear == 1 else 'others'}.")
    return " ".join(parts)


def time_left(seconds: float | None) -> str:
    """`about 3 minutes left`; empty where nobody can tell."""
    if seconds is None:
        return ""
    if seconds < 60:
        return "less than a minute left"
    minutes = math.ceil(seconds / 60)
    if minutes < 90:
        return f"about {minutes} {'minute' if minutes == 1 else 'minutes'} left"
    hours = round(minutes / 60)
    return f"about {hours} hours left" if hours < 48 else f"about {round(hours / 24)} days left"


def _bad_rows(upload: Upload) -> Html:
    if not upload.bad:
        return Html("")
    items = [Html(f'<li>Row {row:,}: <span dir="auto">{escape(problem)}</span></li>') for row, problem in upload.bad]
    more = upload.bad_count - len(upload.bad)
    rest = f"<li>and {more:,} more</li>" if more > 0 else ""
    return Html(
        f'<div class="changes" role="note"><p>{_count(upload.bad_count, "row")} can’t be asked; the answers will say '
        f"why:</p><ul>{joined(items)}{rest}</ul></div>"
    )


def _progress(standing: Standing) -> str:
    if standing.doing and standing.done in (0, standing.total):
        return f"{standing.doing.rstrip(' …')} …"
    parts = [f"{standing.done:,} of {standing.total:,}", _outcomes(standing), time_left(standing.seconds_left)]
    return " · ".join(part for part in parts if part)


def _outcomes(standing: Standing) -> str:
    counts = ((standing.answered, "answered"), (standing.refused, "refused"), (standing.failed, "not asked"))
    return ", ".join(f"{count:,} {word}" for count, word in counts if count)


def _file(standing: Standing, links: Sequence[tuple[str, str]]) -> Html:
    state = standing.state
    facts = " · ".join(part for part in (f"{standing.done:,} of {standing.total:,}", _outcomes(standing)) if part)
    made = f"{standing.made[:16].replace('T', ' ')} UTC"
    offered = joined([Html(f'<a href="{escape(address)}" download>{escape(label)}</a>') for label, address in links])
    downloads = Html(f'<p class="downloads">Download the answers: {offered}</p>') if offered and standing.done else ""
    rows = ""
    if standing.rows:
        shown = _rows(standing.rows, "Answers")
        rows = f"<details><summary>{_first(standing)}</summary>{shown}</details>"
    return Html(
        f'<article class="file {state}"><header><h3 dir="auto">{escape(standing.name)}</h3>'
        f'<span class="state">{_STATES[state]}</span></header>'
        f'<p class="facts">{escape(facts)} · {escape(made)}{" · with a report" if standing.scored else ""}</p>'
        f"{_message(standing)}{downloads}{rows}"
        f'<p class="actions">{joined(_buttons(standing))}</p></article>'
    )


def _first(standing: Standing) -> str:
    shown = len(standing.rows)
    return "Look at the answers" if shown == standing.done else f"Look at the first {shown} answers"


def _message(standing: Standing) -> Html:
    if standing.state is State.CHANGED:
        return Html(
            f'<div class="changes" role="note"><p>These answers were begun with <span dir="auto">'
            f"{escape(standing.message)}</span>. Answers made now would not be comparable with them.</p></div>"
        )
    if standing.message:
        return Html(f'<p class="trouble" role="alert" dir="auto">{escape(standing.message)}</p>')
    return Html("")


def _buttons(standing: Standing) -> list[Html]:
    match standing.state:
        case State.STOPPED | State.FAILED:
            offered = [("go-on", "Go on")]
        case State.CHANGED:
            offered = [("afresh", "Start over"), ("mixed", "Go on all the same")]
        case _:
            offered = []
    return [
        Html(
            f'<button type="button" data-does="{does}" data-file="{escape(standing.id)}" '
            f'aria-label="{label}: {escape(standing.name)}">{label}</button>'
        )
        for does, label in [*offered, ("remove", "Remove")]
    ]


def _rows(rows: Sequence[RowDone], label: str) -> Html:
    if not rows:
        return Html("")
    return Html(
        f'<ol class="rows" tabindex="0" role="region" aria-label="{escape(label)}">'
        f"{joined([_row(row) for row in rows])}</ol>"
    )


def _row(row: RowDone) -> Html:
    sure = f" · confidence {percent(row.confidence)}" if row.confidence is not None else ""
    sources = f' · <span dir="auto">{escape(", ".join(row.sources))}</span>' if row.sources else ""
    return Html(
        f'<li class="row {row.result}"><span class="number">{row.row:,}</span><div>'
        f'<p class="asked-row" dir="auto">{escape(row.question or "(no question)")}</p>'
        f'<p class="said" dir="auto">{escape(row.text)}</p>'
        f'<p class="facts">{_RESULTS[row.result]}{sure}{sources}</p></div></li>'
    )


def _report(report: ReportListed, address: str) -> Html:
    made = f"{report.made[:16].replace('T', ' ')} UTC"
    scores = joined(
        [
            Html(f"<div><dt>{escape(name)}</dt><dd>{escape(value)} <span>{escape(interval)}</span></dd></div>")
            for name, value, interval in report.scores
        ]
    )
    opened = (
        f'<a href="{escape(address)}" target="_blank" rel="noopener">Open<span class="sr"> {escape(report.key)} in a '
        "new tab</span></a>"
        if address
        else ""
    )
    return Html(
        f'<li class="report"><header><h3 dir="auto">{escape(report.key)}</h3>{opened}</header>'
        f'<p class="facts">{escape(report.mode)} · {_count(report.questions, "question")} · {escape(made)}</p>'
        f'<dl class="scores">{scores}</dl></li>'
    )


def _scores(scores: Sequence[ScoreChange], caption: str) -> Html:
    heads = joined([Html(f'<th scope="col">{escape(column)}</th>') for column in _SCORE_COLUMNS])
    return Html(
        f'<div class="table-scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f'<caption dir="auto">{escape(caption)}</caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>{joined([_score_row(score) for score in scores])}</tbody></table></div>"
    )


def _score_row(score: ScoreChange) -> Html:
    cells = (score.before, score.after, score.difference, score.interval, score.questions)
    values = joined([Html(f"<td>{escape(cell)}</td>") for cell in cells])
    kind = {"better": "better", "worse": "worse"}.get(score.verdict, "unclear")
    verdict = escape(score.verdict.replace("'", "’"))
    return Html(
        f'<tr class="{kind}"><th scope="row">{escape(score.name)}</th>{values}'
        f'<td class="verdict-word">{verdict}</td></tr>'
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - IDS_SHOWN:,} more" if len(names) > IDS_SHOWN else ""
    return (", ".join(names[:IDS_SHOWN]) or "none") + more


def _count(number: int, what: str) -> Html:
    return Html(f"{number:,} {what if number == 1 else what + 's'}")
