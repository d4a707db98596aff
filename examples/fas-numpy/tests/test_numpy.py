"""The contract checks, operations against torch's, and files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from fas_core import ModelError, NoOptions
from fas_core.testing import check_exporter, check_runtime
from fas_numpy.operations import convolve, normalize
from fas_numpy.runtime import NumpyEngine


def test_contracts(tmp_path: Path) -> None:
    for kind, check in (("exporter", check_exporter), ("runtime", check_runtime)):
        (tmp_path / kind).mkdir()
        check("numpy", tmp_path / kind)


@pytest.mark.parametrize(("groups", "stride", "padding"), [(1, 1, 0), (1, 2, 1), (2, 1, 2), (4, 2, 1)])
def test_a_convolution_is_torch_s(groups: int, stride: int, padding: int) -> None:
    generator = torch.Generator().manual_seed(14)
    x = torch.randn(2, 4, 7, 9, generator=generator)
    weight, bias = torch.randn(8, 4 // groups, 3, 3, generator=generator), torch.randn(8, generator=generator)
    expected = F.conv2d(x, weight, bias, stride, padding, groups=groups).numpy()
    sizes = ([stride, stride], [padding, padding], [1, 1], False, [0, 0], groups)
    result = convolve(x.numpy(), weight.numpy(), bias.numpy(), *sizes)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_a_batch_norm_is_torch_s() -> None:
    generator = torch.Generator().manual_seed(14)
    x, (weight, bias, mean) = (
        torch.randn(2, 4, 3, 3, generator=generator),
        torch.randn(3, 4, generator=generator),
    )
    variance = torch.rand(4, generator=generator)
    expected = F.batch_norm(x, mean, variance, weight, bias).numpy()
    arrays = (tensor.numpy() for tensor in (x, weight, bias, mean, variance))
    (result,) = normalize(*arrays, momentum=0.1, epsilon=1e-5)
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"no archive"])
def test_a_file_that_is_no_archive_of_fas(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="no NumPy archive of fas"):
        NumpyEngine(NoOptions(), path)


def test_an_archive_with_an_operation_that_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    graph = '[["score", "os.system", ["true"], {}]]'
    np.savez(path, fas=np.array("{}"), inputs=np.array('["rgb"]'), graph=np.array(graph))
    with pytest.raises(ModelError, match=r"os\.system"):
        NumpyEngine(NoOptions(), path)
