"""Files of questions, evaluations and what two of them say together, as HTML for the page."""

import math
from collections.abc import Mapping, Sequence

from rag.languages import counted, in_figures, later, said
from rag.rendering.escape import Html, escape, joined, told
from rag.rendering.heard import retold
from rag.rendering.html import with_commands
from rag.rendering.wording import percent
from rag.tasks import ReportListed, ReportsCompared, Result, RowDone, ScoreChange, Standing, State, Upload

IDS_SHOWN = 20
"""Ids of questions listed, at most."""

_STATES = {
    State.RUNNING: later("Being answered"),
    State.STOPPED: later("Stopped"),
    State.CHANGED: later("Waits for you"),
    State.FAILED: later("Could not go on"),
    State.DONE: later("Done"),
}
_RESULTS = {
    Result.ANSWERED: later("Answered"),
    Result.REFUSED: later("Refused"),
    Result.FAILED: later("Not asked"),
}
_PURPOSE = later(
    "Hand in a file of questions and download a file of answers: a table with a column called `question` (.csv, "
    ".xlsx), .jsonl, or text with a question a line. Work goes on while this page is closed, and gives way to whoever "
    "asks a single question."
)
_NO_EVALUATION = later(
    "There is no evaluation yet. Choose a .jsonl file whose questions come with their `answers` above, or run "
    "`rag eval`."
)
_UNCLEAR = later("“can’t tell”: chance alone may explain the difference, or the questions are too few.")
_TOLD = ("worse", "better", "can't tell")
"""Verdicts on scores that differ, in the order in which they are shown."""
_SCORE_COLUMNS = (
    later("Score"),
    later("Before"),
    later("After"),
    later("Difference"),
    later("95 % interval"),
    later("Questions"),
    later("Verdict"),
)
_VERDICTS = {
    "better": later("better"),
    "worse": later("worse"),
    "can't tell": later("can’t tell"),
    "the same": later("the same"),
}


def bulk_intro_html() -> Html:
    """What the view is for."""
    return Html(f"<h2>{told('Many questions at once')}</h2><p>{with_commands(said(_PURPOSE))}</p>")


def evaluations_intro_html() -> Html:
    """What the lower half of the view is for."""
    text = told("How good the answers are, over questions whose answers are known.")
    return Html(f"<h2>{told('Evaluations')}</h2><p>{text}</p>")


def upload_html(upload: Upload | None) -> Html:
    """What a file of questions holds, and which of its rows can't be asked; empty for none."""
    if upload is None:
        return Html("")
    shown = joined([Html(f'<li dir="auto">{escape(question)}</li>') for question in upload.first])
    more = upload.questions - len(upload.first)
    rest = f'<p class="more">{_more(more)}</p>' if more > 0 else ""
    return Html(
        f'<section class="looked" aria-label="{told("The file chosen")}"><h3 dir="auto">{escape(upload.name)}</h3>'
        f'<p class="facts" role="status">{_questions(upload.questions)}</p>'
        f"<ol>{shown}</ol>{rest}{_bad_rows(upload)}</section>"
    )


def running_html(standing: Standing | None) -> Html:
    """How far the work on a file has come, and the newest rows; empty for none."""
    if standing is None:
        return Html("")
    done, total = standing.done, standing.total
    return Html(
        f'<section class="running" aria-label="{told("Being answered")}"><h3 dir="auto">{escape(standing.name)}</h3>'
        f'<progress max="{total}" value="{done}" aria-label="{told("Questions answered")}"></progress>'
        f'<p class="facts">{escape(_progress(standing))}</p>{_rows(standing.rows, later("Newest answers"))}</section>'
    )


def files_html(standings: Sequence[Standing], links: Mapping[str, Sequence[tuple[str, str]]]) -> Html:
    """The files that nobody works on now, with what can be done with each.

    `links` are label and address of a file's downloads, by its id.
    """
    return joined([_file(standing, links.get(standing.id, ())) for standing in standings])


def reports_html(reports: Sequence[ReportListed], addresses: Mapping[str, str]) -> Html:
    """The evaluations on disk; `addresses` lead to their pages, by key."""
    if not reports:
        return Html(f'<p class="nothing">{with_commands(said(_NO_EVALUATION))}</p>')
    return Html(f'<ul class="reports">{joined([_report(one, addresses.get(one.key, "")) for one in reports])}</ul>')


def compared_html(found: ReportsCompared) -> Html:
    """A verdict in words, then a table of the scores, then the questions whose answers flipped."""
    telling = [score for verdict in _TOLD for score in found.scores if score.verdict == verdict]
    same = [score for score in found.scores if score.verdict not in _TOLD]
    rest = ""
    if same:
        title = counted("{number} score is the same", "{number} scores are the same", len(same))
        rest = f"<details><summary>{escape(title)}</summary>{_scores(same, title)}</details>"
    table = _scores(telling, said("{first}, then {second}", first=found.before, second=found.after)) if telling else ""
    return Html(
        f'<section class="compared"><h3 role="status">{escape(verdict_in_words(found))}</h3>'
        f'<p class="facts">{told("{questions} in both.", questions=_questions(found.questions))} '
        f"{told('Changed: {changes}.', changes=found.changed or said('nothing that is known of'))}</p>{table}"
        f'<p class="facts">{told(_UNCLEAR)}</p>'
        f'{rest}<dl class="flipped"><dt>{told("Now right")}</dt><dd>{escape(_listed(found.gained))}</dd>'
        f"<dt>{told('Now wrong')}</dt><dd>{escape(_listed(found.lost))}</dd></dl></section>"
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
    lists = ((later("Better: {scores}."), better), (later("Worse: {scores}."), worse))
    parts = [said(text, scores="; ".join(names)) for text, names in lists if names]
    if not parts:
        return said("Nothing got better or worse that chance alone can’t explain.")
    if unclear := len(by_verdict.get("can't tell", [])):
        text = counted(
            "Nothing can be told about {number} other.", "Nothing can be told about {number} others.", unclear
        )
        parts.append(text)
    return " ".join(parts)


def time_left(seconds: float | None) -> str:
    """`about 3 minutes left`; empty where nobody can tell."""
    if seconds is None:
        return ""
    if seconds < 60:
        return said("less than a minute left")
    minutes = math.ceil(seconds / 60)
    if minutes < 90:
        return counted("about {number} minute left", "about {number} minutes left", minutes)
    hours = round(minutes / 60)
    if hours < 48:
        return counted("about {number} hour left", "about {number} hours left", hours)
    return counted("about {number} day left", "about {number} days left", round(hours / 24))


def _bad_rows(upload: Upload) -> Html:
    if not upload.bad:
        return Html("")
    items = [
        Html(f'<li>{told("Row {number}:", number=in_figures(row))} <span dir="auto">{escape(problem)}</span></li>')
        for row, problem in upload.bad
    ]
    more = upload.bad_count - len(upload.bad)
    refused = counted(
        "{number} row can’t be asked; the answers will say why:",
        "{number} rows can’t be asked; the answers will say why:",
        upload.bad_count,
    )
    rest = f"<li>{_more(more)}</li>" if more > 0 else ""
    return Html(f'<div class="changes" role="note"><p>{escape(refused)}</p><ul>{joined(items)}{rest}</ul></div>')


def _progress(standing: Standing) -> str:
    if standing.doing and standing.done in (0, standing.total):
        return f"{retold(standing.doing.rstrip(' …'))} …"
    parts = [_share(standing), _outcomes(standing), time_left(standing.seconds_left)]
    return " · ".join(part for part in parts if part)


def _outcomes(standing: Standing) -> str:
    counts = (
        (standing.answered, later("{number} answered")),
        (standing.refused, later("{number} refused")),
        (standing.failed, later("{number} not asked")),
    )
    return ", ".join(said(text, number=in_figures(count)) for count, text in counts if count)


def _share(standing: Standing) -> str:
    return said("{done} of {all}", done=in_figures(standing.done), all=in_figures(standing.total))


def _file(standing: Standing, links: Sequence[tuple[str, str]]) -> Html:
    state = standing.state
    facts = " · ".join(part for part in (_share(standing), _outcomes(standing)) if part)
    made = f"{standing.made[:16].replace('T', ' ')} UTC"
    offered = joined([Html(f'<a href="{escape(address)}" download>{escape(label)}</a>') for label, address in links])
    downloads = (
        Html(f'<p class="downloads">{told("Download the answers:")} {offered}</p>') if offered and standing.done else ""
    )
    report = f" · {told('with a report')}" if standing.scored else ""
    rows = ""
    if standing.rows:
        shown = _rows(standing.rows, later("Answers"))
        rows = f"<details><summary>{escape(_first(standing))}</summary>{shown}</details>"
    return Html(
        f'<article class="file {state}"><header><h3 dir="auto">{escape(standing.name)}</h3>'
        f'<span class="state">{told(_STATES[state])}</span></header>'
        f'<p class="facts">{escape(facts)} · {escape(made)}{report}</p>'
        f"{_message(standing)}{downloads}{rows}"
        f'<p class="actions">{joined(_buttons(standing))}</p></article>'
    )


def _first(standing: Standing) -> str:
    shown = len(standing.rows)
    if shown == standing.done:
        return said("Look at the answers")
    return said("Look at the first {number} answers", number=in_figures(shown))


def _message(standing: Standing) -> Html:
    if standing.state is State.CHANGED:
        text = told(
            "These answers were begun with {models}. Answers made now would not be comparable with them.",
            models=standing.message,
        )
        return Html(f'<div class="changes" role="note"><p>{text}</p></div>')
    if standing.message:
        return Html(f'<p class="trouble" role="alert" dir="auto">{escape(standing.message)}</p>')
    return Html("")


def _buttons(standing: Standing) -> list[Html]:
    match standing.state:
        case State.STOPPED | State.FAILED:
            offered = [("go-on", later("Go on"))]
        case State.CHANGED:
            offered = [("afresh", later("Start over")), ("mixed", later("Go on all the same"))]
        case _:
            offered = []
    return [
        Html(
            f'<button type="button" data-does="{does}" data-file="{escape(standing.id)}" '
            f'aria-label="{told(label)}: {escape(standing.name)}">{told(label)}</button>'
        )
        for does, label in [*offered, ("remove", later("Remove"))]
    ]


def _rows(rows: Sequence[RowDone], label: str) -> Html:
    if not rows:
        return Html("")
    return Html(
        f'<ol class="rows" tabindex="0" role="region" aria-label="{told(label)}">'
        f"{joined([_row(row) for row in rows])}</ol>"
    )


def _row(row: RowDone) -> Html:
    sure = f" · {told('confidence {share}', share=percent(row.confidence))}" if row.confidence is not None else ""
    sources = f' · <span dir="auto">{escape(", ".join(row.sources))}</span>' if row.sources else ""
    return Html(
        f'<li class="row {row.result}"><span class="number">{row.row:,}</span><div>'
        f'<p class="asked-row" dir="auto">{escape(row.question or said("(no question)"))}</p>'
        f'<p class="said" dir="auto">{escape(row.text)}</p>'
        f'<p class="facts">{told(_RESULTS[row.result])}{sure}{sources}</p></div></li>'
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
        f'<a href="{escape(address)}" target="_blank" rel="noopener">{told("Open")}<span class="sr"> '
        f"{told('{report} in a new tab', report=report.key)}</span></a>"
        if address
        else ""
    )
    return Html(
        f'<li class="report"><header><h3 dir="auto">{escape(report.key)}</h3>{opened}</header>'
        f'<p class="facts">{escape(report.mode)} · {_questions(report.questions)} · {escape(made)}</p>'
        f'<dl class="scores">{scores}</dl></li>'
    )


def _scores(scores: Sequence[ScoreChange], caption: str) -> Html:
    heads = joined([Html(f'<th scope="col">{told(column)}</th>') for column in _SCORE_COLUMNS])
    return Html(
        f'<div class="table-scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f'<caption dir="auto">{escape(caption)}</caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>{joined([_score_row(score) for score in scores])}</tbody></table></div>"
    )


def _score_row(score: ScoreChange) -> Html:
    cells = (score.before, score.after, score.difference, score.interval, score.questions)
    values = joined([Html(f"<td>{escape(cell)}</td>") for cell in cells])
    kind = {"better": "better", "worse": "worse"}.get(score.verdict, "unclear")
    verdict = told(_VERDICTS.get(score.verdict, score.verdict))
    return Html(
        f'<tr class="{kind}"><th scope="row">{escape(score.name)}</th>{values}'
        f'<td class="verdict-word">{verdict}</td></tr>'
    )


def _listed(names: Sequence[str]) -> str:
    more = f" {_more(len(names) - IDS_SHOWN)}" if len(names) > IDS_SHOWN else ""
    return (", ".join(names[:IDS_SHOWN]) or said("none")) + more


def _questions(number: int) -> str:
    return counted("{number} question", "{number} questions", number)


def _more(number: int) -> str:
    return said("and {number} more", number=in_figures(number))
