"""Files and folders → `Document`s: `find_files` says which files, `load` reads one of them."""

from rag.documents.files import find_files
from rag.documents.loading import content_hash, document_id, file_hash, load

__all__ = ["content_hash", "document_id", "file_hash", "find_files", "load"]
