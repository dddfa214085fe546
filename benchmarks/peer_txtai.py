"""txtai as its documentation sets it up with local models, for `benchmarks.peers`, in its own environment.

The prompt is that of its page about RAG, for its default is the bare question and passages. The reader is reached as
any server that speaks OpenAI's protocol, by LiteLLM.
"""

import os
from collections.abc import Iterable

from benchmarks.peer_serving import Ask, Job, serve, start_reader

PACKAGES = ("txtai", "litellm", "xllamacpp")

TEMPLATE = """
  Answer the following question using the provided context.

  Question:
  {question}

  Context:
  {context}
"""


def make(job: Job) -> Ask:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it looks for prices on the network
    from txtai import LLM, RAG, Embeddings

    server, address = start_reader(job.reader, job.threads)
    embeddings = Embeddings(path=job.embedder, content=True)
    embeddings.index([(one["id"], f"{one['title']}\n{one['text']}") for one in job.documents])
    reader = LLM("openai/reader", method="litellm", api_base=f"{address}/v1", api_key="none", temperature=0)
    pipeline = RAG(embeddings, reader, template=TEMPLATE, context=job.passages, output="flatten")

    def ask(question: str, _held: object = server) -> Iterable[str]:
        pieces: Iterable[str] = pipeline(question, maxlength=job.answer_tokens, stream=True)
        return pieces

    return ask


if __name__ == "__main__":
    serve(make, PACKAGES)
