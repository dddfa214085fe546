"""Libraries that are loaded when they are first used, for commands that may end without them.

What `lazy import` does from Python 3.15 on. NumPy and FAISS alone take as long to load as `rag status` to answer.
"""

from importlib import import_module


class Late:
    """Stands for the module of this name, which the first use of anything in it imports; from any thread.

        if TYPE_CHECKING:
            import numpy as np
        else:
            np = Late("numpy")

    A use at the top of a module, be it in an annotation that is evaluated, is a use.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> object:
        """Python asks only for what isn't there yet: from the second time on nothing is slower than without this."""
        value = getattr(import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value
