"""Face detectors: OpenCV's cascade, YuNet and CenterFace."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Detector, hookimpl

CENTERFACE_SHA256 = "c4ad824bd44e36daedc9726e7c750b0b5026045283ce84252f8e149693de8a21"
"""Digest of CenterFace as `fas models get` stores it."""


@hookimpl
def fas_detectors() -> Iterator[Detector]:
    yield Detector(
        name="cascade",
        summary="Upright frontal faces, by cascades that OpenCV has; without landmarks",
        target="fas_plugins.detectors.cascade:Cascade",
        landmarks=False,
        source="Rapid Object Detection using a Boosted Cascade of Simple Features (CVPR 2001)",
    )
    yield Detector(
        name="centerface",
        summary="Faces in any pose and light, by a network of 7 MB: fas models get centerface",
        target="fas_plugins.detectors.centerface:CenterFace",
        fetched="centerface",
        sha256=CENTERFACE_SHA256,
        source="CenterFace: Joint Face Detection and Alignment Using Face as Point (arXiv 1911.03599)",
    )
    yield Detector(
        name="yunet",
        summary="Faces in any pose, by the .onnx file of a YuNet model, which OpenCV runs",
        target="fas_plugins.detectors.yunet:YuNet",
        suffixes=(".onnx",),
        source="YuNet: A Tiny Millisecond-level Face Detector (Machine Intelligence Research, 2023)",
    )
