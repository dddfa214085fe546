"""What `rag.page.loading` spares: Gradio's rewriting its own stubs at every start."""

import subprocess
import sys
from pathlib import Path

WATCHED = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
from rag.page.loading import load_gradio
load_gradio()
import gradio, gradio.component_meta
assert not [path for path in opened if path.endswith(".pyi")], opened
assert any(path.endswith(("component_meta.py", ".pyc")) for path in opened)
assert not any(type(finder).__module__ == "rag.page.loading" for finder in sys.meta_path)
with gradio.Blocks(analytics_enabled=False) as page:
    button = gradio.Button("Ask")
    button.click(lambda: None)
assert len(page.fns) == 1
"""


def test_gradio_is_loaded_whole_without_a_look_at_its_stubs() -> None:
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", WATCHED], cwd=root, capture_output=True, text=True, timeout=300)
    assert (done.stderr, done.returncode) == ("", 0)


def test_a_program_that_has_loaded_gradio_keeps_it() -> None:
    from rag.page.loading import load_gradio

    load_gradio()
    before = sys.modules["gradio"]
    load_gradio()
    assert sys.modules["gradio"] is before
