"""A GGUF file as the bfloat16 safetensors folder that transformers loads: made once, then kept."""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from rag.errors import DiskFull, EngineError, RagError

Report = Callable[[str, int, int], None]
"""(what is being done, done, total)"""


def parameter_count(gguf_file: Path) -> int:
    """How many weights a GGUF file holds. Raises EngineError when it isn't one."""
    import gguf

    try:
        return sum(int(tensor.n_elements) for tensor in gguf.GGUFReader(gguf_file).tensors)
    except (OSError, ValueError, IndexError) as error:
        raise EngineError(
            f"{gguf_file} is not a readable GGUF file: {error}. "
            "Check it with `rag models verify`, or name another file in RAG_READER."
        ) from error


def converted(gguf_file: Path, folder: Path, report: Report) -> Path:
    """`folder`, holding the weights of `gguf_file` for transformers; they are converted when it doesn't exist yet.

    Takes one to two minutes and twice the memory of the result, about 6 GB for the default reader. The folder appears
    whole or not at all. Raises DiskFull before starting when there is too little room, EngineError for a file that
    transformers can't read.
    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if folder.is_dir():  # another process made it while this one waited
            return folder
        unfinished = folder.with_suffix(".partial")
        shutil.rmtree(unfinished, ignore_errors=True)
        _check_room(gguf_file, folder.parent)
        try:
            _convert(gguf_file, unfinished, report)
            unfinished.replace(folder)
        except RagError:
            raise
        except Exception as error:  # tokenizers and safetensors raise bare ones, also for a full disk
            if _says_disk_is_full(error):
                raise _no_room(folder.parent) from error
            raise EngineError(
                f"transformers can't convert {gguf_file}: {error}. RAG_ENGINE=llama_cpp runs the file as it is."
            ) from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _convert(gguf_file: Path, target: Path, report: Report) -> None:
    import torch
    import transformers

    location = {"pretrained_model_name_or_path": str(gguf_file.parent), "gguf_file": gguf_file.name}
    with _progress("Preparing the reader for transformers (once)", report):
        tokenizer = transformers.AutoTokenizer.from_pretrained(  # nosec B615
            **location, local_files_only=True, trust_remote_code=False
        )
        model = transformers.AutoModelForCausalLM.from_pretrained(  # nosec B615
            **location,
            quantization_config=transformers.GgufConfig(dequantize=True),
            dtype=torch.bfloat16,
            local_files_only=True,
            trust_remote_code=False,
        )
        # The weights are dense now; saved with a quantizer they would be taken for GGUF blocks when loaded.
        model.hf_quantizer = None
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.save_pretrained(target)
        tokenizer.save_pretrained(target)


@contextmanager
def _progress(what: str, report: Report) -> Iterator[None]:
    """Pass transformers' own progress on to `report`, and draw no bars.

    Only its first loop counts, which reads and dequantizes every tensor; those after it take a blink.
    """
    import transformers

    loops = 0

    def hook(factory: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        nonlocal loops
        loops += 1
        items = args[0] if args else options.get("iterable")
        if loops > 1 or items is None or not hasattr(items, "__len__"):
            return factory(*args, **{**options, "disable": True})

        def counted() -> Any:
            for done, item in enumerate(items):
                report(what, done, len(items))
                yield item
            report(what, len(items), len(items))

        return counted()

    logging = transformers.utils.logging
    previous = logging.set_tqdm_hook(hook)
    with suppress(ImportError):  # the loader of most architectures takes its bars straight from tqdm, past the hook
        from transformers import modeling_gguf_pytorch_utils

        modeling_gguf_pytorch_utils.tqdm = logging.tqdm
    try:
        yield
    finally:
        logging.set_tqdm_hook(previous)


def _check_room(gguf_file: Path, place: Path) -> None:
    needed = parameter_count(gguf_file) * 2 * 11 // 10
    if shutil.disk_usage(place).free < needed:
        raise _no_room(place, needed)


def _says_disk_is_full(error: Exception) -> bool:
    """Some have the number only in words: "No space left on device (os error 28)"."""
    return getattr(error, "errno", None) == errno.ENOSPC or f"(os error {errno.ENOSPC})" in str(error)


def _no_room(place: Path, needed: int | None = None) -> DiskFull:
    wanted = f"{needed / 1e9:.1f} GB" if needed else "more room"
    return DiskFull(
        f"Preparing the reader for transformers needs {wanted} in {place}, which has "
        f"{shutil.disk_usage(place).free / 1e9:.1f} GB left. "
        "Free some, set RAG_MODELS to a folder on another disk, or set RAG_ENGINE=llama_cpp, which needs none."
    )
