"""Files, folders and web addresses → `Document`s: `find_files` says which files, `load` reads one of them.

`kinds` tells the format by the content, `reading` knows the loader of each, and `isolated` runs them in a process of
their own. What comes from the web is fetched by `web`, and `pages` makes documents of it.
"""

from rag.documents.article import Fields, HoldsQuestions
from rag.documents.fields import USUAL_FIELDS, FieldNames
from rag.documents.files import NO_ARTICLES, find_files
from rag.documents.kinds import accepted_formats, named_like_articles
from rag.documents.loading import (
    LOADER_VERSION,
    Loaded,
    content_hash,
    document_id,
    file_bytes,
    file_hash,
    load,
    load_bytes,
)
from rag.documents.pages import (
    Gone,
    Page,
    feed_entries,
    fetch_page,
    is_address,
    linked_article,
    load_page,
    page_address,
)

__all__ = [
    "LOADER_VERSION",
    "NO_ARTICLES",
    "USUAL_FIELDS",
    "FieldNames",
    "Fields",
    "Gone",
    "HoldsQuestions",
    "Loaded",
    "Page",
    "accepted_formats",
    "content_hash",
    "document_id",
    "feed_entries",
    "fetch_page",
    "file_bytes",
    "file_hash",
    "find_files",
    "is_address",
    "linked_article",
    "load",
    "load_bytes",
    "load_page",
    "named_like_articles",
    "page_address",
]
