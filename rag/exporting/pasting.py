"""An answer as plain text, to paste elsewhere."""

from rag.exchanges import Exchange
from rag.exporting.manuscript import REFERENCES, Reference, Sentence, section_of
from rag.languages import said


def answer_to_paste(exchange: Exchange, citations: bool) -> str:
    r"""What came of a question; with `citations`, their numbers after each sentence and a list of the sources.

    Doubts are said either way. No trailing newline.

        It is free. [1] Fish fly. (not supported)

        References
        [1] Fares · Ada Nyberg · 2024-05-01 · fares.txt
            “The ferry is free.” (page 2)
            also in: fares.md
    """
    section, references = section_of(exchange)
    answer = ["".join(_sentence(sentence, citations) for sentence in paragraph) for paragraph in section.paragraphs]
    blocks = [*section.opening, *answer, *section.closing]
    if citations and references:
        blocks.append("\n".join([said(REFERENCES), *(_reference(reference) for reference in references)]))
    return "\n\n".join(blocks)


def _sentence(sentence: Sentence, citations: bool) -> str:
    doubt = f"({sentence.doubt})" if sentence.doubt else ""
    after = sentence.marks if citations else doubt
    return f"{sentence.before}{' '.join(part for part in (sentence.text, after) if part)}"


def _reference(reference: Reference) -> str:
    about = " · ".join(part for part in (reference.title, reference.about) if part)
    below = [*(quote.quoted for quote in reference.quotes), *reference.notes]
    return "\n".join([f"[{reference.number}] {about}", *(f"    {line}" for line in below)])
