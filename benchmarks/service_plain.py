"""A plain service around onnxruntime, to compare `fas serve` with: Starlette and uvicorn.

    python benchmarks/service_plain.py model.onnx 1    # a session.run for each request
    python benchmarks/service_plain.py model.onnx 16   # micro-batches of up to 16 of the requests that wait

Images are decoded, and resized as `fas` does, in threads of this process. It has no limits of size, time or
memory, no workers that can be ended, and no verdict. The port is printed once the service listens.
"""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import onnxruntime
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class PlainService:
    """Scores the photo of each request, in batches of up to `max_batch` of those that wait."""

    def __init__(self, session: onnxruntime.InferenceSession, max_batch: int) -> None:
        self.session, self.max_batch = session, max_batch
        (self.input,) = session.get_inputs()
        self.threads = ThreadPoolExecutor(os.cpu_count())
        self.waiting: asyncio.Queue[tuple[Any, asyncio.Future[float]]] = asyncio.Queue()

    async def score(self, request: Request) -> Response:
        form = await request.form()
        upload: Any = form["rgb"]
        data = await upload.read()
        run = asyncio.get_running_loop().run_in_executor
        if self.max_batch == 1:
            return JSONResponse({"score": await run(self.threads, self._score_one, data)})
        image = await run(self.threads, self._prepare, data)
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        await self.waiting.put((image, future))
        return JSONResponse({"score": await future})

    async def score_batches(self) -> None:
        """Score what waits, at once, for ever."""
        run = asyncio.get_running_loop().run_in_executor
        while True:
            batch = [await self.waiting.get()]
            while len(batch) < self.max_batch and not self.waiting.empty():
                batch.append(self.waiting.get_nowait())
            images = np.stack([image for image, _ in batch])
            for (_, future), score in zip(
                batch, await run(self.threads, self._score_images, images), strict=True
            ):
                future.set_result(score)

    def _prepare(self, data: bytes) -> Any:
        height, width = self.input.shape[1:3]
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)

    def _score_images(self, images: Any) -> list[float]:
        (scores,) = self.session.run(["score"], {self.input.name: images})
        return [float(score) for score in scores]

    def _score_one(self, data: bytes) -> float:
        return self._score_images(self._prepare(data)[None])[0]


def main(model: str, max_batch: int) -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    service = PlainService(onnxruntime.InferenceSession(model, options), max_batch)
    app = Starlette(routes=[Route("/v1/score", service.score, methods=["POST"])])

    async def serve() -> None:
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
        batches = asyncio.create_task(service.score_batches())
        running = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        print(f"http://127.0.0.1:{port} ready", flush=True)
        await running
        batches.cancel()

    asyncio.run(serve())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
