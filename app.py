"""The page: `python app.py` opens it on http://127.0.0.1:7860. `rag.page` says what is on it."""

import signal
import sys
import time

from rag import rendering
from rag.errors import InputError, RagError
from rag.page.loading import load_gradio
from rag.settings import Settings, load_settings


def run(settings: Settings) -> None:
    """Run the page until Ctrl-C or SIGTERM. Raises RagError when it can't listen."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        load_gradio()
        from rag.page.serving import serving  # which imports Gradio

        with serving(settings) as address:
            sys.stdout.write(f"Citeline is at {address} (Ctrl-C ends it).\n")
            sys.stdout.flush()
            while True:
                time.sleep(3600)
    except KeyboardInterrupt:
        return


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
