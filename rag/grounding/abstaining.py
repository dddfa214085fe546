"""Whether what a reader wrote says that the passages hold no answer."""

import re

_SOURCE = r"(?:articles?|passages?|texts?|documents?|sources?|context)"
_NOT = r"(?:do(?:es)?\s*n[o']t|do(?:es)? not|did not|didn't|never|no(?:ne|where)?|not|cannot|can't)"
_SAYS = r"(?:say|state|mention|provide|specify|contain|include|give|tell|answer|indicate|discuss|information)"
_ABSTAINS = re.compile(
    rf"\b{_SOURCE}\b[^.]{{0,40}}?\b{_NOT}\b[^.]{{0,30}}?\b{_SAYS}"
    rf"|\b{_NOT}\b[^.]{{0,30}}?\b{_SAYS}(?:d|ed|s)?\b[^.]{{0,40}}?\b{_SOURCE}\b"
)


def is_abstention(text: str) -> bool:
    """Whether the first sentence of `text` refuses: "The articles don't say." and the ways readers vary it.

    >>> is_abstention("The passages do not mention the price of bread [1].")
    True
    """
    first = text.strip().casefold().replace("’", "'").split("\n")[0].split(". ")[0]
    return not first or _ABSTAINS.search(first) is not None
