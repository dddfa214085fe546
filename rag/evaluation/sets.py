"""Question sets on disk → questions with what is known of their answers, and the articles that some bring along."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from rag.batch.questions import BadRow, read_questions
from rag.documents import HoldsQuestions, find_files, load
from rag.errors import InputError
from rag.evaluation.results import Evidence, Gold
from rag.types import Document, Question

DOCUMENTS, QUESTIONS, QUERIES, RELEVANCE = "documents.jsonl", "questions.jsonl", "queries.jsonl", "qrels.tsv"
"""Names of a set's files."""

SHAPES = (
    f"A question set is a folder with {QUESTIONS}, or {QUERIES} and {RELEVANCE}, beside {DOCUMENTS} or article files; "
    "or a question file (.jsonl) about the library in use."
)

TITLE_CHARACTERS = 60
"""Of a text without a title, so much of its beginning is its title."""

GOLD_FIELDS = ("answers", "answerable", "evidence", "wrong_answers", "must_not_contain")
"""Of a question's line, besides those that `rag batch` understands."""

CANDIDATES = "candidates"
"""What some sets call the field `documents`, the only ones to be searched."""

Fields: TypeAlias = Mapping[str, Any]
Golds: TypeAlias = tuple[tuple[Question, Gold], ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """The articles that a set brings along."""

    read: Callable[[], Iterator[Document]]
    """One by one. The id and source of each is what the set calls it: its id in `documents.jsonl`, or its file's name.

    The name of a file is its path in the set's folder, such as "rates.txt" or "2024/rates.md".
    """
    hashes: Mapping[str, str]
    """Id → content hash of all of them, in their order."""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """What is to be evaluated."""

    name: str
    """Its folder's, its file's without the suffix, or both where a file is about the articles beside it."""
    golds: Golds
    """In the order of the file."""
    corpus: Corpus | None
    """None where the questions are about the library in use."""
    retrieval_only: bool
    """Whether the set says nothing about answers, only which documents matter."""


def load_set(path: Path) -> QuestionSet:
    """The question set in a folder, or a file of questions.

    Questions of a folder are about its `documents.jsonl`, or else the article files in it; those of a file about the
    `documents.jsonl` beside it, or else the library in use. All is read once, and checked. What is relevant is said by
    a folder's `qrels.tsv`, or else by the evidence.

    Raises InputError naming file and line of what can't be used, and DocumentError for an article that can't be read.
    """
    if path.is_dir():
        return _load_folder(path.resolve())
    if not path.exists():
        raise InputError(f"There is no file or folder {path}. {SHAPES}")
    if path.suffix.lower() != ".jsonl":
        raise InputError(f"{path} is no question file. {SHAPES}")
    beside = path.resolve().with_name(DOCUMENTS)
    if beside.is_file():
        corpus = _corpus(lambda: _documents(beside))
        return QuestionSet(f"{beside.parent.name}-{path.stem}", _golds(path), corpus, retrieval_only=False)
    return QuestionSet(path.stem, _golds(path), None, retrieval_only=False)


def set_key(corpus: Corpus) -> str:
    """64 hex digits that corpora of the same ids and contents in the same order have in common, wherever they lie."""
    return hashlib.sha256(json.dumps(list(corpus.hashes.items())).encode()).hexdigest()


def sample(golds: Golds, limit: int, seed: int = 0) -> Golds:
    """`limit` of the questions in their order, or all where there are no more; drawn by their ids, always the same.

    A larger sample with the same `seed` contains the smaller one.
    """
    lots = {question.id: hashlib.sha256(f"{seed}:{question.id}".encode()).hexdigest() for question, _ in golds}
    drawn = set(sorted(lots, key=lambda name: lots[name])[:limit])
    return tuple((question, gold) for question, gold in golds if question.id in drawn)


def _load_folder(folder: Path) -> QuestionSet:
    there = [name for name in (DOCUMENTS, QUESTIONS, QUERIES, RELEVANCE) if (folder / name).is_file()]
    if QUESTIONS not in there and not (QUERIES in there and RELEVANCE in there):
        raise InputError(f"Of a set's files, {folder} holds {' and '.join(there) or 'none'}. {SHAPES}")
    corpus = _corpus(lambda: _documents(folder / DOCUMENTS) if DOCUMENTS in there else _articles(folder))
    golds = _golds(folder / (QUESTIONS if QUESTIONS in there else QUERIES))
    if RELEVANCE in there:
        names = {question.id for question, _ in golds}
        relevance = _relevance(folder / RELEVANCE, names, corpus.hashes.keys())
        golds = tuple((question, replace(gold, relevance=relevance.get(question.id, {}))) for question, gold in golds)
    return QuestionSet(folder.name, golds, corpus, retrieval_only=QUESTIONS not in there)


def _corpus(read: Callable[[], Iterator[Document]]) -> Corpus:
    return Corpus(read, {document.id: document.content_hash for document in read()})


def _documents(file: Path) -> Iterator[Document]:
    seen: set[str] = set()
    for row, text in _lines(file):
        try:
            document = _document(_parsed(text))
            if document.id in seen:
                raise InputError(f"The id {document.id!r} was used before. Give every document an id of its own.")
        except InputError as error:
            raise _unusable(file, row, error) from error
        seen.add(document.id)
        yield document
    if not seen:
        raise InputError(f"There is no document in {file}. {SHAPES}")


def _document(line: Fields) -> Document:
    """Other fields, which may hold what a question asks for, are passed over."""
    name, text = _id(line), _text(line, "text")
    title = " ".join(_text(line, "title", "").split()) or _beginning(text)
    published = _text(line, "published", "") or None
    content = json.dumps([name, title, text, published]).encode()
    return Document(name, title, text, name, published, None, hashlib.sha256(content).hexdigest())


def _articles(folder: Path) -> Iterator[Document]:
    for file in find_files([folder]):
        name = file.relative_to(folder).as_posix()
        with suppress(HoldsQuestions):
            for document in load(file).documents:
                whole = f"{name}#{document.part}" if document.part else name
                yield replace(document, id=whole, source=whole)


def _beginning(text: str) -> str:
    """Its first words, with "…" where there are more."""
    words = " ".join(text[: 4 * TITLE_CHARACTERS].split())
    if len(words) <= TITLE_CHARACTERS:
        return words
    return words[: TITLE_CHARACTERS + 1].rsplit(" ", 1)[0][:TITLE_CHARACTERS] + "…"


def _golds(file: Path) -> Golds:
    golds = []
    for found in read_questions(file):
        if isinstance(found, BadRow):
            raise _unusable(file, found.question.row, found.problem)
        try:
            golds.append((_question(found), _gold(found.carried)))
        except InputError as error:
            raise _unusable(file, found.row, error) from error
    return tuple(golds)


def _question(found: Question) -> Question:
    carried = {name: value for name, value in found.carried.items() if name not in GOLD_FIELDS}
    if found.documents:
        return replace(found, carried=carried)
    candidates = _texts(carried, CANDIDATES)
    carried.pop(CANDIDATES, None)
    return replace(found, documents=candidates, carried=carried)


def _gold(line: Fields) -> Gold:
    evidence = tuple(map(_evidence, _list(line, "evidence")))
    answerable = True if line.get("answerable") is None else line["answerable"]
    if not isinstance(answerable, bool):
        raise InputError('"answerable" must be true or false.')
    return Gold(
        answers=_texts(line, "answers"),
        answerable=answerable,
        evidence=evidence,
        relevance={part.document: 1 for part in evidence},
        wrong_answers=_texts(line, "wrong_answers"),
        must_not_contain=_texts(line, "must_not_contain"),
    )


def _evidence(part: object) -> Evidence:
    """Other fields are passed over, such as `answer_start`: that is no offset of the text."""
    if not isinstance(part, dict):
        raise InputError('Each part of "evidence" must be an object such as {"document": "rates.txt"}.')
    text, start = _text(part, "text", ""), part.get("start")
    if start is not None and (not isinstance(start, int) or isinstance(start, bool) or start < 0):
        raise InputError('"start" of evidence must be a number of characters.')
    return Evidence(_text(part, "document"), text, start if text else None)


def _relevance(file: Path, questions: Collection[str], documents: Collection[str]) -> dict[str, dict[str, int]]:
    """Question id → document id → grade above 0."""
    grades: dict[str, dict[str, int]] = {}
    for row, line in _lines(file):
        try:
            question, document, grade = line.split("\t")
            number = int(grade)
        except ValueError as error:
            if row == 1:  # the names of the columns
                continue
            wanted = "a question's id, a document's id and a whole number, with tabs between them"
            raise _unusable(file, row, f"Wanted {wanted}.") from error
        if question not in questions:
            raise _unusable(file, row, f"There is no question {question!r}.")
        if document not in documents:
            raise _unusable(file, row, f"There is no document {document!r}.")
        if number > 0:
            grades.setdefault(question, {})[document] = number
    if not grades:
        raise InputError(f"{file} calls no document relevant: there is no grade above 0 in it.")
    return grades


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Those that aren't blank, with their numbers from 1."""
    try:
        with file.open(encoding="utf-8-sig") as lines:
            yield from ((row, line.rstrip("\n")) for row, line in enumerate(lines, start=1) if line.strip())
    except UnicodeDecodeError as error:
        raise InputError(f"{file} isn't in UTF-8: {error}. Save it in UTF-8.") from error
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror}. Make it readable.") from error


def _parsed(text: str) -> Fields:
    try:
        line = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"It is not JSON: {error.msg} at character {error.pos + 1}.") from error
    if not isinstance(line, dict):
        raise InputError("It is not a JSON object.")
    return line


def _id(line: Fields) -> str:
    """As text, even where it is a number."""
    name = line.get("id")
    return str(name) if isinstance(name, int) and not isinstance(name, bool) else _text(line, "id")


def _text(line: Fields, name: str, default: str | None = None) -> str:
    """Of a field, which without `default` has to be there and hold more than whitespace."""
    value = default if line.get(name) is None else line[name]
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise InputError(f'"{name}" must be {"a text" if default is None else "a text, or left out"}.')
    return value.encode("utf-8", "replace").decode("utf-8")  # JSON lets half of a surrogate pair in, UTF-8 doesn't


def _texts(line: Fields, name: str) -> tuple[str, ...]:
    values = _list(line, name)
    if not all(isinstance(value, str) for value in values):
        raise InputError(f'"{name}" must be a list of texts.')
    return tuple(values)


def _list(line: Fields, name: str) -> list[Any]:
    """Empty where the field isn't there."""
    values = line.get(name)
    if values is not None and not isinstance(values, list):
        raise InputError(f'"{name}" must be a list.')
    return values or []


def _unusable(file: Path, row: int, problem: object) -> InputError:
    return InputError(f"Line {row} of {file} can't be used. {problem}")
