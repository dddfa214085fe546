"""What a log may hold: where something failed, never the texts it failed on, unless a setting asks for them."""

import logging
import traceback


def log_failure(log: logging.Logger, what: str, error: BaseException, with_texts: bool) -> None:
    """Log an error with the lines of code it came through.

    Its message is left out unless `with_texts`: messages quote what they complain about, such as a question.
    """
    if with_texts:
        log.error(what, exc_info=error)
        return
    lines = [f"{what}: {_kind(error)}. RAG_LOG_TEXTS=1 logs its message too, which may quote questions and articles."]
    cause: BaseException | None = error
    while cause is not None:
        lines += [f"  {_kind(cause)} at"]
        lines += [
            f"    {frame.filename}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(cause.__traceback__)
        ]
        cause = cause.__cause__ or cause.__context__
    log.error("%s", "\n".join(lines))


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"
