"""Who holds which office, by what a sentence says of it: "Bo Li, the tech lead of Apple" and the like.

    "Alex Zhu met Zhu Wenjia, the tech lead of TikTok."  →  N0 met N1 , the R0 of N2 .  →  R0 of N2 is held by N1

A sentence is reduced to its names, its offices and the small words between them, in which a few patterns tell the
holder: in apposition before or behind, in brackets, in relative clauses and lists, by verbs such as "serves as". Where
several names could be meant all of them count, and where none is found nothing is concluded.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.grounding.words import is_stop_word, normal_form

LONGEST = 800
"""Characters of a sentence; nothing is concluded from longer ones."""

_TOKEN = re.compile(r"['’]s\b|(?:[A-Z]\.)+|[^\W_]+(?:['’.&-](?!s\b)[^\W_]+)*|[,;:.!?()]")
_HEADS = frozenset(
    "administrator adviser advisor ambassador analyst archbishop architect attorney author bishop boss captain ceo cfo "
    "chair chairman chairperson chairwoman chancellor chief cio cmo co-chair co-ceo co-director co-founder cofounder "
    "commander commissioner composer coo cto coach conductor congressman congresswoman contributor coordinator counsel "
    "creator curator dean designer developer director economist editor emperor engineer executive founder governor "
    "head historian inventor journalist judge king lawyer lead leader manager mayor minister negotiator officer owner "
    "partner physicist planner president principal producer professor programmer prosecutor publisher "
    "queen representative researcher reporter scientist secretary senator sheriff speaker spokesman spokesperson "
    "spokeswoman strategist superintendent surgeon treasurer trustee writer".split()
)
_NO_PLURAL = frozenset("chair coach head lead captain author boss king judge counsel partner chief executive".split())
"""With an "s" they may be verbs."""
_ONE = {
    "chief executive officer": "ceo", "chief executive": "ceo", "chief financial officer": "cfo",
    "chief finance officer": "cfo", "chief technology officer": "cto", "chief technical officer": "cto",
    "chief operating officer": "coo", "chief marketing officer": "cmo", "chief information officer": "cio",
    "chairman": "chair", "chairwoman": "chair", "chairperson": "chair", "co-founder": "founder",
    "cofounder": "founder", "spokesman": "spokesperson", "spokeswoman": "spokesperson", "adviser": "advisor",
}  # fmt: skip
"""What means the same. A co-founder is a founder."""
_PAST = frozenset("former formerly ex onetime one-time erstwhile outgoing previous then-".split())
_LOWER = frozenset("vice deputy assistant associate".split())
_TITLES = frozenset("mr mrs ms miss dr sir dame lord lady prof".split())
_PARTICLES = frozenset("al bin da de del della der di du la le van von y".split())
_CALENDAR = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december".split()
)

_ADVERBS = (
    "also already always both currently eventually finally first initially jointly later long meanwhile newly now once "
    "presently previously recently since soon still subsequently then thus together today"
)
_VERBS = (
    "am are be became become becomes been being had has have is remain remained remains was were will would act acted "
    "acting acts function functions serve served serves serving work worked working works continues continued"
)
_MAKING = (
    "appoint appointed appointing appoints chose chosen confirmed elect elected elects hired installed made make makes "
    "name named names naming nominated picked promoted promotes recruited sworn tapped"
)
_TAKING = "joined joins rejoined returned came took takes started"
_LEAVING = "departed fired left ousted quit removed resigned retired dismissed stepped"
_DETERMINERS = "a an its the their his her our my your one of"

_N, _R = r"N\d+", r"R\d+"
_DET = rf"(?:(?:{'|'.join(_DETERMINERS.split())}|{'|'.join(_ADVERBS.split())}|whose|{_N} 's|{_N}) )*"
_LITTLE = "|".join(f"{_ADVERBS} {_VERBS} {_MAKING} {_TAKING} {_LEAVING} {_DETERMINERS} as to in over down who".split())
_ASIDE = r"(?: , (?!who (?:is|was|has|became|served|serves) )[^,;]+? ,| \( [^()]* \))?"
_BETWEEN = rf"(?: by {_N})?(?: (?:{_LITTLE}|{_N} 's|(?:at|of) {_N} as|{_N} as))+"
_OF = rf"(?: (?:of|at|for|in|from|with) (?:the |its )?(?:[a-z][\w-]* ){{0,2}}?{_N}(?: 's [a-z][\w-]*)?)*"

_SUBJECT = re.compile(rf"(?<!by )(?P<name>{_N}){_ASIDE}(?P<between>(?: ,)?{_BETWEEN}) (?={_R}\b)")
_BEHIND_NAME = re.compile(rf"(?P<name>{_N})(?: \( [^()]* \)| , \d+)? (?:, |\( |: ){_DET}(?={_R}\b)")
_WITHOUT_VERB = re.compile(rf"(?P<name>{_N}) (?:the|a|an|as) (?={_R}\b)")
_BEFORE_NAME = re.compile(rf"{_R}{_OF}(?: ,| :| \()? (?P<name>{_N})(?! 's| {_R})")
_IS_NAME = re.compile(
    rf"{_R}{_OF}(?: ,[^,]*,)?(?: (?:{_LITTLE}))* (?:is|was|are|were|remains|be|becomes) (?P<name>{_N})(?! 's)"
)
_PREDICATE = re.compile(rf" (?:as|{'|'.join(f'{_VERBS} {_MAKING}'.split())}) {_DET}$")
""" "She is the" CEO: a name behind that is somebody else's."""
_JOINED = re.compile(rf"(?P<first>{_R}){_OF}(?: ,)?(?: and| as well as| ,)(?: also)? {_DET}(?=R(?P<second>\d+))")
_INSTEAD = re.compile(
    rf"(?P<name>{_N}){_ASIDE} (?:has |had |will )?(?:replace[ds]?|succeed(?:s|ed)?|follow(?:s|ed)) (?P<gone>{_N}) as "
    rf"{_DET}(?={_R}\b)"
)
_TOGETHER = re.compile(rf"(?P<first>{_N})(?: ,)? and $")
_TELLS = re.compile(rf"\b(?:{'|'.join(f'{_VERBS} {_MAKING} {_TAKING} {_LEAVING} as'.split())})\b")
_NOT_OF_IT = re.compile(rf"\b(?:{'|'.join(f'{_TAKING} {_LEAVING} to with at from by'.split())}) $")
""" "He joined Apple as head": who is named last isn't who became it."""
_MORE_NAMES = re.compile(rf"(?:(?: ,| and| , and) (?:the )?{_N})+")
_GONE = re.compile(r"\b(?:stepped down|resigned|quit|retired|was (?:fired|ousted|removed|dismissed)|were ousted)\b")
_WAS = re.compile(r"\b(?:was|were|had|served|became|worked|acted|formerly|previously|once)\b")


@dataclass(frozen=True, slots=True)
class _Role:
    words: frozenset[str]
    past: bool
    lower: frozenset[str]
    several: bool


@dataclass(frozen=True, slots=True)
class _Office:
    """An office as a sentence speaks of it."""

    role: _Role
    places: frozenset[str]
    """Words of the names of what it is an office of."""
    holders: tuple[tuple[str, ...], ...]
    left: tuple[tuple[str, ...], ...]
    """Those who held it before."""
    stated: bool
    """Whether the sentence says so by a verb, and not by the way."""
    once: bool
    """Whether it speaks of a time that may be over."""


@dataclass(frozen=True, slots=True)
class _Reduced:
    """`text` has words, signs, and N0, R0 and so on in the place of names and roles."""

    text: str
    names: tuple[tuple[str, ...], ...]
    roles: tuple[_Role, ...]


@dataclass(frozen=True, slots=True)
class Misplaced:
    """An office that is another's."""

    stated: bool
    """Whether the claim is about that, and not about something else of the one it gives the office to."""


def misplaced_office(claim: str, support: Sequence[str]) -> Misplaced | None:
    """The office that the claim gives to somebody of whom the sentences don't say that they hold it, but another does.

    None where there is none, or where it can't be told.
    """
    given = _offices(claim)
    if not given:
        return None
    there = [(office, line) for text in support for line in text.split("\n") for office in _offices(line)]
    for said in given:
        for holder in [*said.holders, *said.left]:
            past = said.once or said.role.past or holder in said.left
            if len(said.holders) <= 1 and _is_of_another(said, holder, past, there):
                return Misplaced(said.stated)
    return None


def holders_of(office: str, sentence: str) -> frozenset[tuple[str, ...]]:
    """Who may hold it by the sentence, as words in their normal forms.

    >>> sorted(holders_of("the tech lead of TikTok", "Zhu Wenjia, the tech lead of TikTok, spoke."))
    [('zhu', 'wenjia')]
    """
    meant = _offices(f"He is {office}.")
    return frozenset(
        holder
        for said in meant
        for there in _offices(sentence)
        if said.role.words <= there.role.words and not _elsewhere(said, there)
        for holder in there.holders
    )


def _is_of_another(said: _Office, holder: tuple[str, ...], past: bool, there: Sequence[tuple[_Office, str]]) -> bool:
    alike = [(office, line) for office, line in there if said.role.words <= office.role.words]
    here = [office for office, _ in alike if not _elsewhere(said, office)]
    if any(not office.holders and not office.left for office in here):
        return False
    own = [office for office in here if _among(holder, office.holders) or (past and _among(holder, office.left))]
    if own:
        return all(_differs(said.role, office.role, past) for office in own)
    if here:
        return True
    # The one who holds it does so of something else, though what the claim speaks of is in the sentence, too.
    away = [(office, line) for office, line in alike if _among(holder, office.holders)]
    return bool(away) and all(any(normal_form(one) in said.places for one in _words(line)) for _, line in away)


def _differs(said: _Role, there: _Role, past: bool) -> bool:
    return bool(there.lower - said.lower) or (there.past and not past)


def _elsewhere(one: _Office, other: _Office) -> bool:
    return bool(one.places and other.places) and not one.places & other.places


def _among(name: tuple[str, ...], others: Sequence[tuple[str, ...]]) -> bool:
    return any(_same_name(name, other) for other in others)


def _same_name(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether both may be the same person's: "Tim Cook", "Cook" and "Timothy D. Cook" are, "Zhu Wenjia" is no "Alex
    Zhu"."""
    if set(one) <= set(other) or set(other) <= set(one):
        return True
    first, second = sorted((one[0], other[0]), key=len)
    return one[-1] == other[-1] and second.startswith(first)


def _offices(line: str) -> list[_Office]:
    if len(line) > LONGEST:
        return []
    reduced = _reduced(line)
    found = [_office(at, reduced) for at in range(len(reduced.roles))]
    for match in _JOINED.finditer(reduced.text):
        first, second = int(match["first"][1:]), int(match["second"])
        if found[first].holders and not _WITHOUT_VERB.search(match[0]):
            joint = found[first]
            found[second] = replace(
                found[second],
                holders=found[second].holders or joint.holders,
                stated=found[second].stated or joint.stated,
                once=found[second].once or joint.once,
            )
    return found


def _office(at: int, reduced: _Reduced) -> _Office:
    text, role = reduced.text, reduced.roles[at]
    begun = f" {text} ".index(f" R{at} ")
    holders: dict[str, None] = {}
    left: dict[str, None] = {}
    stated = once = False
    for match in _ending_at(begun, _INSTEAD, text):
        holders[match["name"]] = left[match["gone"]] = None
        stated = True
    for match in [] if holders else _told_before(begun, text):
        gone = _GONE.search(match["between"])
        (left if gone else holders)[match["name"]] = None
        stated, once = True, once or _WAS.search(match["between"]) is not None
        if role.several or re.search(r" (?:are|were|both)\b", match["between"]):
            holders |= dict.fromkeys(_others_with(text[: match.start()]))
    for pattern in [] if holders or left else [_BEHIND_NAME, _WITHOUT_VERB]:
        for match in _ending_at(begun, pattern, text)[:1]:
            holders[match["name"]] = None
            if role.several:
                holders |= dict.fromkeys(_others_with(text[: match.start()]))
    predicate = _PREDICATE.search(text[:begun]) is not None
    for pattern in (_BEFORE_NAME, _IS_NAME):
        named = pattern.match(text, begun)
        if named and not (predicate and "," in named[0]):
            holders[named["name"]] = None
            stated, once = stated or pattern is _IS_NAME, once or " was " in named[0]
            if role.several and (others := _MORE_NAMES.match(text, named.end())):
                holders |= dict.fromkeys(re.findall(_N, others[0]))
    places = _places(begun, text) - holders.keys() - left.keys()
    return _Office(
        role=role,
        places=frozenset(word for name in places for word in reduced.names[int(name[1:])]),
        holders=tuple(reduced.names[int(name[1:])] for name in holders),
        left=tuple(reduced.names[int(name[1:])] for name in left),
        stated=stated,
        once=once,
    )


def _places(begun: int, text: str) -> set[str]:
    """The names behind "of" and in front: "N0 's R0 of N1"."""
    about = re.match(rf"{_R}(?P<of>{_OF})", text[begun:])
    owner = re.search(rf"({_N})(?: 's(?: \w+)?)? $", text[:begun])
    return {*(re.findall(_N, about["of"]) if about else []), *([owner[1]] if owner else [])}


def _told_before(end: int, text: str) -> list[re.Match[str]]:
    return [
        match
        for match in _ending_at(end, _SUBJECT, text)
        if _TELLS.search(match["between"])
        and (_TELLS.search(match["between"].replace(" as", "")) or not _NOT_OF_IT.search(text[: match.start()]))
    ][:1]


def _ending_at(end: int, pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    """What leads up to that place: of each name before it, the nearest first."""
    starts = [match.start() for match in re.finditer(_N, text[:end])]
    found = (pattern.match(text, start) for start in reversed(starts))
    return [match for match in found if match and match.end() + 1 >= end and not text[match.end() : end].strip()]


def _others_with(before: str) -> Iterator[str]:
    while match := _TOGETHER.search(before):
        yield match["first"]
        before = before[: match.start()] + "and " if before[: match.start()].endswith(", ") else ""


def _reduced(line: str) -> _Reduced:
    tokens = _words(line)
    kinds = [_kind(tokens, at) for at in range(len(tokens))]
    text: list[str] = []
    names: list[tuple[str, ...]] = []
    roles: list[_Role] = []
    at = 0
    while at < len(tokens):
        end = at + 1
        if kinds[at] == "role":
            while _goes_on(tokens, kinds, end):
                end += 1
            begun = at - _describing(tokens[:at], kinds)
            del text[len(text) - (at - begun) :]
            text.append(f"R{len(roles)}")
            roles.append(_role(tokens[begun:end]))
        elif kinds[at] == "name":
            while end < len(tokens) and (kinds[end] == "name" or _inside_name(tokens, kinds, end)):
                end += 1
            text.append(f"N{len(names)}")
            names.append(tuple(normal_form(token.rstrip(".")) for token in tokens[at:end]))
        elif kinds[at] == "'s":
            text.append("'s")
        elif tokens[at].lower() not in _TITLES:
            text.append(tokens[at].lower())
        at = end
    return _Reduced(" ".join(text), tuple(names), tuple(roles))


def _goes_on(tokens: Sequence[str], kinds: Sequence[str], at: int) -> bool:
    """Whether a role that ends before `at` goes on there: "chief executive", "chief financial officer"."""
    if kinds[at : at + 1] == ["role"]:
        return True
    return tokens[at - 1].lower() == "chief" and kinds[at : at + 2] in (["word", "role"], ["name", "role"])


def _words(line: str) -> list[str]:
    return _TOKEN.findall(line)


def _kind(tokens: Sequence[str], at: int) -> str:
    token = tokens[at]
    word = token.lower()
    if word in ("'s", "’s"):
        return "'s"
    if _is_head(token) and not (at and tokens[at - 1].lower() in ("to", "will", "can", "would", "in the")):
        return "role"
    capital = token[0].isupper() and word.rstrip(".") not in _TITLES | _CALENDAR | _PAST | _LOWER
    first_word = at == 0 and (is_stop_word(word) or word.endswith("ly"))
    if capital and not is_stop_word(word) and not first_word and not _describes_role(tokens, at):
        return "name"
    return "word"


def _describes_role(tokens: Sequence[str], at: int) -> bool:
    """Whether a capitalized word is a part of a title: "Chief Technology Officer", "Prime Minister"."""
    between = at > 0 and at + 1 < len(tokens) and tokens[at - 1] in ("Chief", "Vice") and _is_head(tokens[at + 1])
    return between or (tokens[at] in ("Prime", "Vice", "Deputy", "Tech", "Senior") and at + 1 < len(tokens))


def _is_head(token: str) -> bool:
    word = re.sub(r"^ex-", "", token.lower())
    singular = re.sub(r"(?<=m)en$", "an", word).removesuffix("s")
    return word in _HEADS or (singular in _HEADS and singular not in _NO_PLURAL)


def _inside_name(tokens: Sequence[str], kinds: Sequence[str], at: int) -> bool:
    behind = next((end for end in range(at, len(tokens)) if tokens[end] not in _PARTICLES), len(tokens))
    return tokens[at] in _PARTICLES and behind < len(tokens) and kinds[behind] == "name"


def _describing(before: Sequence[str], kinds: Sequence[str]) -> int:
    """How many of the words in front of a role belong to it: "former chief", "tech" of "tech lead"."""
    count = 0
    little = frozenset(_LITTLE.split("|")) | {"and", "or", "with", "by", "for", "from", "on", "at", "whose"}
    while count < min(3, len(before)):
        token = before[-1 - count]
        own = kinds[len(before) - 1 - count] == "word" and token[0].isalpha()
        word = token.lower()
        verb = word.endswith("ed") or word in ("met", "told", "said", "saw", "says", "when", "while", "that")
        if not own or verb or word in little or is_stop_word(word) or word in _TITLES | _CALENDAR:
            break
        count += 1
    return count


def _role(tokens: Sequence[str]) -> _Role:
    words = [word for token in tokens for word in re.sub(r"^ex-", "ex ", token.lower()).split()]
    several = len(words[-1]) > 3 and words[-1].endswith("s") and words[-1] != "boss"
    plain = " ".join(word for word in words if word not in _PAST | _LOWER)
    plain = re.sub(r"(?<=m)en\b", "an", plain)
    for name, one in sorted(_ONE.items(), key=lambda pair: -len(pair[0])):
        plain = re.sub(rf"(?<![\w-]){name}s?\b", one, plain)
    return _Role(
        frozenset(normal_form(word) for word in plain.split()),
        bool(_PAST & set(words)),
        _LOWER & set(words),
        several,
    )
