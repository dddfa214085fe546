"""A whole GGUF file of some 100 kB that says what it is told: every prompt is answered by the same odds.

One layer of zeros adds nothing to embeddings of ones, so the logit of a token is the sum of its row in the output
matrix, whatever was read. Its tokenizer has one token a byte, and one for "zz"; its chat
template is ChatML.
"""

from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np

WIDTH = 32
CONTEXT = 1024

END, START = "<|im_end|>", "<|im_start|>"
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def _byte_tokens() -> list[str]:
    """The printable stand-ins of GPT-2's tokenizer for the 256 bytes."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    shifted = iter(range(256, 512))
    return [chr(byte if byte in printable else next(shifted)) for byte in range(256)]


TOKENS = [*_byte_tokens(), "zz", START, END]


def write_tiny_gguf(file: Path, logits: Mapping[str, float], template: str | None = CHATML) -> Path:
    """Write a model in which the tokens of `logits` have these and all others 0: {"Y": 2.0, "<|im_end|>": 1.0}."""
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_dimension_count(WIDTH)
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([gguf.TokenType.NORMAL] * 257 + [gguf.TokenType.CONTROL] * 2)
    writer.add_token_merges(["z z"])
    writer.add_bos_token_id(TOKENS.index(START))
    writer.add_eos_token_id(TOKENS.index(END))
    writer.add_add_bos_token(False)
    if template is not None:
        writer.add_chat_template(template)

    rows = np.zeros((len(TOKENS), WIDTH), dtype=np.float32)
    for token, logit in logits.items():
        rows[TOKENS.index(token)] = logit / WIDTH
    writer.add_tensor("token_embd.weight", np.ones_like(rows))
    writer.add_tensor("output.weight", rows)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, dtype=np.float32))
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        writer.add_tensor(f"blk.0.{name}.weight", np.zeros((WIDTH, WIDTH), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file
