"""`python -m tests.index.powerless_reader FOLDER` reads a library without the right to write in its folder.

Permissions don't bind root. On Linux root gives up the capability that overrides them (CAP_DAC_OVERRIDE, by
prctl(PR_CAPBSET_DROP)), which takes effect with the next program, so the script starts itself again.
"""

import ctypes
import json
import os
import sys
from pathlib import Path

from rag.errors import RagError
from rag.index import open_library, open_writer
from tests.index.shelf import IDENTITY, near, worded

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
DROPPED = "--dropped"


def main(folder: Path) -> dict[str, object]:
    answer: dict[str, object] = {"writable": os.access(folder, os.W_OK)}
    try:
        with open_library(folder, IDENTITY) as library:
            answer["near"] = near(library, "iron rusts in wet air", k=1)
            answer["worded"] = worded(library, "rust")
            answer["documents"] = library.count().documents
    except RagError as error:
        return answer | {"error": f"{type(error).__name__}: {error}"}
    try:
        with open_writer(folder, IDENTITY):
            pass
    except RagError as error:
        answer["writing"] = f"{type(error).__name__}: {error}"
    return answer


if __name__ == "__main__":
    if os.geteuid() == 0 and DROPPED not in sys.argv:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)
        os.execv(sys.executable, [sys.executable, "-m", "tests.index.powerless_reader", *sys.argv[1:], DROPPED])
    json.dump(main(Path(sys.argv[1])), sys.stdout)
