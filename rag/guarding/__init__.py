"""Guards of the page: who may come in, from where, how often, and what they get to see.

gate      what every request passes
routes    the requests that are passed on
refusals  what the others are answered
origins   Host, Origin and Sec-Fetch-Site
headers   Content-Security-Policy and the rest of what browsers are told
bodies    bodies counted while they arrive
uploads   files that readers send
streams   events, of which none is lost
rates     requests a minute, by client
users     names and hashed passwords in a file
logins    who is logged in
cited     the files behind citations
handed    the files that the page made for a reader
departures  readers who said that they go
files     what is read of a file, and the name it is saved under
"""

from rag.guarding.cited import MAX_BYTES, Cited
from rag.guarding.departures import Departures, reader_name
from rag.guarding.gate import BROWSER, USER, Door, Gate
from rag.guarding.handed import Handed
from rag.guarding.headers import document_policy
from rag.guarding.logins import Logins
from rag.guarding.origins import is_loopback, is_wildcard
from rag.guarding.rates import Rates
from rag.guarding.refusals import openai_error
from rag.guarding.routes import ALIVE, CHAT, MCP, METRICS, OPENAI, READY
from rag.guarding.uploads import Uploads
from rag.guarding.users import Users

__all__ = [
    "ALIVE",
    "BROWSER",
    "CHAT",
    "MAX_BYTES",
    "MCP",
    "METRICS",
    "OPENAI",
    "READY",
    "USER",
    "Cited",
    "Departures",
    "Door",
    "Gate",
    "Handed",
    "Logins",
    "Rates",
    "Uploads",
    "Users",
    "document_policy",
    "is_loopback",
    "is_wildcard",
    "openai_error",
    "reader_name",
]
