"""A model folder that could run code is refused before any library gets to see it."""

import ast
import json
import os
import pickle
from pathlib import Path

import pytest

from rag.embedding import SentenceTransformerEmbedder
from rag.engines import open_engine
from rag.errors import ModelError
from rag.model_folders import require_harmless

ROOT = Path(__file__).parent.parent


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "code-has-run"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the loaders look at first, without any weights."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "architectures": ["BertModel"]}))
    (folder / "modules.json").write_text(
        json.dumps([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}])
    )
    return folder


def refusals(folder: Path) -> list[str]:
    """What embedder and reader say to the folder."""
    messages = []
    for load in (
        lambda: SentenceTransformerEmbedder(folder, "mine", "1"),
        lambda: open_engine("transformers", folder, "mine", 512, 1, lambda _what, _done, _total: None),
    ):
        with pytest.raises(ModelError) as caught:
            load()
        messages.append(str(caught.value))
    return messages


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "model.pt", "2_Dense/pytorch_model.bin", "weights.ckpt", "x.pkl"]
)
def test_pickled_weights_are_refused_and_never_opened(folder: Path, mark: Path, name: str) -> None:
    weights = folder / name
    weights.parent.mkdir(exist_ok=True)
    weights.write_bytes(pickle.dumps(Payload(mark)))
    for message in refusals(folder):
        assert f"{name} is pickled" in message
        assert "safetensors or GGUF" in message
    assert not mark.exists()
    pickle.loads(weights.read_bytes())
    assert mark.exists()  # it would have run


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "1_Module/config.json"])
def test_a_configuration_that_asks_for_code_is_refused(folder: Path, mark: Path, name: str) -> None:
    config = folder / name
    config.parent.mkdir(exist_ok=True)
    config.write_text(json.dumps({"model_type": "mine", "auto_map": {"AutoModel": "mine.Mine"}}))
    assert all(f"{name} asks for code of its own" in message for message in refusals(folder))
    (folder / "mine.py").write_text(f"import os\nos.mkdir({str(mark)!r})")
    assert all("of its own" in message for message in refusals(folder))
    assert not mark.exists()


def test_code_alone_is_refused(folder: Path) -> None:
    (folder / "modeling_mine.py").write_text("class Mine: ...")
    assert all("modeling_mine.py is code of its own" in message for message in refusals(folder))


@pytest.mark.parametrize("kind", ["os.system", "mine.Module", "sentence_transformersx.models.Transformer"])
def test_a_module_from_anywhere_else_is_refused(folder: Path, kind: str) -> None:
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": kind}]))
    assert all(f"asks for {kind!r}" in message for message in refusals(folder))


def test_pickles_beside_safetensors_and_odd_files_are_no_reason(folder: Path) -> None:
    for name in ("model.safetensors", "training_args.bin", "notes.txt"):
        (folder / name).write_bytes(b"x")
    (folder / "broken.json").write_text("[" * 100_000)
    (folder / "list.json").write_text('["auto_map"]')
    require_harmless(folder)


def test_nothing_of_the_program_unpickles_evaluates_or_trusts_code_of_a_model() -> None:
    calls = {"eval", "exec", "compile", "__import__", "torch.load", "np.load", "numpy.load"}
    forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    for path in [*(ROOT / "rag").rglob("*.py"), ROOT / "app.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not forbidden & {alias.name.split(".")[0] for alias in node.names}, path
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in forbidden, path
            elif isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in calls, path
                trusting = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert trusting.get("trust_remote_code", "False") == "False", path
                assert trusting.get("allow_pickle", "False") == "False", path
                if name.endswith(("from_pretrained", "SentenceTransformer")):
                    assert "trust_remote_code" in trusting, path
