"""Reads the dashboards of deploy/grafana as Grafana does: variables are filled in, queries are found."""
import json
import re

import tandemd

FOLDER = tandemd.ROOT / "deploy/grafana/dashboards"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def load(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def fill(expression, values, interval="10s"):
    """`expression` with Grafana's variables replaced; of several values, a regular expression."""
    builtin = {"__rate_interval": interval, "__interval": interval}
    return re.sub(r"\$\{?(\w+)\}?", lambda match: {**builtin, **values}[match[1]], expression)


def queries(dashboard):
    """-> (title, expression) of every query of a panel or an annotation."""
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def variables(dashboard):
    """-> name, metric with its selector and label of each variable that is asked for."""
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], *re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
