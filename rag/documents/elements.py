"""XML that may come from anyone → elements."""

from collections.abc import Iterator
from typing import Any, TypeAlias
from xml.etree import ElementTree  # nosec B405 - for the type; defusedxml parses

from rag.documents.decoding import decode_markup
from rag.errors import DocumentError

Element: TypeAlias = ElementTree.Element


def parse_xml(data: bytes, source: str) -> Element:
    """Raises DocumentError when it is not well-formed or declares entities, of which a few lines can make gigabytes."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(decode_markup(data, source))
        return root
    except DefusedXmlException as error:
        raise DocumentError(f"{source} declares XML entities, which is refused. Save it without them.") from error
    except (ElementTree.ParseError, ValueError) as error:
        raise DocumentError(f"{source} is damaged: its XML is not well-formed ({error}). Download it anew.") from error


def local_name(element: Any) -> str:
    """Without its namespace: "{http://purl.org/dc/elements/1.1/}date" → "date"."""
    return str(element.tag).rpartition("}")[2]


def named(root: Element, *names: str) -> Iterator[Element]:
    """All elements below `root` with one of these names, whatever their namespace, in their order."""
    return (element for element in root.iter() if local_name(element) in names)


def first_text(root: Element, *names: str) -> str | None:
    """Of the children of an element, or else of what is below them, the text of the first of this name, if any."""
    return next((element.text for name in names for element in named(root, name) if (element.text or "").strip()), None)
