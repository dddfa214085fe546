"""Which fields of a record, or columns of a table, hold what of an article."""

from dataclasses import dataclass, fields
from typing import Self

from rag.errors import DocumentError

ALSO_CALLED = {"date": "published"}
"""What else the parts of an article are called in a mapping."""


@dataclass(frozen=True, slots=True)
class FieldNames:
    """Names of fields for each part of an article: the first that a record has counts.

    Upper and lower case, "_" and "-" make no difference. A dot leads into a record within the record: "source.name".
    """

    title: tuple[str, ...] = ("title", "headline", "name", "subject")
    text: tuple[str, ...] = (
        "text", "body", "content", "article", "article_body", "article_text", "full_text", "content_text",
        "content_html", "content.rendered", "maintext", "description", "abstract", "summary",
    )  # fmt: skip
    author: tuple[str, ...] = ("author", "authors", "byline", "creator", "writer")
    published: tuple[str, ...] = (
        "published", "date", "published_at", "date_published", "publication_date", "publish_date", "pub_date",
        "published_date", "created_at", "created", "datetime", "timestamp",
    )  # fmt: skip
    url: tuple[str, ...] = ("url", "link", "canonical_url", "source_url", "external_url", "href")

    @classmethod
    def of(cls, mapping: str) -> Self:
        """ "title=heading,text=story" → those names before the usual ones; "date" means published.

        Raises DocumentError for a part of an article that isn't one of title, text, author, published and url.
        """
        usual = cls()
        given: dict[str, tuple[str, ...]] = {}
        for pair in filter(None, (pair.strip() for pair in mapping.split(","))):
            part, _, name = (side.strip() for side in pair.partition("="))
            part = ALSO_CALLED.get(part, part)
            if not name or part not in {field.name for field in fields(cls)}:
                raise DocumentError(f"{pair!r} names no field. Write title=NAME,text=NAME,author=…,date=…,url=….")
            given[part] = (*given.get(part, ()), name)
        return cls(**{field.name: (*given.get(field.name, ()), *getattr(usual, field.name)) for field in fields(cls)})

    def given(self, part: str) -> tuple[str, ...]:
        """The names of a part that stand before the usual ones."""
        names: tuple[str, ...] = getattr(self, part)
        return names[: max(0, len(names) - len(getattr(USUAL_FIELDS, part)))]

    @property
    def mapping(self) -> str:
        """What `of` makes these names of: two mappings that read alike give the same; empty for the usual names."""
        return ",".join(f"{field.name}={name}" for field in fields(self) for name in self.given(field.name))


USUAL_FIELDS = FieldNames()


def plain(name: str) -> str:
    """What names of the same field have in common: "Published-At" → "publishedat"."""
    return name.strip().lower().replace("_", "").replace("-", "")
