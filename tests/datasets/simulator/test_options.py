import pytest

from fas_plugins.datasets.simulator.options import SyntheticOptions


@pytest.mark.parametrize(
    "invalid", [{"protocol": "unseen"}, {"subjects": 8}, {"shots": 0}, {"size": 32}, {"seed": -1}]
)
def test_options_are_checked(invalid: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(invalid))):
        SyntheticOptions(**invalid)  # type: ignore[arg-type]
