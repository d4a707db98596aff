# Two images of one wheel: `train` trains, evaluates and exports; `serve` answers over HTTP, without PyTorch.
#
#   docker build --target serve -t fas-serve .
#   docker run --rm -p 127.0.0.1:8000:8000 -v "$PWD/model.onnx:/model/model.onnx:ro" fas-serve
#
# docs/use/container.md says more.

FROM python:3.11-slim AS wheel
WORKDIR /source
COPY . .
RUN python -m pip wheel --no-deps --wheel-dir /wheels .

FROM python:3.11-slim AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY --from=wheel /wheels /wheels
COPY constraints.txt /wheels/constraints.txt
RUN useradd --create-home --uid 10001 fas && install --directory --owner fas /work
WORKDIR /work

FROM base AS train
ARG PIP_EXTRA_INDEX_URL
RUN python -m pip install -c /wheels/constraints.txt "$(echo /wheels/fas_core-*.whl)[train,storage]"
USER fas
HEALTHCHECK NONE
ENTRYPOINT ["fas"]
CMD ["train"]

FROM base AS serve
RUN python -m pip install -c /wheels/constraints.txt "$(echo /wheels/fas_core-*.whl)[serve]"
USER fas
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["fas", "serve", "--host", "0.0.0.0", "--port", "8000"]
CMD ["/model/model.onnx"]
