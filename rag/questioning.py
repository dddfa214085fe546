"""A sentence of an English article → short questions that it answers.

    "Kelly Zhang resigned as chief executive of Douyin so as to spend more time on CapCut."
    → "Why did Kelly Zhang resign as chief executive of Douyin?"

A question keeps the sentence's own words and only turns them round, and only where a pattern fits the whole beginning
of the sentence: what fits none asks nothing. Whoever is spoken of has to be named, as nobody knows who "the company"
is outside its article.
"""

import re
from collections.abc import Iterator

from rag.neutralizing import instruction_like

LONGEST_SENTENCE = 260
LONGEST_QUESTION = 14
"""Words."""

_VERBS = {
    past: base
    for base, past in (
        pair.split(":")
        for pair in (
            "abandon:abandoned accuse:accused acquire:acquired adopt:adopted announce:announced appoint:appointed "
            "approve:approved arrest:arrested ask:asked ban:banned become:became begin:began block:blocked "
            "build:built buy:bought cancel:cancelled cause:caused choose:chose close:closed collapse:collapsed "
            "create:created cut:cut decide:decided delay:delayed demand:demanded design:designed destroy:destroyed "
            "develop:developed die:died discover:discovered drop:dropped end:ended establish:established "
            "fail:failed fall:fell find:found fine:fined fire:fired form:formed found:founded give:gave hire:hired "
            "halt:halted introduce:introduced invent:invented invest:invested join:joined launch:launched "
            "leave:left lose:lost merge:merged move:moved name:named open:opened order:ordered pay:paid "
            "present:presented produce:produced promise:promised propose:proposed publish:published raise:raised "
            "refuse:refused reject:rejected release:released replace:replaced resign:resigned sell:sold "
            "settle:settled shut:shut sign:signed spend:spent start:started step:stepped stop:stopped sue:sued "
            "succeed:succeeded suspend:suspended take:took unveil:unveiled use:used vote:voted win:won "
            "withdraw:withdrew write:wrote"
        ).split()
    )
}
"""Past tense → base, of verbs that say what somebody did."""
_ALONE = frozenset("began closed collapsed died ended failed fell opened resigned started".split())
"""Of which no more need be said."""
_DOERS = frozenset(
    "acquired appointed approved banned bought built coined commissioned composed created defeated described designed "
    "developed directed discovered drew established founded hired introduced invented launched led nominated painted "
    "portrayed produced proposed published released replaced succeeded sued suspended unveiled won wrote".split()
)
"""Of what was done by somebody whom one may ask for."""
_DONE = {"drawn": "drew", "written": "wrote"}
"""Participles of these that aren't the past tense as well."""
_DOES = frozenset("chairs directs edits heads leads manages owns oversees runs".split())
_COSTS = {
    **{word: ("did", base) for base, words in {"pay": "paid", "spend": "spent", "raise": "raised", "earn": "earned",
       "charge": "charged", "invest": "invested", "owe": "owed", "cost": "cost"}.items() for word in words.split()},
    **{f"{base}s": ("does", base) for base in "pay spend raise earn charge invest owe cost".split()},
}  # fmt: skip
_COUNTS = {
    **{f"{base}s": ("does", base) for base in "employ hold include produce sell serve own operate".split()},
    "has": ("does", "have"),
    "carries": ("does", "carry"),
    "had": ("did", "have"),
    "carried": ("did", "carry"),
    **{f"{base}ed": ("did", base) for base in ("employ", "own")},
}

_NEVER_NAMES = frozenset(
    "a after all also an and another any as at because before both but by during each every few first for from he her "
    "here his how i if in instead it its last later like many more most much my nearly next no not nothing now of on "
    "once one only or other our over perhaps search second several she since so some soon still such than that the "
    "their then there these they this those though three to two under until we what when where whether which while "
    "who whose why with without yet you your".split()
)

_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DATE = (
    rf"(?:(?:early |mid-|late )?{_MONTH}(?: \d{{1,2}}(?:st|nd|rd|th)?)?(?:,? \d{{4}})?"
    rf"|\d{{1,2}} {_MONTH}(?: \d{{4}})?|(?:early |mid-|late )?[12]\d{{3}})\b"
)
_NO_NAME = "(?!(?:" + "|".join(word.title() for word in sorted(_NEVER_NAMES)) + r"|[A-Z]{6,})\b)"
_CAPITAL = r"[A-Z][\w’'&-]*(?:\.[a-z]+)?"
_NAME = rf"\b{_NO_NAME}{_CAPITAL}(?: (?:(?:of|de|van|von|and) )?{_CAPITAL}| \d+(?![\w,.%]*\d| (?:million|billion)))*"
_WHO = rf"(?P<subject>(?:(?:The|the) (?:(?:[a-z-]+ ){{1,3}}(?:of|in|at|over|between) (?:the )?)?)?{_NAME})"
_OF_WHOM = rf"(?P<subject>{_NAME}['’]s? (?:[a-z-]+ ){{0,2}}?[a-z-]+|{_WHO[len('(?P<subject>') : -1]})"
_ADVERB = r"(?:(?:also|now|later|recently|already|first|then|quietly|secretly|only|suddenly|finally|soon) )?"
_OPENING = rf"(?:(?:In|On) (?P<opening>{_DATE}),? )?"
_OFFICE = (
    r"(?:co-?founder|founder|chief executive|chief|CEO|president|chair\w*|head|director|engineer|tech lead|"
    r"author|writer|minister|mayor|governor|professor|scientist|researcher|actor|singer|leader|lead|manager|"
    r"architect|poet|king|queen|baker|designer|player|boss|editor|lawyer|judge|coach|captain|owner|contributor|"
    r"mathematician|politician|musician|historian|economist|artist|journalist|novelist|physicist|chemist|activist)\b"
)
_ROLE = rf"(?:[\w-]+ ){{0,2}}?{_OFFICE}"
_PARTICIPLE = (
    r"(?P<done>(?!(?:reported|expected|supposed|said|believed|used|based|located)\b)"
    r"[a-z]+ed|begun|bought|built|found|held|made|sent|set|shown|shut|sold|written)\b"
)
_THING = (
    r"(?:agency|airline|airport|app|bank|bridge|browser|camera|castle|chatbot|church|city|club|collection|company|device|"
    r"disease|drug|event|feature|festival|firm|forest|function|game|group|harbour|holiday|institute|island|lake|"
    r"language|law|machine|magazine|method|model|mountain|museum|network|newspaper|organi[sz]ation|outlet|park|"
    r"party|plan|platform|port|product|program(?:me)?|project|protocol|region|river|satellite|school|service|"
    r"ship|site|software|start-?up|state|station|system|team|technique|technology|telescope|theory|tool|town|treaty|"
    r"unit|university|vaccine|vehicle|village|virus|website|work)"
)
"""What one asks of what it is; of anything else it may be a person."""
_AMOUNT = r"\d[\d,.]*(?: (?:hundred|thousand|million|billion|trillion))?"
_CURRENCY = r"(?:dollars|euros|pounds|marks|yen|yuan|rupees|francs|crowns|kroner)"
_MONEY = rf"(?:(?:[A-Z]{{0,3}}[$€£¥₹] ?|Rp ?){_AMOUNT}|{_AMOUNT} (?:[A-Za-z]+ )?{_CURRENCY})"
_NUMBER = (
    r"(?:\d[\d,.]*(?: (?:hundred|thousand|million|billion))?|two|three|four|five|six|seven|eight|nine|ten|eleven|"
    r"twelve|fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
)
_ABOUT = r"(?:(?:at least|about|around|nearly|almost|over|more than|up to|some|only|no less than) )?"
_EACH = r"(?P<each> (?:a|an|per|each|every) (?:hour|day|week|month|year|person|head|tonne|ticket))?"

_MARKUP = re.compile(r"^\s*(?:#{1,6}|[-*+•]|\d{1,3}[.)])\s+|\*\*|__|`")
_UNCLEAR = re.compile(
    r"\b(?:he|she|it|they|this|that|these|those|him|them|such|there|here|former|latter|one|ones|other|others|another|"
    r"said|says|ago|yesterday|today|tomorrow|which|who(?!\b.*\?$)|not|never)\b|[\"“”;:()\[\]]",
    re.IGNORECASE,
)
_OWN = re.compile(r"\b(?:its|their|his|her|hers|theirs)\b", re.IGNORECASE)


def questions(sentence: str, article: str = "") -> tuple[str, ...]:
    """What can be asked that the sentence answers, the most telling first; empty where no pattern fits.

    `article` is the text around it: a word that only begins sentences there is taken for no name.
    """
    flat = " ".join(_MARKUP.sub("", sentence).split())
    if len(flat) > LONGEST_SENTENCE or not flat.endswith(".") or instruction_like(sentence):
        return ()
    flat = flat[:-1]
    patterns = _PATTERNS if _begins_with_a_name(flat, article or flat) else (_what_is_called,)
    found = [_tidy(asked) for pattern in patterns for asked in pattern(flat)]
    return tuple(dict.fromkeys(asked for asked in found if _reads_well(asked)))


def question_in_title(title: str) -> str:
    """A title that is a question, or nearly one, as a question; else empty.

    >>> question_in_title("Why TikTok is starting to look like a search engine")
    'Why is TikTok starting to look like a search engine?'
    """
    flat = " ".join(title.split()).rstrip("?")
    if len(flat.split()) > LONGEST_QUESTION or instruction_like(title):
        return ""
    if title.rstrip().endswith("?") and re.match(r"(?:Who|What|When|Where|Why|How|Which)\b", flat):
        return f"{flat}?"
    if re.match(r"Who [a-z]+s\b", flat):
        return f"{flat}?"
    if found := re.match(r"(Why|How|Where|When) (.+?) (is|are|was|were) (.+)", flat):
        return f"{found[1]} {found[3]} {found[2]} {found[4]}?"
    if (found := re.match(rf"(Why|How|Where|When) ({_NAME}) ([a-z]+) (.+)", flat)) and found[3] in _VERBS:
        return f"{found[1]} did {found[2]} {_VERBS[found[3]]} {found[4]}?"
    return ""


def _why(text: str) -> Iterator[str]:
    connector = r"(?:because|so as to|in order to|so that (?:he|it|she|they))"
    found = re.match(rf"{_OPENING}{_OF_WHOM} {_ADVERB}(?P<verb>[a-z]+)(?P<what> [^,]*?)?,? {connector} ", text)
    if found and found["verb"] in _VERBS:
        what = _undated(found["what"] or "")
        yield f"Why did {_inside(found['subject'])} {_VERBS[found['verb']]} {what}?"


def _who_is_in_office(text: str) -> Iterator[str]:
    for found in (
        re.match(rf"{_NAME} (?P<be>is|was) (?P<role>the {_OFFICE} of (?:the )?{_NAME})(?:$|,| and | who )", text),
        re.search(rf"{_NAME}, (?P<role>the {_OFFICE} of (?:the )?{_NAME})(?:$|,)", text),
    ):
        if found:
            yield f"Who {found.groupdict().get('be') or 'is'} {found['role']}?"


def _who_or_what_is(text: str) -> Iterator[str]:
    if found := re.match(rf"(?P<subject>{_NAME}) (?P<be>is|was) (?P<what>(?:a|an|the|one of the) .+)", text):
        yield from _is(found["subject"], found["be"], found["what"])
    for found in re.finditer(rf"(?<![\w’'] )(?P<subject>{_NAME}), (?P<what>(?:a|an|the) [a-z][^,]+)(?:,|$)", text):
        yield from _is(found["subject"], "is", found["what"])


def _what_is_called(text: str) -> Iterator[str]:
    for found in re.finditer(rf"\b(?:a|an) (?:[a-z-]+ ){{1,3}}called (?P<subject>{_NAME})", text):
        yield f"What is {found['subject']}?"


def _is(subject: str, be: str, what: str) -> Iterator[str]:
    if re.match(rf"(?:a|an|the|one of the) {_ROLE}", what):
        if len(subject.split()) > 1:
            yield f"Who {be} {subject}?"
    elif " " not in subject and re.match(rf"(?:a|an|the) (?:[\w-]+ ){{0,3}}?{_THING}\b", what):
        yield f"What {be} {subject}?"


def _how_much(text: str) -> Iterator[str]:
    found = re.match(
        rf"{_OPENING}{_OF_WHOM} {_ADVERB}(?P<verb>[a-z]+) (?P<whom>(?:the [a-z]+|{_NAME}) )?"
        rf"{_ABOUT}{_MONEY}{_EACH}(?= |,|$)(?P<rest> (?:for|on|in) [^,]+)?",
        text,
    )
    if found and found["verb"] in _COSTS:
        do, verb = _COSTS[found["verb"]]
        whom, each = (found["whom"] or "").rstrip(), (found["each"] or "").strip()
        rest = _undated(found["rest"] or "")
        rest = rest if len(rest.split()) <= 6 else ""
        yield " ".join(f"How much {do} {_inside(found['subject'])} {verb} {whom} {each} {rest}".split()) + "?"


def _how_many(text: str) -> Iterator[str]:
    found = re.match(
        rf"{_OPENING}{_OF_WHOM} {_ADVERB}(?P<verb>[a-z]+) {_ABOUT}{_NUMBER} "
        rf"(?P<what>(?:[a-z-]+ ){{0,2}}?[a-z-]+s)(?= |,|$)",
        text,
    )
    if found and found["verb"] in _COUNTS:
        do, verb = _COUNTS[found["verb"]]
        yield f"How many {found['what']} {do} {_inside(found['subject'])} {verb}?"


def _what_measure(text: str) -> Iterator[str]:
    if found := re.match(rf"The (?P<what>[a-z]+ of (?:the )?{_NAME}) (?P<be>is|was) {_ABOUT}{_NUMBER}\b", text):
        yield f"What {found['be']} the {found['what']}?"
    if found := re.match(rf"(?P<subject>{_NAME}) (?P<have>has|had) a population of {_ABOUT}\d", text):
        yield f"What {'is' if found['have'] == 'has' else 'was'} the population of {found['subject']}?"
    greatest = rf"the (?:\w+-)?\w\w+est (?:[a-z]+ ){{0,2}}?{_THING} (?:in|of|on) [^,]+"
    if found := re.match(rf"{_WHO} (?P<be>is|was) (?P<what>{greatest})", text):
        yield f"What {found['be']} {found['what']}?"


def _when(text: str) -> Iterator[str]:
    dated = rf"(?P<what> [^,]*?)??(?: (?:in|on) (?P<date>{_DATE}))?(?:$|,| and )"
    found = re.match(rf"{_OPENING}{_WHO} {_ADVERB}(?P<verb>[a-z]+){dated}", text)
    if found and found["verb"] in (_VERBS if found["what"] else _ALONE) and (found["opening"] or found["date"]):
        yield f"When did {_inside(found['subject'])} {_VERBS[found['verb']]}{found['what'] or ''}?"
    found = re.match(rf"{_OPENING}{_WHO} (?P<be>was|were) {_PARTICIPLE}{dated}", text)
    if found and (found["opening"] or found["date"]):
        yield f"When {found['be']} {_inside(found['subject'])} {found['done']}{found['what'] or ''}?"


def _where(text: str) -> Iterator[str]:
    found = re.match(
        rf"{_WHO} (?P<be>is|was) {_ADVERB}(?P<how>based|headquartered|located|born|buried) (?:in|at|near) {_NAME}", text
    )
    if found:
        yield f"Where {found['be']} {_inside(found['subject'])} {found['how']}?"
    if found := re.match(rf"{_WHO} died (?:in|at|near) (?!{_DATE}){_NAME}", text):
        yield f"Where did {_inside(found['subject'])} die?"


def _who_did(text: str) -> Iterator[str]:
    found = re.match(rf"{_OPENING}(?P<subject>{_NAME}) {_ADVERB}(?P<verb>[a-z]+) (?P<what>[^,]+?)(?:,| and |$)", text)
    if not found or found["verb"] not in _DOERS | _DOES or _OWN.search(found["what"]):
        return
    if re.match(rf"the \w|(?:the )?{_NAME}", found["what"]):
        yield f"Who {found['verb']} {_undated(found['what'])}?"


def _who_did_it(text: str) -> Iterator[str]:
    found = re.match(
        rf"{_OPENING}{_OF_WHOM} (?:was|were) {_ADVERB}(?P<done>[a-z]+)(?: in {_DATE})? by (?:the )?{_NAME}", text
    )
    done = _DONE.get(found["done"], found["done"]) if found else ""
    if found and done in _DOERS:
        yield f"Who {done} {_inside(found['subject'])}?"


_PATTERNS = (
    _why,
    _who_is_in_office,
    _how_much,
    _how_many,
    _what_measure,
    _when,
    _where,
    _who_did,
    _who_did_it,
    _who_or_what_is,
    _what_is_called,
)


def _inside(subject: str) -> str:
    """As it is written within a sentence."""
    return re.sub(r"^The\b", "the", subject)


def _undated(text: str) -> str:
    """Without a time at its end, which would be half the answer or make no difference."""
    return re.sub(rf"\s*\b(?:in|on|by|since) (?:{_DATE})$|\s*\b(?:last|this) (?:year|month|week)$", "", text).strip()


def _tidy(asked: str) -> str:
    return " ".join(asked.split()).replace(" ?", "?")


def _reads_well(asked: str) -> bool:
    body = asked.rstrip("?")
    if not 3 <= len(body.split()) <= LONGEST_QUESTION:
        return False
    return not _UNCLEAR.search(body.split(maxsplit=1)[1])


def _begins_with_a_name(sentence: str, article: str) -> bool:
    """Whether the capital letter that a sentence begins with is that of a name, as far as the article shows."""
    sentence = re.sub(rf"^(?:In|On) {_DATE},? ", "", sentence)
    if re.match(r"The \w", sentence):
        return True
    first = re.match(r"[\w-]+", sentence)
    if not first or first[0].casefold() in _NEVER_NAMES:
        return False
    if re.match(rf"{_CAPITAL} (?:[A-Z][a-z]|was born\b|died\b)", sentence) or any(
        letter.isupper() for letter in first[0][1:]
    ):
        return True
    return re.search(rf"[a-z,] {re.escape(first[0])}\b", article) is not None
