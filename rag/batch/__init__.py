"""Files of questions → files of answers, resumable at any moment."""

from rag.batch.asking import Asker, LibraryAsker, ids_by_name
from rag.batch.questions import BadRow, read_questions
from rag.batch.runfile import check_run_file, read_records
from rag.batch.running import BatchReport, differences, run_batch
from rag.batch.tables import TABLE_SUFFIXES, carried_names, write_table

__all__ = [
    "TABLE_SUFFIXES",
    "Asker",
    "BadRow",
    "BatchReport",
    "LibraryAsker",
    "carried_names",
    "check_run_file",
    "differences",
    "ids_by_name",
    "read_questions",
    "read_records",
    "run_batch",
    "write_table",
]
