"""Web addresses against the library: pages and feeds, of which what is new or changed is read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from rag.documents import FieldNames, Gone, Page, content_hash, feed_entries, fetch_page, linked_article, load_page
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
        links = _Links(page.url, self._naming.names, self._without_page)
        share = PAGE_BYTES // max(len(entries), 1)
        self._work.passed(PAGE_BYTES - share * len(entries))
        for entry, whole in entries:
            same = current.get(entry.id) == entry.content_hash
            article = entry if same or whole or not entry.url else links.article(entry)
            if current.get(article.id) == article.content_hash:
                self.unchanged += 1
                self._work.passed(share)
            else:
                self._work.waits(share)
                yield Change(article, alone=True)
        self.notes += links.notes()
        yield from self._no_longer_shown(page.url, known, {entry.id for entry, _ in entries})
        seen = Visit(page.url, page.content_hash, None, page.etag, page.modified)
        # What isn't complete is asked for without conditions the next time, and gone on with.
        self.visits.append(seen if links.complete else Visit(page.url, ""))

    def _without_page(self, entry: Document) -> Document:
        """What there is of it, or else its summary: with another content hash than it will have with the page."""
        before = [*self._stored([entry.id]).values()]
        kept = (document for document in self._kept.get(entry.file, ()) if document.id == entry.id)
        summary = replace(entry, content_hash=content_hash(f"summary {entry.content_hash}".encode()))
        return (*before, *kept, summary)[0]

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


class _Links:
    """The pages that the entries of a feed link to, as many as may be fetched at a visit."""

    def __init__(self, feed: str, names: FieldNames, instead: Callable[[Document], Document]) -> None:
        """`instead` gives what there is of an entry whose page isn't had."""
        self._feed = feed
        self._names = names
        self._instead = instead
        self._problems: list[str] = []
        self._fetched = 0
        self._left = 0

    def article(self, entry: Document) -> Document:
        """The entry with the text of its page."""
        if self._fetched == LINKED_PAGES:
            self._left += 1
            return self._instead(entry)
        self._fetched += 1
        try:
            return linked_article(entry, self._names)
        except DocumentError as error:
            self._problems.append(f"{error} An entry of {self._feed} links to it; the next visit tries again.")
            return self._instead(entry)

    @property
    def complete(self) -> bool:
        """Whether all pages were had so far."""
        return not self._problems and not self._left

    def notes(self) -> Iterator[str]:
        """One for each page that couldn't be had, and one for all those that are left."""
        yield from self._problems
        if self._left:
            yield (
                f"{self._feed} links to {self._left} more pages than the {LINKED_PAGES} that are fetched at a time. "
                "Run `rag sync` for the next."
            )


def _had(before: Visit, page: Page | None) -> Visit:
    """Of a page that is as it was; a server may mark it otherwise than before."""
    seen = replace(before, outcome=Outcome.READ)
    return replace(seen, etag=page.etag, modified=page.modified) if page else seen
