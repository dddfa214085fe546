"""Files of questions answered, and evaluations made, by a running page beside its readers.

asking   one question of a file at a time, in line with the readers
uploads  a file of questions looked through
orders   what somebody wants done with a file, kept on disk
tally    what has become of the rows so far, read from the run file
jobs     the work itself, each on a thread
reports  evaluations on disk: listed, opened, compared
"""

from rag.bulk.jobs import Going, Jobs
from rag.bulk.reports import Reports
from rag.bulk.uploads import look_through

__all__ = ["Going", "Jobs", "Reports", "look_through"]
