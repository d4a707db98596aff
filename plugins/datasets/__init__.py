"""Data sets: public ones by their list files, folders and manifests of your own, and the simulator."""

from __future__ import annotations

from collections.abc import Iterator

from fas_core import Dataset, hookimpl
from fas_plugins.datasets.options import (
    CasiaSurfOptions,
    CefaOptions,
    CelebaSpoofOptions,
    FolderOptions,
    ManifestOptions,
    NuaaOptions,
    OuluNpuOptions,
    ReplayAttackOptions,
    WmcaOptions,
)
from fas_plugins.datasets.simulator.options import SyntheticOptions

WMCA_UNSEEN_ATTACKS = ("fakehead", "flexiblemask", "glasses", "papermask", "prints", "replay", "rigidmask")


@hookimpl
def fas_datasets() -> Iterator[Dataset]:
    yield Dataset(
        name="casia_surf",
        summary="CASIA-SURF: paired RGB, depth and IR face crops in its list files",
        target="fas_plugins.datasets.casia_surf:CasiaSurf",
        options=CasiaSurfOptions,
        source="A Dataset and Benchmark for Large-scale Multi-modal Face Anti-spoofing (arXiv 1812.00408)",
        markers=("train_list.txt", "val_p*_list.txt", "test_p*_list.txt"),
        submission="fas_plugins.datasets.casia_surf_submission:build_submission",
    )
    yield Dataset(
        name="cefa",
        summary="CASIA-SURF CeFA: RGB, depth and IR of three ethnicities, challenge and full release",
        target="fas_plugins.datasets.cefa:Cefa",
        options=CefaOptions,
        source="CASIA-SURF CeFA: A Benchmark for Multi-modal Cross-ethnicity Face Anti-spoofing "
        "(arXiv 2003.05136)",
        markers=(
            "4@*.txt",
            "phase1/4@*.txt",
            "phase2/4@*.txt",
            "CASIA_CeFA@p4*.txt",
            "protocol/CASIA_CeFA@p4*.txt",
            "CASIA_CeFA/protocol/CASIA_CeFA@p4*.txt",
        ),
        sets={"4": ("4@1", "4@2", "4@3")},
        submission="fas_plugins.datasets.cefa_submission:build_submission",
    )
    yield Dataset(
        name="celeba_spoof",
        summary="CelebA-Spoof: photos of celebrities, ten kinds of attack, with face boxes",
        target="fas_plugins.datasets.celeba_spoof:CelebaSpoof",
        options=CelebaSpoofOptions,
        source="CelebA-Spoof: Large-Scale Face Anti-Spoofing Dataset with Rich Annotations "
        "(arXiv 2007.12342)",
        markers=("metas/*/*_label.json", "metas/protocol2/*/*_label.json"),
        sets={"2": ("2@high", "2@middle", "2@low")},
    )
    yield Dataset(
        name="folder",
        summary="Your own photos in live/ and attack/SPECIES/ (or real/, spoof/), one or more modalities",
        target="fas_plugins.datasets.folder:Folder",
        options=FolderOptions,
        markers=("{class}", "{split}/{class}"),
    )
    yield Dataset(
        name="lcc_fasd",
        summary="LCC-FASD: photos of people and of screens, from many sources",
        target="fas_plugins.datasets.lcc_fasd:LccFasd",
        source="Large Crowdcollected Facial Anti-Spoofing Dataset (CSIT 2019)",
        markers=("LCC_FASD_training", "LCC_FASD_development", "LCC_FASD_evaluation"),
    )
    yield Dataset(
        name="manifest",
        summary="A CSV or Parquet table of paths, labels and metadata",
        target="fas_plugins.datasets.manifest:Manifest",
        options=ManifestOptions,
        suffixes=(".csv", ".parquet"),
    )
    yield Dataset(
        name="msu_mfsd",
        summary="MSU-MFSD: frames of laptop and phone videos, prints and replays",
        target="fas_plugins.datasets.msu_mfsd:MsuMfsd",
        source="Face Spoof Detection with Image Distortion Analysis (IEEE TIFS 2015)",
        markers=("train_sub_list.txt", "test_sub_list.txt"),
    )
    yield Dataset(
        name="nuaa",
        summary="NUAA Imposter Database: webcam photos of people and of their prints",
        target="fas_plugins.datasets.nuaa:Nuaa",
        options=NuaaOptions,
        source="Face Liveness Detection from a Single Image with Sparse Low Rank Bilinear "
        "Discriminative Model (ECCV 2010)",
        markers=("client_*_raw.txt", "imposter_*_raw.txt"),
    )
    yield Dataset(
        name="oulu_npu",
        summary="OULU-NPU: frames of phone videos, prints and replays; protocols 1-4",
        target="fas_plugins.datasets.oulu_npu:OuluNpu",
        options=OuluNpuOptions,
        source="OULU-NPU: A Mobile Face Presentation Attack Database with Real-World Variations (FG 2017)",
        markers=(
            "Protocols/Protocol_*/*.txt",
            "OULU_Protocols/Protocol_*/*.txt",
            "Protocol_[1-4]/*.txt",
            "Train_files",
            "Dev_files",
            "Test_files",
        ),
        sets={number: tuple(f"{number}@{index}" for index in range(1, 7)) for number in "34"},
    )
    yield Dataset(
        name="replay_attack",
        summary="Replay-Attack: frames of webcam videos, prints and replays on two screens",
        target="fas_plugins.datasets.replay_attack:ReplayAttack",
        options=ReplayAttackOptions,
        source="On the Effectiveness of Local Binary Patterns in Face Anti-spoofing (BIOSIG 2012)",
        markers=("train/attack/fixed", "devel/attack/fixed", "devel/real", "test/attack/fixed"),
    )
    yield Dataset(
        name="synthetic",
        summary="A presentation-attack simulator: RGB, depth and IR of rendered heads, made when needed",
        target="fas_plugins.datasets.synthetic:Synthetic",
        options=SyntheticOptions,
        makes=True,
    )
    yield Dataset(
        name="wmca",
        summary="WMCA: colour, depth, infrared and thermal frames of many kinds of attack",
        target="fas_plugins.datasets.wmca:Wmca",
        options=WmcaOptions,
        source="Biometric Face Presentation Attack Detection with Multi-Channel Convolutional Neural Network "
        "(arXiv 1909.08848)",
        markers=("PROTOCOL-*.csv", "*/PROTOCOL-*.csv"),
        sets={"LOO": tuple(f"LOO_{kind}" for kind in WMCA_UNSEEN_ATTACKS)},
    )
