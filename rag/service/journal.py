"""A line in the log for every question, without its texts unless a setting asks for them."""

import logging

from rag.service.observing import Observed, Outcome

_log = logging.getLogger("citeline.questions")


class Journal:
    """Implements `Observer`."""

    def __init__(self, log_texts: bool) -> None:
        self._log_texts = log_texts

    def asked(self) -> None:
        """See `Observer`."""

    def ended(self, observed: Observed) -> None:
        """See `Observer`."""
        level = logging.WARNING if observed.outcome is Outcome.FAILED else logging.INFO
        fields: dict[str, object] = {"outcome": observed.outcome.value, "seconds": round(observed.seconds, 3)}
        if observed.error:
            fields["error"] = observed.error
        if answer := observed.answer:
            stages = {stage.name: round(stage.seconds, 3) for stage in observed.stages}
            fields |= {"reason": answer.reason.value, "confidence": round(answer.confidence, 3), "stages": stages}
            fields |= {"waited": round(observed.waited, 3), "reader": answer.models.reader}
            if self._log_texts:
                fields |= {"question": answer.question, "answer": answer.text}
        _log.log(level, "question %s", observed.outcome.value, extra={"fields": fields})
