"""A conversation → a file to keep, and an answer → text to paste, with references numbered through the whole of it.

Everything from articles, questions and models is taken to be hostile: it comes out as text, whatever it holds.

    manuscript  a conversation in words: sections, sentences, numbered references
    markdown, json_file, docx, pdf   a manuscript in one format
    lettering   which characters the fonts at hand can set
    pasting     an answer as plain text
    formats     which formats there are, and how a file is written
"""

from rag.exporting.formats import Format, exported, file_name, format_of, write_export
from rag.exporting.pasting import answer_to_paste

__all__ = ["Format", "answer_to_paste", "exported", "file_name", "format_of", "write_export"]
