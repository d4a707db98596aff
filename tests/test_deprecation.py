"""What is deprecated still works, and warns once, naming who uses it and what to use instead."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
import pytest
from fixtures.strangers import Here, Site, hooks

from fas_core import FasDeprecationWarning, Metric, Predictor, hookspecs
from fas_core.deprecation import showing_deprecations, warn_deprecated
from fas_core.hook_markers import hookspec

GAP = "Metric(name='gap', summary='', target='acme_fas:gap')"
METRIC = """
def gap(options, scores, threshold):
    from fas_core.ranked import Ranked
    return {"gap": float("nan")}
"""


@pytest.fixture
def former_hook(monkeypatch: pytest.MonkeyPatch) -> str:
    """The hook of metrics had another name, as if it had been renamed in the last release."""

    def fas_measures() -> Iterable[Metric]:
        return ()

    warning = FasDeprecationWarning("hook fas_measures is deprecated: use fas_metrics")
    monkeypatch.setattr(
        hookspecs, "fas_measures", hookspec(warn_on_impl=warning)(fas_measures), raising=False
    )
    monkeypatch.setattr(Metric, "former_hooks", ("fas_measures",))
    return "fas_measures"


def test_a_former_hook_works_and_names_the_plugin(here: Here, former_hook: str) -> None:
    file = here.site.install("acme-fas", hooks(measures=GAP), version="1.0")
    expected = r"^plugin 'acme_fas' of acme-fas 1\.0: hook fas_measures is deprecated: use fas_metrics$"
    with pytest.warns(FasDeprecationWarning, match=expected) as caught:
        record = here.only()
    assert (record.status, [item.name for item in record.components]) == ("active", ["gap"])
    assert [warning.filename for warning in caught] == [str(file)]


def test_the_command_line_shows_it_as_one_line(here: Here, former_hook: str) -> None:
    here.install("acme-fas", hooks(measures=GAP) + METRIC, version="1.0")
    shown = here.fas("plugins", "show", "metric:gap")
    line = "warning: plugin 'acme_fas' of acme-fas 1.0: hook fas_measures is deprecated: use fas_metrics\n"
    assert shown.stderr == line
    assert here.fas("plugins", "show", "metric:gap").stderr == ""  # once a process


def test_an_argument_of_a_hook_names_the_plugin(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def fas_run_started(event: object, folder: object) -> None: ...

    warning = FasDeprecationWarning("argument folder of fas_run_started is deprecated: use event.path")
    spec = hookspec(warn_on_impl_args={"folder": warning})(fas_run_started)
    monkeypatch.setattr(hookspecs, "fas_run_started", spec)
    here.site.install(
        "acme-fas", "import fas_core\n@fas_core.hookimpl\ndef fas_run_started(folder):\n    pass\n"
    )
    with pytest.warns(
        FasDeprecationWarning, match=r"^plugin 'acme_fas' of acme-fas 0\.1: argument folder of"
    ):
        assert here.only().events == ("fas_run_started",)


def test_what_a_component_uses_names_the_component(site: Site) -> None:
    """In a process of its own: a module is imported once."""
    site.install("acme-fas", hooks(metrics=GAP) + METRIC, version="1.0")
    (site.path / "scores.csv").write_text("id,score,label\na,0.9,1\nb,0.8,1\nc,0.1,0\nd,0.3,0\n")
    done = site.fas("score", "scores.csv", "--metric", "gap")
    shown = [line for line in done.stderr.splitlines() if "deprecated" in line]
    module = "module fas_core.ranked is deprecated: use fas_core.scores.ranked"
    assert shown == [f"warning: metric 'gap' of acme-fas 1.0: {module}"]


def test_former_methods_do_what_those_of_now_do(mean_model: object) -> None:
    predictor = Predictor(mean_model())  # type: ignore[operator]
    faces = [{"rgb": np.full((8, 8, 3), level, np.uint8)} for level in (51, 204)]
    with pytest.warns(
        FasDeprecationWarning, match=rf"^{__name__}: Predictor.judge is .*: use Predictor.predict$"
    ):
        judged = predictor.judge(faces)
    assert judged == predictor.predict(faces)
    with pytest.warns(FasDeprecationWarning, match="use Predictor.stack"):
        (images, presence) = predictor.batched(faces)
    np.testing.assert_array_equal(images["rgb"], predictor.stack(faces)[0]["rgb"])
    assert presence is None
    with pytest.warns(FasDeprecationWarning, match="use Predictor.check_photos"):
        predictor.check_modalities(faces[0])


def test_a_line_of_code_warns_once_and_others_pass(recwarn: pytest.WarningsRecorder) -> None:
    shown: list[str] = []
    with showing_deprecations(shown.append):
        warn_deprecated("name a", "b")
        warnings.warn("something else", UserWarning, stacklevel=1)
    assert shown == [f"{__name__}: name a is deprecated: use b"]
    assert [str(warning.message) for warning in recwarn] == ["something else"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            warn_deprecated("name a", "b")
    assert [(item.category, item.filename) for item in caught] == [(FasDeprecationWarning, __file__)]


def test_deprecations_are_errors_where_the_author_wants_them() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", FasDeprecationWarning)
        with pytest.raises(FasDeprecationWarning, match="use b"):
            warn_deprecated("name a", "b")
