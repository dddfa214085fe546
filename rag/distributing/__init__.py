"""Files read, chunked and embedded by the workers of a Ray cluster, for the one writer here to put into the library.

`connecting` finds the cluster, `working` is what runs there, `reading` hands out files and takes in what came of them.
"""

from rag.distributing.connecting import Connection, connected
from rag.distributing.reading import reader_on
from rag.distributing.working import EmbedderThere, Task, code_here

__all__ = ["Connection", "EmbedderThere", "Task", "code_here", "connected", "reader_on"]
