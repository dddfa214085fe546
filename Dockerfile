# Citeline in a container. Models and the library lie in volumes; nothing of them, and no key, is part of the image.
#
#   docker build -t citeline .
#   docker run -p 127.0.0.1:7860:7860 -v citeline-models:/models -v citeline-library:/library citeline
#
# The build for graphics cards: docker build --build-arg TORCH_INDEX=https://pypi.org/simple -t citeline .

FROM python:3.12-slim-bookworm AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/citeline
ENV PATH=/opt/citeline/bin:$PATH
WORKDIR /src
COPY pyproject.toml constraints.txt ./
RUN pip install --only-binary :all: -c constraints.txt setuptools \
    && pip install --only-binary :all: --index-url "$TORCH_INDEX" "$(grep '^torch==' constraints.txt)"
COPY LICENSE README.md app.py ./
COPY rag rag
RUN pip install --only-binary :all: --no-build-isolation -c constraints.txt '.[keyring,milvus,postgres,serve]'

FROM python:3.12-slim-bookworm
RUN useradd --uid 10001 --create-home citeline \
    && install -d -o citeline -g citeline /models /library /articles
COPY --from=build /opt/citeline /opt/citeline
ENV PATH=/opt/citeline/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    RAG_HOST=0.0.0.0 \
    RAG_MODELS=/models \
    RAG_INDEX=/library \
    RAG_USERS=/library/users.json
USER 10001
WORKDIR /home/citeline
VOLUME ["/models", "/library"]
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=300s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
CMD ["rag", "serve"]
