"""Reports of indexing and syncing → a result for each file, and a sentence."""

from collections.abc import Iterator, Mapping, Sequence

from rag.holdings import Became, Result
from rag.indexing import IndexReport
from rag.syncing import SyncReport


def of_named(done: IndexReport, names: Mapping[str, str]) -> list[Result]:
    """What became of each file or address; `names` are its path or address → how to call it."""
    return [_of_one(done, key, name) for key, name in names.items()]


def _of_one(done: IndexReport, key: str, name: str) -> Result:
    refused = [sentence for sentence in done.refused if _mentions(sentence, key)]
    if refused:
        return Result(name, Became.REFUSED, refused[0].replace(key, name))
    notes = " ".join(note.replace(key, name) for note in done.notes if _mentions(note, key))
    for became, sources in ((Became.ADDED, done.added), (Became.UPDATED, done.updated)):
        articles = sum(source == key or source.startswith(f"{key}#") for source in sources)
        if articles:
            return Result(
                name, became, " ".join(filter(None, [f"{articles} articles." if articles > 1 else "", notes]))
            )
    return Result(name, Became.UNCHANGED, notes)


def _mentions(sentence: str, key: str) -> bool:
    """Whether the path or address stands in the sentence, and isn't only the beginning of a longer one."""
    at = sentence.find(key)
    return at >= 0 and sentence[at + len(key) : at + len(key) + 1] in ("", " ", ",", ":", ";", ".", "#", "'", ")")


def of_sync(done: SyncReport) -> Iterator[Result]:
    """What changed and what couldn't be read, the latter first."""
    yield from (Result("", Became.REFUSED, sentence) for sentence in done.refused)
    yield from (Result(source, Became.ADDED) for source in done.added)
    yield from (Result(source, Became.UPDATED) for source in done.updated)
    yield from (Result(new, Became.MOVED, f"It was {old}.") for old, new in done.moved)
    yield from (Result(source, Became.REMOVED) for source in done.removed)


def in_words(results: Sequence[Result]) -> str:
    """Such as "2 added, 1 refused."; "Nothing changed." where there is none."""
    counts = {became: sum(result.became is became for result in results) for became in Became}
    said = ", ".join(f"{number} {became}" for became, number in counts.items() if number)
    return f"{said}." if said else "Nothing changed: everything is up to date."
