"""Files and folders → `Document`s: `find_files` says which files, `load` reads one of them.

`kinds` tells the format by the content, `reading` knows the loader of each, and `isolated` runs them in a process of
their own.
"""

from rag.documents.fields import USUAL_FIELDS, FieldNames
from rag.documents.files import find_files
from rag.documents.kinds import accepted_formats
from rag.documents.loading import LOADER_VERSION, Loaded, content_hash, document_id, file_hash, load, load_bytes

__all__ = [
    "LOADER_VERSION",
    "USUAL_FIELDS",
    "FieldNames",
    "Loaded",
    "accepted_formats",
    "content_hash",
    "document_id",
    "file_hash",
    "find_files",
    "load",
    "load_bytes",
]
