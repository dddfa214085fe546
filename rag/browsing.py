"""Web addresses against the library: pages and feeds, of which what is new or changed is read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from rag.documents import Gone, Page, content_hash, feed_entries, fetch_page, linked_article, load_page
from rag.errors import DocumentError
from rag.index import Listed, Outcome, Visit
from rag.types import Document
from rag.visiting import STAYS, Change, Held, Naming, Work, changes_of

PAGE_BYTES = 100_000
"""What a page counts in a progress of bytes, because its size isn't known before it is there."""

LINKED_PAGES = 50
"""Of the pages that the entries of a feed link to, so many are fetched at each visit, at most."""


class Pages:
    """Addresses, visited one by one. What they held before stays when they can't be had.

    The entries that a feed drops because it shows only the newest stay as well.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        held: Held,
        naming: Naming,
        work: Work,
        remember: Callable[[str], None],
        stored: Callable[[Iterable[str]], Mapping[str, Document]],
        kept: Mapping[str, Sequence[Document]],
    ) -> None:
        """`remember` is called with each address that was had; `stored` gives documents of the library by id.

        `kept` are documents, by address, that another library has: this one takes those over that can't be had any
        more.
        """
        self.unchanged = 0
        self.refused: list[str] = []
        self.notes: list[str] = []
        self.dropped: list[str] = []
        """Sources of the outdated documents of all changes."""
        self.visits: list[Visit] = []
        """What is to be kept of addresses when all is done."""
        self._addresses = addresses
        self._held = held
        self._naming = naming
        self._work = work
        self._remember = remember
        self._stored = stored
        self._kept = kept
        work.total += PAGE_BYTES * len(addresses)

    def changed(self) -> Iterator[Change]:
        """The documents that are new or changed, in the order of the addresses."""
        for url in self._addresses:
            try:
                yield from self._visited(url)
            except DocumentError as error:
                self._work.passed(PAGE_BYTES)
                yield from self._not_had(url, error)

    def _visited(self, url: str) -> Iterator[Change]:
        known = self._held.documents.get(url, [])
        before = self._held.visits.get(url) if self._held.are_current(known) else None
        page = fetch_page(url, before.etag, before.modified) if before else fetch_page(url)
        self._remember(url)
        if before and (page is None or page.content_hash == before.content_hash):
            self.unchanged += len(known)
            self.visits.append(_had(before, page))
            self._work.passed(PAGE_BYTES)
        elif page and page.is_feed:
            yield from self._of_feed(page, known)
        elif page:
            yield from self._of_page(page, known)

    def _of_page(self, page: Page, known: Sequence[Listed]) -> Iterator[Change]:
        loaded = load_page(page, self._naming.names)
        self.notes += loaded.notes
        self._naming.note(page.url, loaded.fields)
        fields = self._naming.mapping if loaded.fields else None
        visit = Visit(page.url, page.content_hash, fields, page.etag, page.modified)
        same = {one.id: one.content_hash for one in known} == {one.id: one.content_hash for one in loaded.documents}
        if same and self._held.are_current(known):
            self.unchanged += len(known)
            self.visits.append(visit)
            self._work.passed(PAGE_BYTES)
            return
        self._work.waits(PAGE_BYTES)
        yield from changes_of(loaded, known, visit, self.dropped)

    def _of_feed(self, page: Page, known: Sequence[Listed]) -> Iterator[Change]:
        loaded = load_page(page)
        self.notes += loaded.notes
        entries = list(feed_entries(loaded))
        current = {one.id: one.content_hash for one in known if one.id not in self._held.outdated}
        share = PAGE_BYTES // max(len(entries), 1)
        self._work.passed(PAGE_BYTES - share * len(entries))
        fetched, failed, left = 0, 0, 0
        for entry, whole in entries:
            if current.get(entry.id) == entry.content_hash:
                self.unchanged += 1
                self._work.passed(share)
                continue
            article = entry
            if entry.url and not whole:
                article = _summary(entry)
                if fetched == LINKED_PAGES:
                    left += 1
                else:
                    fetched += 1
                    try:
                        article = linked_article(entry, self._naming.names)
                    except DocumentError as error:
                        failed += 1
                        self.notes.append(f"{error} Of this entry of {page.url} there is only the summary.")
            if current.get(article.id) == article.content_hash:
                self.unchanged += 1
                self._work.passed(share)
                continue
            self._work.waits(share)
            yield Change(article, alone=True)
        if left:
            self.notes.append(
                f"{page.url} links to {left} more pages than the {LINKED_PAGES} that are fetched at a time. "
                "Run `rag sync` for the next."
            )
        yield from self._no_longer_shown(page.url, known, {entry.id for entry, _ in entries})
        complete = Visit(page.url, page.content_hash, None, page.etag, page.modified)
        # What isn't complete is asked for without conditions the next time, and gone on with.
        self.visits.append(complete if failed == left == 0 else Visit(page.url, ""))

    def _no_longer_shown(self, url: str, known: Sequence[Listed], shown: set[str]) -> Iterator[Change]:
        """The older entries, which only have to be put anew where this Citeline would cut them otherwise."""
        older = [one for one in known if one.id not in shown]
        again = [one.id for one in older if one.id in self._held.outdated]
        self.unchanged += len(older) - len(again)
        yield from (Change(document, alone=True) for document in self._stored(again).values())
        there = {one.id for one in known} | shown
        yield from (Change(document, alone=True) for document in self._kept.get(url, ()) if document.id not in there)

    def _not_had(self, url: str, error: DocumentError) -> Iterator[Change]:
        known, kept = self._held.documents.get(url, []), self._kept.get(url, ())
        if not known and not kept:
            self.refused.append(f"{error} Correct the address." if isinstance(error, Gone) else str(error))
            return
        self.refused.append(f"{error} {STAYS}")
        self._remember(url)
        self.unchanged += len(known)
        outcome = Outcome.GONE if isinstance(error, Gone) else Outcome.UNREACHED
        self.visits.append(replace(self._held.visits.get(url, Visit(url, "")), outcome=outcome))
        there = {one.id for one in known}
        yield from (Change(document, alone=True) for document in kept if document.id not in there)


def _had(before: Visit, page: Page | None) -> Visit:
    """Of a page that is as it was; a server may mark it otherwise than before."""
    seen = replace(before, outcome=Outcome.READ)
    return replace(seen, etag=page.etag, modified=page.modified) if page else seen


def _summary(entry: Document) -> Document:
    """With another content hash than it will have with the page that it links to, so that this is tried again."""
    return replace(entry, content_hash=content_hash(f"summary {entry.content_hash}".encode()))
