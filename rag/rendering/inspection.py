"""How an answer came about as HTML for the page's inspector.

    section.inspection > p.why, ul.changes, then one details.inspection-part for each: search, prompt, time, confidence

The parts are closed but for the timings and the decision. Whatever scrolls can be reached with the keyboard.
"""

from collections.abc import Iterable, Sequence

from rag.inspecting import Asked, Candidate, Inspection, Stage
from rag.languages import later, said
from rag.rendering import inspection_words as words
from rag.rendering.escape import Html, escape, joined, told
from rag.rendering.heard import retold


def inspection_html(inspection: Inspection) -> Html:
    """All that is known of how an answer came about, as one section."""
    parts = (
        _part(later("Decision"), _decision(inspection), is_open=True),
        _part(later("Timings"), _timings(inspection), is_open=True),
        _part(later("Search"), _search(inspection)),
        _part(later("Prompts"), _prompts(inspection)),
    )
    return Html(
        f'<section class="inspection" aria-label="{told("How this answer came about")}">'
        f'<p class="why">{escape(words.why(inspection))}</p>{_changes(inspection.changes)}{joined(parts)}</section>'
    )


def _part(title: str, body: Html, *, is_open: bool = False) -> Html:
    state = " open" if is_open else ""
    return Html(f'<details class="inspection-part"{state}><summary>{told(title)}</summary>{body}</details>')


def _changes(changes: Sequence[str]) -> Html:
    if not changes:
        return Html("")
    items = joined([Html(f'<li dir="auto">{escape(change)}</li>') for change in changes])
    return Html(
        f'<div class="changes" role="note"><p>{told("Not all is as it was when this was answered:")}</p>'
        f"<ul>{items}</ul></div>"
    )


def _decision(inspection: Inspection) -> Html:
    decision = inspection.decision
    if not decision.signals:
        return _note(said("No signals were taken."))
    rows = [_row(map(escape, words.signal_cells(signal))) for signal in decision.signals]
    caption = said("What speaks for the answer, and how many points less sure it would be without")
    return Html(f"{_table(caption, words.SIGNAL_COLUMNS, rows)}{_note(words.decision_note(decision))}")


def _timings(inspection: Inspection) -> Html:
    stages = joined([_stage(stage) for stage in inspection.stages])
    return Html(f'<ul class="stages">{stages}</ul>{_note(words.first_word(inspection))}')


def _stage(stage: Stage) -> Html:
    return Html(
        f'<li class="stage"><span class="stage-name">{escape(retold(stage.name))}</span>'
        '<span class="stage-track" aria-hidden="true">'
        f'<span class="stage-bar" style="width: {100 * stage.share:.1f}%"></span></span>'
        f'<span class="stage-time">{escape(words.stage_time(stage.seconds, stage.share))}</span></li>'
    )


def _search(inspection: Inspection) -> Html:
    candidates = inspection.found.candidates
    first, rest = candidates[: words.FIRST_CANDIDATES], candidates[words.FIRST_CANDIDATES :]
    tables = [_candidates(said("The best {number}", number=len(first)), first)] if first else []
    if rest:
        more = _candidates(said("The others, best first"), rest)
        tables.append(Html(f"<details><summary>{escape(words.many_more(rest))}</summary>{more}</details>"))
    notes = [_note(note) for note in (words.preferred(inspection), words.cuts(inspection)) if note]
    return Html(f"{_searched(inspection)}{joined(notes)}{joined(tables)}")


def _searched(inspection: Inspection) -> Html:
    asked = [(said("The question, standing alone"), text)] if (text := words.asked_as(inspection)) else []
    asked += [(said("Part of it"), part) for part in inspection.found.parts]
    items = [Html(f'<dt>{escape(name)}</dt><dd dir="auto">{escape(text)}</dd>') for name, text in asked]
    return Html(f'<dl class="searched">{joined(items)}</dl>') if items else Html("")


def _candidates(caption: str, candidates: Sequence[Candidate]) -> Html:
    whole = said("{what}: scores, with ranks in parentheses", what=caption)
    return _table(whole, words.CANDIDATE_COLUMNS, map(_candidate, candidates))


def _candidate(candidate: Candidate) -> Html:
    rank, article, *others = map(escape, words.candidate_cells(candidate))
    best = candidate.best_sentence
    sentence = Html(f'<span class="best" dir="auto">{escape(best)}</span>') if best else Html("")
    named = Html(f'<span class="article" dir="auto">{article}</span>{sentence}')
    return _row([rank, named, *others], str(candidate.fate.name).lower().replace("_", "-"))


def _prompts(inspection: Inspection) -> Html:
    prompts = inspection.prompts
    shown = [_prompt(asked, before) for asked, before in zip(prompts, (None, *prompts), strict=False)]
    notes = [words.withheld(inspection), words.answer_length(inspection)]
    if not prompts:
        notes.insert(0, said("The reader was asked nothing."))
    return Html(f"{joined(shown)}{joined([_note(note) for note in notes if note])}")


def _prompt(asked: Asked, before: Asked | None) -> Html:
    note = words.begins_alike(asked, before)
    parts = joined(
        [
            Html(
                f'<h4>{escape(part.name)}</h4><pre class="prompt" dir="auto" tabindex="0" role="region" '
                f'aria-label="{escape(part.name)}">{escape(part.text)}</pre>'
            )
            for part in words.prompt_parts(asked, before)
        ]
    )
    return Html(
        f'<details class="asked-reader"><summary>{escape(words.prompt_title(asked))}</summary>'
        f"{_note(note) if note else ''}{parts}</details>"
    )


def _table(caption: str, columns: Sequence[str], rows: Iterable[Html]) -> Html:
    heads = joined([Html(f'<th scope="col">{told(column)}</th>') for column in columns])
    return Html(
        f'<div class="table-scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{joined(list(rows))}</tbody></table></div>"
    )


def _row(cells: Iterable[Html], kind: str = "") -> Html:
    head, *others = cells
    values = joined([Html(f"<td>{cell}</td>") for cell in others])
    return Html(f'<tr{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}><th scope="row">{head}</th>{values}</tr>')


def _note(text: str) -> Html:
    return Html(f'<p class="inspection-note">{escape(text)}</p>')
