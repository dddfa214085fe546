"""What programs reach beside the page: the API that OpenAI's clients speak, and what keeps a server in sight.

with_service  the addresses, in front of the page
requests      what a chat client asks for → a question with its history
replies       answers and their pieces in the form of OpenAI's API
chat          questions asked and answers streamed
asking        a question on a thread of its own
stopping      the end of a server, at which running answers are finished
values        answers and passages as plain values
"""

from rag.service.addresses import with_service
from rag.service.asking import client_of
from rag.service.stopping import Stopping
from rag.service.values import Fields, answer_fields, document_fields, hit_fields, passage_fields

__all__ = [
    "Fields",
    "Stopping",
    "answer_fields",
    "client_of",
    "document_fields",
    "hit_fields",
    "passage_fields",
    "with_service",
]
