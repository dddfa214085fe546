"""LlamaIndex as its documentation sets it up with local models, for `benchmarks.peers`, in its own environment.

Whatever isn't said here is its default: nodes of at most 1,024 tokens, a vector index in memory, its prompts, as many
passages as fit put into one prompt. The reader is reached as any server that speaks OpenAI's protocol.
"""

from collections.abc import Iterable

from benchmarks.peer_serving import WINDOW, Ask, Job, serve, start_reader

PACKAGES = ("llama-index-core", "llama-index-llms-openai-like", "llama-index-embeddings-huggingface", "xllamacpp")


def make(job: Job) -> Ask:
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.llms.openai_like import OpenAILike

    server, address = start_reader(job.reader, job.threads)
    reader = OpenAILike(
        model="reader",
        api_base=f"{address}/v1",
        api_key="none",
        is_chat_model=True,
        context_window=WINDOW,
        max_tokens=job.answer_tokens,
        temperature=0,
        timeout=3600,
    )
    documents = [Document(id_=one["id"], text=one["text"], metadata={"title": one["title"]}) for one in job.documents]
    index = VectorStoreIndex.from_documents(documents, embed_model=HuggingFaceEmbedding(model_name=job.embedder))
    engine = index.as_query_engine(llm=reader, similarity_top_k=job.passages, streaming=True)

    def ask(question: str, _held: object = server) -> Iterable[str]:
        pieces: Iterable[str] = engine.query(question).response_gen
        return pieces

    return ask


if __name__ == "__main__":
    serve(make, PACKAGES)
