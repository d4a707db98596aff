"""Errors of plugins in one line."""

from __future__ import annotations

import pytest

from fas_core import DataError, Metric, PluginError
from fas_core.failures import Provider, describe_error, locate_error, naming_failures, top_package

THEIRS, OURS = Provider("acme-fas", "0.3"), Provider("fas_core", "0.1.0")


class PluginValidationError(Exception):
    """As pluggy's."""


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("one\ntwo"), "ValueError: one"),
        (
            RuntimeError("Error(s) in loading:\n\tsize mismatch\nmore"),
            "RuntimeError: Error(s) in loading: size mismatch",
        ),
        (PluginValidationError("a\nb"), "PluginValidationError: a; b"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (SyntaxError("invalid syntax", ("x.py", 3, 1, "a b")), "SyntaxError: invalid syntax"),
    ],
)
def test_an_error_is_one_line_with_what_matters(error: BaseException, text: str) -> None:
    assert describe_error(error) == text


def test_a_failure_names_the_component_and_the_line() -> None:
    with (
        pytest.raises(PluginError) as caught,
        naming_failures("metric 'gap' of acme-fas 0.3", THEIRS, top_package(__name__)),
    ):
        raise ZeroDivisionError("by zero")
    assert str(caught.value).startswith("metric 'gap' of acme-fas 0.3 failed: ZeroDivisionError: by zero (")
    assert f"{__file__}:" in str(caught.value)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_without_a_line_of_the_package_the_definition_of_what_is_called_is_named() -> None:
    def narrow(options: object) -> None: ...

    with pytest.raises(PluginError) as caught, naming_failures("x", THEIRS, "no_such_package", narrow):
        narrow(1, scores=2)  # type: ignore[call-arg]
    assert str(caught.value).endswith(f"({__file__}:{narrow.__code__.co_firstlineno})")
    assert locate_error(caught.value, "no_such_package") == ""


@pytest.mark.parametrize("error", [SystemExit(0), GeneratorExit()])
def test_exits_of_a_component_are_failures(error: BaseException) -> None:
    with pytest.raises(PluginError), naming_failures("x", THEIRS, "x"):
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DataError("torn")])
def test_ctrl_c_and_errors_of_fas_stay_what_they_are(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, naming_failures("x", THEIRS, "x"):
        raise error
    assert caught.value is error


def test_errors_of_our_own_components_are_bugs() -> None:
    with pytest.raises(ZeroDivisionError), naming_failures("x", OURS, "x"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_module:x", "loading no_such_module:x failed: ModuleNotFoundError"),
        ("math:no_such", "loading math:no_such failed: AttributeError: module 'math' has no attribute"),
        ("math:pi", "math:pi cannot be called: 3.14"),
        ("math:sqrt", "failed: TypeError: "),
    ],
)
def test_a_component_that_cannot_be_loaded_or_called_is_named(target: str, message: str) -> None:
    metric = Metric(name="gap", summary="", target=target, provider=THEIRS)
    with pytest.raises(PluginError) as caught:
        metric.call("text", scores=None)
    assert str(caught.value).startswith("metric 'gap' of acme-fas 0.3")
    assert message in str(caught.value)
    assert metric.qualified_name == "acme-fas:gap"
