"""Train and evaluate FeatherNetB as published projects do, and print images/s of each as JSON.

    python benchmarks/training_reference.py FOLDER

`benchmarks/training.py` calls it. Nothing of `fas` is used: images are decoded by Pillow, cropped, flipped
and normalised one by one, and reach an eager network in planes of fp32, through PyTorch's loader with as many
processes as published (four). The network is that of arXiv 1904.09290, the loss that of arXiv 1708.02002.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import random
import warnings
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

BATCH, SIZE, WORKERS = 32, 224, 4
MEAN, DEVIATION = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
WARM_UP = 2


class Images(Dataset[tuple[Tensor, int]]):
    """One split of the manifest `one.csv`: (3, 224, 224) fp32, normalised, and the label."""

    def __init__(self, folder: Path, split: str) -> None:
        with (folder / "one.csv").open() as file:
            rows = [row for row in csv.DictReader(file) if row["split"] == split]
        self.samples = [(folder / row["depth"], int(row["label"] == "live")) for row in rows]
        self.augments = split == "train"

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        path, label = self.samples[index]
        image = Image.open(path).convert("RGB")
        image = augment(image) if self.augments else crop_centre(image)
        planes = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255)
        return planes.sub(MEAN[:, None, None]).div(DEVIATION[:, None, None]), label


def augment(image: Image.Image) -> Image.Image:
    """Return a random crop of 8 to 100 % of the area, scaled to the input size, flipped half of the time."""
    left, top, width, height = draw_crop(*image.size)
    box = (left, top, left + width, top + height)
    image = image.crop(box).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if random.random() < 0.5 else image


def draw_crop(width: int, height: int) -> tuple[int, int, int, int]:
    """Draw left, top, width and height of a crop; the whole image if ten do not fit."""
    for _ in range(10):
        area = width * height * random.uniform(0.08, 1.0)
        ratio = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return random.randint(0, width - w), random.randint(0, height - h), w, h
    return 0, 0, width, height


def crop_centre(image: Image.Image) -> Image.Image:
    """Return the central square of the input size of the image scaled to a shorter side of 256 pixels."""
    scale = 256 / min(image.size)
    width, height = (round(side * scale) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - SIZE) // 2, (height - SIZE) // 2
    return image.crop((left, top, left + SIZE, top + SIZE))


def conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    layer = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [layer, nn.BatchNorm2d(outputs)]


class Block(nn.Module):
    """MobileNetV2's block; where it halves the map, with an average-pooled shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        expand = [*conv(inputs, hidden), nn.ReLU6(inplace=True)] if expansion > 1 else []
        filter_depth_wise = [*conv(hidden, hidden, 3, stride, hidden), nn.ReLU6(inplace=True)]
        self.layers = nn.Sequential(*expand, *filter_depth_wise, *conv(hidden, outputs))
        pooled = [nn.AvgPool2d(2), nn.BatchNorm2d(inputs), nn.Conv2d(inputs, outputs, 1, bias=False)]
        self.shortcut = nn.Sequential(*pooled) if stride == 2 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.layers(x) + self.shortcut(x)
        return result


class Attention(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // 8
        self.gate = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        gate: Tensor = self.gate(F.adaptive_avg_pool2d(x, 1).flatten(1))
        return x * gate[:, :, None, None]


def build_network() -> nn.Module:
    """Return FeatherNetB: (B, 3, 224, 224) -> (B, 1024), of which the first two are logits of the classes."""
    layers, channels = [*conv(3, 32, 3, 2), nn.ReLU6(inplace=True)], 32
    for expansion, outputs, blocks in ((1, 16, 1), (6, 32, 2), (6, 48, 6), (6, 64, 3)):
        for index in range(blocks):
            layers.append(Block(channels, outputs, 2 if index == 0 else 1, expansion))
            channels = outputs
        layers.append(Attention(channels))
    streaming = nn.Conv2d(channels, channels, 3, 2, 1, groups=channels, bias=False)
    return nn.Sequential(*layers, streaming, nn.Flatten())


def focal_loss(logits: Tensor, labels: Tensor) -> Tensor:
    losses = F.cross_entropy(logits, labels, reduction="none")
    return ((1 - (-losses).exp()) ** 3 * losses).mean()


class Trainer:
    """The network and its optimiser."""

    def __init__(self) -> None:
        self.network = build_network()
        self.optimizer = torch.optim.SGD(self.network.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)

    def step(self, images: Tensor, labels: Tensor) -> float:
        loss = focal_loss(self.network(images), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


def measure_steps(trainer: Trainer, steps: int) -> float:
    """Return images/s of steps on one batch in memory."""
    images, labels = torch.randn(BATCH, 3, SIZE, SIZE), torch.arange(BATCH) % 2
    for step in range(WARM_UP + steps):
        if step == WARM_UP:
            start = perf_counter()
        trainer.step(images, labels)
    return steps * BATCH / (perf_counter() - start)


def load_batches(dataset: Images) -> Iterator[tuple[Tensor, Tensor]]:
    augments = dataset.augments
    yield from DataLoader(dataset, BATCH, shuffle=augments, num_workers=WORKERS, drop_last=augments)


def measure_training(trainer: Trainer, dataset: Images) -> float:
    """Return images/s of an epoch, in which the processes that read images start, as published."""
    start, images = perf_counter(), 0
    for batch, labels in load_batches(dataset):
        trainer.step(batch, labels)
        images += len(batch)
    return images / (perf_counter() - start)


def measure_evaluation(network: nn.Module, dataset: Images) -> float:
    """Return images/s of scoring a split."""
    network.eval()
    start, scores = perf_counter(), list[float]()
    with torch.no_grad():
        for batch, _ in load_batches(dataset):
            scores += network(batch)[:, :2].softmax(1)[:, 1].tolist()
    return len(scores) / (perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=10, help="steps without reading images")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message="This DataLoader will create")  # more processes than cores
    trainer = Trainer()
    figures = {
        "step": measure_steps(trainer, arguments.steps),
        "training": measure_training(trainer, Images(arguments.folder, "train")),
        "evaluation": measure_evaluation(trainer.network, Images(arguments.folder, "dev")),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
