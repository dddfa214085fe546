"""The only place that turns answers into something to look at, and the only place that escapes.

Everything from articles, questions and models is taken to be hostile: it is shown as text, never read as markup.

    escape        foreign text → harmless text
    wording       reasons, doubts, references and timings in words
    html          answers, passages, messages → HTML
    conversation  the events that move exchanges on, and their HTML
    inspection    how an answer came about → HTML, and with inspection_text → plain text
    talk          what surrounds exchanges: tools, the article behind a citation, saved conversations
    library       the list of articles, one of them, changes to the library → HTML
    bulk          files of questions, reports and what two of them say together → HTML
    terminal      answers → plain text with numbered references
    chat          answers → text for chat programs, which take it for Markdown
    login         the form for name and password
    assets        the page's style, script and icon
"""

from rag.exchanges import Draft, Exchange, Stopped, Trouble
from rag.rendering.assets import ahead_script, files_script, page_head, page_script, welcome_script
from rag.rendering.bulk import (
    bulk_intro_html,
    compared_html,
    evaluations_intro_html,
    files_html,
    reports_html,
    running_html,
    upload_html,
)
from rag.rendering.chat import chat_pieces, harmless_in_markdown, without_references
from rag.rendering.conversation import (
    advanced,
    conversation_html,
    delayed,
    evidence_html,
    exchange_html,
    failed,
    stopped,
    summary,
    turns,
)
from rag.rendering.escape import Html, escape, plain
from rag.rendering.html import (
    answer_citations,
    answer_html,
    draft_html,
    error_card,
    masthead_html,
    passages_html,
    status_html,
    stopped_html,
    welcome_html,
    working_html,
)
from rag.rendering.inspection import inspection_html
from rag.rendering.inspection_text import inspection_text
from rag.rendering.library import (
    article_gone_html,
    article_html,
    chosen_html,
    library_list_html,
    library_script,
    library_search_html,
    library_summary_html,
    trouble_html,
    work_html,
)
from rag.rendering.login import LOGIN_STYLE, login_page
from rag.rendering.talk import (
    Tools,
    closable,
    drawer_html,
    found_html,
    handout_html,
    place_html,
    reader_html,
    shelf_button_html,
    suggestions_html,
    talk_script,
)
from rag.rendering.terminal import answer_text
from rag.rendering.wording import cited_numbers, timing_parts

__all__ = [
    "LOGIN_STYLE",
    "Draft",
    "Exchange",
    "Html",
    "Stopped",
    "Tools",
    "Trouble",
    "advanced",
    "ahead_script",
    "answer_citations",
    "answer_html",
    "answer_text",
    "article_gone_html",
    "article_html",
    "bulk_intro_html",
    "chat_pieces",
    "chosen_html",
    "cited_numbers",
    "closable",
    "compared_html",
    "conversation_html",
    "delayed",
    "draft_html",
    "drawer_html",
    "error_card",
    "escape",
    "evaluations_intro_html",
    "evidence_html",
    "exchange_html",
    "failed",
    "files_html",
    "files_script",
    "found_html",
    "handout_html",
    "harmless_in_markdown",
    "inspection_html",
    "inspection_text",
    "library_list_html",
    "library_script",
    "library_search_html",
    "library_summary_html",
    "login_page",
    "masthead_html",
    "page_head",
    "page_script",
    "passages_html",
    "place_html",
    "plain",
    "reader_html",
    "reports_html",
    "running_html",
    "shelf_button_html",
    "status_html",
    "stopped",
    "stopped_html",
    "suggestions_html",
    "summary",
    "talk_script",
    "timing_parts",
    "trouble_html",
    "turns",
    "upload_html",
    "welcome_html",
    "welcome_script",
    "without_references",
    "work_html",
    "working_html",
]
