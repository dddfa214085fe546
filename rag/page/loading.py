"""Gradio, imported in less than half its time."""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

WRITER = "gradio.component_meta"


def load_gradio() -> None:
    """Import Gradio without its writing stubs.

    For every component it parses its own source and writes a .pyi file beside it, for editors, whenever it is imported:
    more than half of the time that takes, and nothing that a page needs.
    """
    if "gradio" in sys.modules:
        return
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        import gradio  # noqa: F401
    finally:
        sys.meta_path.remove(finder)


class _Finder(MetaPathFinder):
    """Finds the module that writes stubs, and has it loaded without the function that does."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname == WRITER else None
        if spec and spec.loader:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    """A loader, and then the module's function replaced; where another version has no such function nothing is lost."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        module.__dict__["create_or_modify_pyi"] = _write_nothing


def _write_nothing(*_: object) -> None:
    """In the place of what writes a component's stub."""
