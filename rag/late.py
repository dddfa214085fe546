"""Libraries that are loaded when they are first used, for commands that may end without them.

What `lazy import` does from Python 3.15 on. NumPy and FAISS alone take as long to load as `rag status` to answer.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from types import ModuleType
from typing import Any


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


@contextmanager
def functions_late(name: str) -> Iterator[None]:
    """Inside the block, `from name import function` gives a function that imports the module when it is called.

    For a library that imports another for one function which nobody here ever calls. Whatever else of that other
    library is imported inside the block is imported as always.
    """
    package, _, module = name.partition(".")
    if package in sys.modules or not module or find_spec(package) is None:
        yield
        return
    stand_ins = {package: _StandIn(package), name: _StandIn(name)}
    finder = _Rest(package, stand_ins)
    sys.modules.update(stand_ins)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        finder.give_up()


class _StandIn(ModuleType):
    """Has every public name there could be, as a function."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__spec__ = ModuleSpec(name, None, is_package=True)

    def __getattr__(self, attribute: str) -> Callable[..., Any]:
        if attribute.startswith("_"):
            raise AttributeError(attribute)

        def call(*given: Any, **named: Any) -> Any:
            return getattr(import_module(self.__name__), attribute)(*given, **named)

        return call


class _Rest(MetaPathFinder):
    """Lets the real package in, in place of its stand-ins, as soon as anything else of it is imported."""

    def __init__(self, package: str, stand_ins: dict[str, _StandIn]) -> None:
        self._package = package
        self._stand_ins = stand_ins

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002  that of the stand-in, where nothing lies
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{self._package}."):
            return None
        self.give_up()
        return PathFinder.find_spec(fullname, import_module(self._package).__path__, target)

    def give_up(self) -> None:
        """Safe to call twice."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for name, stand_in in self._stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
