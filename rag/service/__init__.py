"""What programs reach beside the page: the API that OpenAI's clients speak, and what keeps a server in sight.

addresses  which address is answered by what
requests   what a chat client asks for → a question with its history
replies    answers and their pieces in the form of OpenAI's API
chat       questions asked and answers streamed
asking     a question on a thread of its own
values     answers and passages as plain values
observing  what became of each question, told to:
figures      Prometheus
traces       OpenTelemetry
journal      the log
health     alive and ready
reopening  a pipeline that could not be opened is tried again
stopping   the end of a server, at which running answers are finished
workers    processes that answer chats beside this one, and the line for them
handing    a chat that one process takes and another answers
"""

from rag.service.addresses import Service, with_service
from rag.service.asking import client_of, reader_of
from rag.service.figures import SHARED as COUNTED_IN
from rag.service.stopping import Stopping
from rag.service.values import Fields, answer_fields, document_fields, hit_fields, passage_fields
from rag.service.workers import Workers

__all__ = [
    "COUNTED_IN",
    "Fields",
    "Service",
    "Stopping",
    "Workers",
    "answer_fields",
    "client_of",
    "document_fields",
    "hit_fields",
    "passage_fields",
    "reader_of",
    "with_service",
]
