"""Reports of indexing and syncing → a result for each file, and a sentence."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from rag.holdings import Became, Result
from rag.indexing import IndexReport
from rag.syncing import SyncReport


def of_named(done: IndexReport, names: Mapping[str, str], held: Callable[[str], bool]) -> list[Result]:
    """What became of each file or address; `names` are its path or address → how to call it, in the order of the work.

    `held` says whether the library has anything of it now.
    """
    unnamed = [sentence for sentence in done.refused if not any(_mentions(sentence, key) for key in names)]
    results = []
    for key, name in names.items():
        result = _of_one(done, key, name)
        if result.became is Became.UNCHANGED and not held(key):  # a redirect's complaint is about where it led
            result = refusal(name, unnamed.pop(0) if unnamed else "It could not be read.")
        results.append(result)
    return results


def _of_one(done: IndexReport, key: str, name: str) -> Result:
    refused = [sentence for sentence in done.refused if _mentions(sentence, key)]
    if refused:
        return refusal(name, refused[0], key)
    notes = " ".join(note.replace(key, name) for note in done.notes if _mentions(note, key))
    for became, sources in ((Became.ADDED, done.added), (Became.UPDATED, done.updated)):
        articles = sum(source == key or source.startswith(f"{key}#") for source in sources)
        if articles:
            counted = f"{articles} articles." if articles > 1 else ""
            return Result(name, became, f"{counted} {notes}".strip())
    return Result(name, Became.UNCHANGED, notes)


def refusal(name: str, sentence: str, *keys: str) -> Result:
    """Of what `sentence` complains about; it is called `name`, and `keys` in the sentence."""
    for key in keys:
        sentence = sentence.replace(key, name)
    if sentence.startswith(f"{name} "):
        sentence = f"It {sentence.removeprefix(f'{name} ')}"
    return Result(name, Became.REFUSED, sentence)


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
