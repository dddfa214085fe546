"""The page: `python app.py` opens it on http://127.0.0.1:7860. `rag.page` says what is on it."""

import sys

from rag import rendering
from rag.errors import InputError, RagError
from rag.page.running import run
from rag.settings import load_settings


def main() -> int:
    """Run the page with the settings of this folder. Returns the exit status: 2 for a wrong setting, else 1 or 0."""
    try:
        run(load_settings())
    except RagError as error:
        sys.stderr.write(f"{rendering.plain(str(error))}\n")
        return 2 if isinstance(error, InputError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
