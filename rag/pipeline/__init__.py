"""The order of the stages, and the only place that knows it.

`Pipeline` answers and `open_pipeline` builds one; `index_articles` brings the library up to date.
"""

from rag.model_files import weights_revision
from rag.pipeline.answering import Pipeline, check_question
from rag.pipeline.conditions import (
    ANSWER_SETTINGS,
    answer_settings,
    code_revision,
    library_fingerprint,
)
from rag.pipeline.opening import (
    Report,
    embedder_on_demand,
    index_articles,
    library_identity,
    open_embedder,
    open_pipeline,
    open_reader,
    sync_articles,
)

__all__ = [
    "ANSWER_SETTINGS",
    "Pipeline",
    "Report",
    "answer_settings",
    "check_question",
    "code_revision",
    "embedder_on_demand",
    "index_articles",
    "library_fingerprint",
    "library_identity",
    "open_embedder",
    "open_pipeline",
    "open_reader",
    "sync_articles",
    "weights_revision",
]
