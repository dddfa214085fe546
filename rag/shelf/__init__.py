"""The library as the page works with it: listed, opened, added to, synced, one change at a time.

keeping   files that were sent → the folder of the library they are kept in
outcomes  reports of indexing and syncing → a result for each file
changing  one change at a time, on a thread of its own
shelf     `Shelf`: what the page asks for
"""

from rag.shelf.shelf import Shelf

__all__ = ["Shelf"]
