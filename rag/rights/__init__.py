"""Who may read which articles: collections of articles by where they lie, and readers by name, in one small file.

patterns  where articles lie → a collection
file      the file, read and explained
readers   `Rights`: the file, read anew when it changes; `Readable`: what one reader may read
library   a library as one reader sees it, and nothing else of it
showing   exchanges without what their reader may not read
"""

from rag.rights.library import Allowed, ReadableLibrary
from rag.rights.readers import EVERYTHING, Readable, Rights
from rag.rights.showing import WITHHELD, may_see, withheld

__all__ = [
    "EVERYTHING",
    "WITHHELD",
    "Allowed",
    "Readable",
    "ReadableLibrary",
    "Rights",
    "may_see",
    "withheld",
]
