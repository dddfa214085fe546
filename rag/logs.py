"""What a log may hold: where something failed, never the texts it failed on, unless a setting asks for them."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime


def write_json_lines() -> None:
    """From now on write what this process logs to standard error as lines of JSON, one for every question included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("citeline").setLevel(logging.INFO)


class JsonLines(logging.Formatter):
    """Each record as an object on a line: time (UTC), level, logger, message, and the fields it was logged with."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False, default=str).encode("utf-8", "replace").decode("utf-8")


def log_failure(log: logging.Logger, what: str, error: BaseException, with_texts: bool) -> None:
    """Log an error with the lines of code it came through.

    Its message is left out unless `with_texts`: messages quote what they complain about, such as a question.
    """
    if with_texts:
        log.error(what, exc_info=error, extra={"fields": {"error": _kind(error)}})
        return
    lines = [f"{what}: {_kind(error)}. RAG_LOG_TEXTS=1 logs its message too, which may quote questions and articles."]
    causes = []
    cause: BaseException | None = error
    while cause is not None:
        places = [
            f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(cause.__traceback__)
        ]
        causes.append({"error": _kind(cause), "at": places})
        lines += [f"  {_kind(cause)} at", *(f"    {place}" for place in places)]
        cause = cause.__cause__ or cause.__context__
    log.error("%s", "\n".join(lines), extra={"fields": {"message": what, "error": _kind(error), "causes": causes}})


def _kind(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"
