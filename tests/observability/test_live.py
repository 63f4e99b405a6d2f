"""Rules, alerts and dashboards before a real Prometheus that watches a real server under load."""
import math
import re
import shutil
import time

import pytest

import dashboards
import observed
from small_models import until

# Panels with nothing to show of a ready-made sibling without a report: it was judged nowhere.
EMPTY = {
    "mobilenet_v2": {"What did the sibling lose when it was judged?", "Times as fast, when judged", "Size of int8"},
    "fashion_mnist": set(),
}
WATCHED = 12  # scrapes under load before anything is asked

pytestmark = [pytest.mark.timeout(240),
              pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not here"),
              pytest.mark.skipif(observed.missing() is not None, reason=f"{observed.missing()} is not here")]


@pytest.fixture(scope="module", name="scene")
def observe(tmp_path_factory):
    with observed.observed(tmp_path_factory.mktemp("observed")) as scene:
        observed.promote(scene)
        observed.demote(scene)
        observed.swap(scene)
        observed.fail(scene)
        until(lambda: scene.scrapes() >= WATCHED, f"{WATCHED} scrapes")
        yield scene


def test_every_rule_can_be_computed(scene):
    def rules():
        return [rule for group in scene.prometheus.get("rules")["groups"] for rule in group["rules"]]

    until(lambda: all(rule["health"] != "unknown" for rule in rules()), "the first look at every rule")
    assert {rule["name"]: rule.get("lastError") for rule in rules() if rule["health"] != "ok"} == {}
    assert sum(rule["type"] == "alerting" for rule in rules()) == 12


def _firing(scene):
    """-> alerts by name."""
    return {alert["labels"]["alertname"]: alert for alert in scene.prometheus.get("alerts")["alerts"]
            if alert["state"] == "firing"}


def test_alerts_fire_for_what_has_happened(scene):
    until(lambda: {"TandemLoadFailed", "TandemInt8Demoted"} <= set(_firing(scene)), "both alerts")
    failed, demoted = _firing(scene)["TandemLoadFailed"], _firing(scene)["TandemInt8Demoted"]
    assert failed["annotations"]["summary"] == "Version 2 of mobilenet_v2 could not be loaded"
    assert demoted["annotations"]["summary"] == "fp32 serves fashion_mnist again in the place of int8"
    assert "error" not in str(failed["annotations"]) and scene.server.http in failed["annotations"]["description"]
    assert not {"TandemDown", "TandemAbsent", "TandemNotReady", "TandemMemoryGrows", "TandemInt8Failed"} & set(_firing(scene))


def _series(scene, selector):
    return scene.prometheus.get("series", **{"match[]": selector})


def _choices(scene, dashboard, model):
    """What Grafana fills in, with everything chosen where several may be; no variable is without a choice."""
    values = {}
    for name, selector, label in dashboards.variables(dashboard):
        found = {series[label] for series in _series(scene, dashboards.fill(selector, values)) if label in series}
        assert found, name
        values[name] = model if name == "model" else "|".join(map(re.escape, sorted(found)))
    return values


def _shows(scene, expression):
    """Whether a curve of the last half minute has a number in it."""
    now = time.time()
    curves = scene.prometheus.over(expression, now - 30, now)
    return any(math.isfinite(value) for _, points in curves for _, value in points)


@pytest.mark.parametrize("model", EMPTY)
@pytest.mark.parametrize("name", dashboards.NAMES)
def test_every_panel_has_something_to_show(scene, name, model):
    dashboard = dashboards.load(name)
    values = _choices(scene, dashboard, model)
    # Grafana doubles backslashes in what it fills into a string.
    values = {key: value.replace("\\", "\\\\") for key, value in values.items()}
    empty = {(title, expression) for title, expression in dashboards.queries(dashboard)
             if title not in EMPTY[model] and not _shows(scene, dashboards.fill(expression, values))}
    assert empty == set()


def test_alerts_fire_when_the_server_goes(scene):
    """The last one here: nothing is there to be seen afterwards."""
    assert scene.server.stop() == 0
    until(lambda: {"TandemDown", "TandemAbsent"} <= set(_firing(scene)), "both alerts")
    assert _firing(scene)["TandemDown"]["annotations"]["summary"] == f"{scene.server.http} does not answer"
