"""The dashboards as files: as they were generated, whole, and of metrics that there are."""
import re
import subprocess
import sys

import pytest

import dashboards
import tandemd

PROMETHEUS = tandemd.ROOT / "deploy/prometheus"
WORD = re.compile(r"\b(?:tandem|process)_\w+|\b\w+:\w+:\w+")


def names_there_are():
    """What docs/metrics.md lists, which is held to what the server exports, and what rules record."""
    names = set(re.findall(r"- record: (\S+)", (PROMETHEUS / "tandem.rules.yml").read_text()))
    for name, kind in re.findall(r"^\| `(\w+)` \| (\w+) \|", (tandemd.ROOT / "docs/metrics.md").read_text(), re.M):
        names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if kind == "histogram" else {name}
    return names


def names_in(text):
    """Metrics in expressions, without what stands in quotes."""
    return set(WORD.findall(re.sub(r'"[^"]*"', "", text)))


@pytest.mark.parametrize("name", dashboards.NAMES)
def test_dashboards_are_as_they_are_generated(name):
    script = "import generate, sys; sys.stdout.write(generate.rendered()[sys.argv[1]])"
    done = subprocess.run([sys.executable, "-B", "-c", script, f"{name}.json"], cwd=tandemd.ROOT / "deploy/grafana",
                          capture_output=True, text=True, check=True)
    assert done.stdout == (dashboards.FOLDER / f"{name}.json").read_text(), "run deploy/grafana/generate.py"


@pytest.mark.parametrize("name", dashboards.NAMES)
def test_panels_lie_beside_each_other_and_say_what_they_show(name):
    dashboard = dashboards.load(name)
    taken = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, (panel["title"], taken[x, y])
                taken[x, y] = panel["title"]
        assert panel["description"] and panel["targets"]
        assert panel["type"] in ("table", "heatmap", "state-timeline") or panel["fieldConfig"]["defaults"]["unit"]
    titles, ids = zip(*((panel["title"], panel["id"]) for panel in dashboard["panels"]))
    assert len(set(titles)) == len(set(ids)) == len(titles)


@pytest.mark.parametrize("name", dashboards.NAMES)
def test_variables_are_defined_and_used(name):
    dashboard = dashboards.load(name)
    defined = {variable["name"] for variable in dashboard["templating"]["list"]}
    text = " ".join(expression for _, expression in dashboards.queries(dashboard))
    assert set(re.findall(r"\$(\w+)", text)) - {"__rate_interval"} == defined - {"datasource"}


@pytest.mark.parametrize("name", dashboards.NAMES)
def test_dashboards_ask_for_metrics_that_there_are(name):
    text = "\n".join(expression for _, expression in dashboards.queries(dashboards.load(name)))
    assert names_in(text) - names_there_are() == set()


@pytest.mark.parametrize("file", ["tandem.rules.yml", "tandem.alerts.yml"])
def test_rules_ask_for_metrics_that_there_are(file):
    text = re.sub(r"^ *(#|summary|description).*$", "", (PROMETHEUS / file).read_text(), flags=re.M)
    assert names_in(text) - names_there_are() == set()


def test_every_metric_is_on_a_dashboard():
    shown = names_in("\n".join(expression for name in dashboards.NAMES
                               for _, expression in dashboards.queries(dashboards.load(name))))
    rules = (PROMETHEUS / "tandem.rules.yml").read_text()
    recorded = re.findall(r"- record: (\S+)\n +expr: (.*?)(?=\n +- |\n\n|\Z)", rules, re.S)
    # What is shown may be computed from what was computed before it in the file.
    for record, expression in reversed(recorded):
        if record in shown:
            shown |= names_in(expression)
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    documented = set(re.findall(r"^\| `(\w+)`", (tandemd.ROOT / "docs/metrics.md").read_text(), re.M))
    # What a kernel reserved for a process says nothing about what it uses; samples are collected once in a model's life.
    not_drawn = {"process_virtual_memory_bytes", "tandem_traffic_samples", "tandem_traffic_requests"}
    assert documented - families - shown == not_drawn
