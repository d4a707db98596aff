"""Names and numbers of metrics as tables print them."""

from __future__ import annotations

from math import nan

import pytest

from fas_core.evaluation.formatting import figure_name, format_header, is_rate, percent, plain


@pytest.mark.parametrize(
    ("key", "header", "name"),
    [
        ("acc", "Acc", "Acc"),
        ("eer", "EER", "EER"),
        ("tpr@fpr=1e-2", "TPR@FPR\n=1e-2", "TPR@FPR=1e-2"),
        ("apcer_max", "APCER\nworst", "APCER worst"),
        ("apcer", "APCER\npooled", "APCER pooled"),
        ("acer", "ACER\npooled", "ACER pooled"),
        ("bpcer20", "BPCER20", "BPCER20"),
        ("bpcer@apcer_max=3e-2", "BPCER@APCER\nworst\n=3e-2", "BPCER@APCER worst=3e-2"),
        ("apcer_max@bpcer=1e-2", "APCER\nworst\n@BPCER\n=1e-2", "APCER worst @BPCER=1e-2"),
        ("apcer@bpcer=1e-2", "APCER\npooled\n@BPCER\n=1e-2", "APCER pooled @BPCER=1e-2"),
    ],
)
def test_names(key: str, header: str, name: str) -> None:
    assert format_header(key) == header
    assert figure_name(key) == name
    assert is_rate(key)


def test_numbers() -> None:
    assert [percent(value) for value in (0.12345, 0.0, nan, None)] == ["12.35", "0.00", "-", "-"]
    assert [plain(value) for value in (3.14159, nan, None)] == ["3.142", "-", "-"]
    assert not is_rate("d_prime")
