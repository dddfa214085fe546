"""Whether what a reader wrote says that the passages hold no answer."""

import re

from rag.sentences import sentence_spans

_ARTICLES = r"(?:articles?|passages?)\b"
_SOURCE = r"(?:articles?|passages?|texts?|documents?|sources?|context)\b"
"""Except for the first two these may also be what an article is about, so they have to stand by themselves."""

_THE = r"(?:the|these|those|this|any|all|of|given|provided|available|supplied|numbered|above) "
_SAY = (
    r"(?:say|state|mention|provide|specify|contain|include|give|tell|answer|indicate|discuss|address|cover|explain|"
    r"describe|reveal|name|list|report|disclose|detail|have|offer|make|refer|identify|clarify|show|talk)"
)
_SAID = (
    r"(?:stated|mentioned|provided|specified|contained|included|given|answered|(?:no|to) answer|indicat(?:ed|ion)|"
    r"named|addressed|covered|discussed|explained|described|revealed|listed|reported|disclosed|found|determined?|"
    r"information|mention)\b"
)
_DO_NOT = r"(?:do(?:es)?(?: not|n't)|cannot|can't|never)"
_ADVERBS = r"(?:[\w-]+ ){0,3}?"

_REPORTS = r"(?:sa(?:id|ys?)|t(?:old|ells?)|stat(?:es?|ed)|report(?:s|ed)?|quot(?:es?|ed)|wr(?:ites?|ote))\b"
_OWN = rf"^(?:(?!{_REPORTS})\S+ ){{0,15}}?"
"""Before it nobody is reported to say anything: what follows is the reader's own voice."""
_SAME = rf"(?:(?!{_REPORTS}|(?:that|which|who)\b)\S+ )"
"""A word after which the subject is still the same: not so in "the article says OpenAI did not answer"."""
_THE_ARTICLES = rf"^(?!(?:according|as|based|by|from|in|on|per)\b){_SAME}{{0,4}}?{_ARTICLES},?"

_REFUSAL = re.compile(
    "|".join(
        (
            # Articles about the deal never mention a price. (Not: according to the article, it did not say why.)
            rf"{_THE_ARTICLES} {_SAME}{{0,8}}?(?:{_DO_NOT}|did(?: not|n't)) {_ADVERBS}{_SAY}",
            # The given context does not say. (Not: the source did not say, which is news.)
            rf"^(?:\w+, )?(?:{_THE})+{_SOURCE}(?: given| provided| above)?,? {_DO_NOT} {_ADVERBS}{_SAY}",
            # The passages discuss TikTok, but do not mention Google.
            rf"{_THE_ARTICLES} .{{0,150}}\bbut (?:they |it )?{_DO_NOT} {_ADVERBS}{_SAY}",
            # None of the passages mentions a price.
            rf"^(?:none|no|neither|nowhere)\b(?: \S+){{0,5}}? {_SOURCE} {_SAME}{{0,4}}?{_SAY}(?:s|es)?\b",
            # The articles give no figure. The passages say nothing about it.
            rf"{_THE_ARTICLES} {_SAME}{{0,8}}?(?:(?:contain|give|include|make|offer|provide)s?|ha(?:ve|s)) no\b",
            rf"{_THE_ARTICLES} {_SAME}{{0,8}}?{_SAY}s? nothing\b",
            # The price is not mentioned in the passages. I cannot determine it from the given text.
            rf"{_OWN}(?:no|not|never|cannot|\w+n't)\b.{{0,60}}\b{_SAID}.{{0,80}}"
            rf"\b(?:by|from|in|on|with) (?:{_THE})*{_SOURCE}",
            # According to the passages, there is no information on that. (Not: no information was leaked.)
            rf"{_OWN}there(?: is|'s) no (?:\S+ ){{0,2}}?(?:information|mention)\b",
            r"^no (?:\S+ )?information (?:is |was )?(?:about|available|given|on|provided|regarding)\b",
            # It is not specified who pays. (Not: Apple is not mentioned in the lawsuit.)
            rf"{_OWN}(?:is|are)(?: not|n't) (?:\w+ly )?(?:mentioned|specified|stated)\b(?! (?:among|as|at|by|in|on)\b)",
            # I don't know. Sorry, but I am unable to answer this.
            r"^(?:(?:i'm |i am )?sorry,? (?:but )?|unfortunately,? |(?:according|based)\b[^,]*, )?"
            r"(?:i|we)(?:'m| am| are)? (?:can't|cannot|could not|do not|don't|not able to|unable to) (?:\w+ )?"
            r"(?:answer|determine|find|have|know|provide|say|tell)\b",
            r"^(?:no|unknown)\b\W*$",
        )
    )
)


def is_abstention(text: str) -> bool:
    """Whether the first sentence of `text` refuses: "The articles don't say." and the ways readers vary it.

    >>> is_abstention("The passages do not mention the price of bread [1].")
    True
    >>> is_abstention("The company did not mention the price of bread [1].")
    False
    """
    spans = sentence_spans(text)
    if not spans:
        return True
    first = " ".join(text[slice(*spans[0])].split())
    return _REFUSAL.search(first.casefold().replace("’", "'")) is not None
