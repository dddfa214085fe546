"""Libraries wherever they lie: in a folder (`rag.index`), or in PostgreSQL and Milvus, which many machines can share.

PostgreSQL holds the truth, vectors included; Milvus is derived from it and finds. What is here imports neither until a
library on servers is opened: both come with the extras `milvus` and `postgres`.
"""

from rag.stores.opening import library_at, open_library, open_writer
from rag.stores.places import Place, Servers, folder_of, place_of

__all__ = ["Place", "Servers", "folder_of", "library_at", "open_library", "open_writer", "place_of"]
