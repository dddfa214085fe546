"""Which fields of a JSON record hold what of an article."""

from dataclasses import dataclass, fields
from typing import Self

from rag.errors import DocumentError


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
        """ "title=heading,text=story" → those names before the usual ones.

        Raises DocumentError for a part of an article that isn't one of title, text, author, published and url.
        """
        usual = cls()
        given: dict[str, tuple[str, ...]] = {}
        for pair in filter(None, (pair.strip() for pair in mapping.split(","))):
            part, _, name = (side.strip() for side in pair.partition("="))
            if not name or part not in {field.name for field in fields(cls)}:
                raise DocumentError(f"{pair!r} names no field. Write title=NAME,text=NAME,author=…,published=…,url=….")
            given[part] = (*given.get(part, ()), name)
        return cls(**{field.name: (*given.get(field.name, ()), *getattr(usual, field.name)) for field in fields(cls)})


USUAL_FIELDS = FieldNames()
