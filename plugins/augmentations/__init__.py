"""The augmentations: what happens to the images that a model is trained on."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Augmentation, hookimpl
from fas_plugins.augmentations import options

DATA_SYNTHESIS = "Towards Data-Centric Face Anti-Spoofing (arXiv 2409.03501)"


@hookimpl
def fas_augmentations() -> Iterator[Augmentation]:
    yield Augmentation(
        name="crop",
        summary="Random crop of area and aspect ratio, the same for every modality",
        target="fas_plugins.augmentations.geometry:RandomCrop",
        options=options.CropOptions,
        step="crop",
        source="Going Deeper with Convolutions (arXiv 1409.4842)",
    )
    yield Augmentation(
        name="flip",
        summary="Horizontal flip, the same for every modality",
        target="fas_plugins.augmentations.geometry:Flip",
        options=options.FlipOptions,
    )
    yield Augmentation(
        name="erase",
        summary="Random erasing: noise or black in a rectangle, the same one in every modality",
        target="fas_plugins.augmentations.geometry:RandomErasing",
        options=options.EraseOptions,
        source="Random Erasing Data Augmentation (arXiv 1708.04896)",
    )
    yield Augmentation(
        name="lighting",
        summary="PCA colour noise, of each image",
        target="fas_plugins.augmentations.light:Lighting",
        options=options.LightingOptions,
        source="ImageNet Classification with Deep Convolutional Neural Networks (NeurIPS 2012), section 4.1",
    )
    yield Augmentation(
        name="gain",
        summary="More or less light: values times a number, of each image",
        target="fas_plugins.augmentations.light:make_gain",
        options=options.GainOptions,
    )
    yield Augmentation(
        name="gamma",
        summary="Another tone curve: values to a power, of each image",
        target="fas_plugins.augmentations.light:make_gamma",
        options=options.GammaOptions,
    )
    yield Augmentation(
        name="blur",
        summary="Gaussian blur, of each image",
        target="fas_plugins.augmentations.quality:make_blur",
        options=options.BlurOptions,
    )
    yield Augmentation(
        name="resampling",
        summary="Fewer pixels and back, of each image",
        target="fas_plugins.augmentations.quality:make_resampling",
        options=options.ResamplingOptions,
    )
    yield Augmentation(
        name="noise",
        summary="Gaussian noise, of each image",
        target="fas_plugins.augmentations.quality:make_noise",
        options=options.NoiseOptions,
    )
    yield Augmentation(
        name="jpeg",
        summary="JPEG compression, of each image",
        target="fas_plugins.augmentations.quality:make_jpeg",
        options=options.JpegOptions,
    )
    yield Augmentation(
        name="quality",
        summary="Blur, resampling, noise and JPEG in turn, each with one probability, of each image",
        target="fas_plugins.augmentations.quality:make_quality",
        options=options.QualityOptions,
    )
    yield Augmentation(
        name="moire",
        summary="Coloured stripes as of a filmed screen, of each image",
        target="fas_plugins.augmentations.moire:make_moire",
        options=options.MoireOptions,
        source=DATA_SYNTHESIS,
    )
    yield Augmentation(
        name="mix",
        summary="Quarters of the images of a batch change places within their class",
        target="fas_plugins.augmentations.mix:QuarterMix",
        options=options.MixOptions,
        step="batch",
        source="CutMix (arXiv 1905.04899), within a class",
    )
    yield Augmentation(
        name="callable",
        summary="Any function on NumPy images, e.g. of albumentations, alike for every modality",
        target="fas_plugins.augmentations.image_function:ImageFunction",
        options=options.CallableOptions,
    )
