"""Questions to the newest state of a library, each answered from a snapshot of its own."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from rag.index.protocols import AnySnapshot
from rag.index.reading import Count, Listed, Origin
from rag.index.schema import Manifest
from rag.types import Document, Hit, Vectors


class OfNewest:
    """What `AnyLibrary` has besides `snapshot` and `close`, by means of them."""

    def snapshot(self) -> AbstractContextManager[AnySnapshot]:
        """The newest committed generation."""
        raise NotImplementedError

    def close(self) -> None:
        """Safe to call twice."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def manifest(self) -> Manifest:
        """Of the newest generation."""
        with self.snapshot() as now:
            return now.manifest

    @property
    def generation(self) -> int:
        """Counts the commits that changed what can be found."""
        return self.manifest.generation

    def nearest(self, query: Vectors, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
        """`Snapshot.nearest` of the newest generation."""
        with self.snapshot() as now:
            return now.nearest(query, k, documents)

    def matching(self, question: str, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
        """`Snapshot.matching` of the newest generation."""
        with self.snapshot() as now:
            return now.matching(question, k, documents)

    def documents_by_id(self, ids: Iterable[str]) -> dict[str, Document]:
        """`Snapshot.documents_by_id` of the newest generation."""
        with self.snapshot() as now:
            return now.documents_by_id(ids)

    def count(self) -> Count:
        """`Snapshot.count` of the newest generation."""
        with self.snapshot() as now:
            return now.count()

    def documents(self) -> list[Listed]:
        """`Snapshot.documents` of the newest generation."""
        with self.snapshot() as now:
            return now.documents()

    def origins(self, ids: Iterable[str] | None = None) -> dict[str, Origin]:
        """`Snapshot.origins` of the newest generation."""
        with self.snapshot() as now:
            return now.origins(ids)

    def duplicates_of(self, document_id: str) -> tuple[Listed, ...]:
        """`Snapshot.duplicates_of` of the newest generation."""
        with self.snapshot() as now:
            return now.duplicates_of(document_id)

    def dates(self) -> dict[str, str | None]:
        """`Snapshot.dates` of the newest generation."""
        with self.snapshot() as now:
            return now.dates()

    def roots(self) -> list[str]:
        """`Snapshot.roots` of the newest generation."""
        with self.snapshot() as now:
            return now.roots()
