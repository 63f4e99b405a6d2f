#!/usr/bin/env python3
"""Draws docs/images/dashboard_*.png: the dashboards of deploy/grafana over a server under load for two minutes.

    draw_dashboards.py [FOLDER]

Each panel lies where Grafana puts it and shows what Prometheus answers to its queries. Needs matplotlib
(scripts/setup --pictures, then .deps/pictures/bin/python) besides what the tests need.
"""
import io
import math
import pathlib
import re
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).parents[1]), str(pathlib.Path(__file__).parents[2] / "demo")]

import matplotlib  # noqa: E402
matplotlib.use("Agg")
import matplotlib.ticker  # noqa: E402
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import PIL.Image  # noqa: E402

import dashboards  # noqa: E402
import observed  # noqa: E402
from small_models import until  # noqa: E402

SECONDS = 120
WIDTH, ROW = 15.0, 0.33  # inches: of the picture, of a row of Grafana's grid
BACK, PANEL, INK, FAINT = "#111217", "#181b1f", "#d8d9da", "#8e8e93"
COLORS = ["#73bf69", "#f2cc0c", "#5794f2", "#ff780a", "#b877d9", "#f2495c", "#8ab8ff", "#96d98d", "#fade2a", "#ffa6b0"]
NAMED = {"green": "#73bf69", "yellow": "#f2cc0c", "red": "#f2495c", "text": INK, "blue": "#5794f2", "purple": "#b877d9"}


def written(value, unit, decimals=None):
    """A number as a panel with this unit shows it."""
    if not math.isfinite(value):
        return "-"
    if unit == "percentunit":
        return f"{100 * value:.3g}%" if decimals is None else f"{100 * value:.{decimals}f}%"
    if unit == "s":
        scale, name = next((pair for pair in ((1, "s"), (1e-3, "ms")) if abs(value) >= pair[0]), (1e-6, "µs"))
        return f"{value / scale:.3g} {name}"
    if unit == "bytes":
        return f"{value / 2**30:.2f} GiB" if value >= 2**30 else f"{value / 2**20:.3g} MiB"
    text = f"{value:.{decimals}f}" if decimals is not None else f"{value:.4g}"
    return {"reqps": f"{value:.3g} req/s", "suffix:x": f"{text}x"}.get(unit, text)


def legend_of(target, labels):
    text = re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), target["legendFormat"])
    return " ".join(text.split())


class Painter:
    """Draws the panels of one dashboard with what Prometheus knows between two times."""

    def __init__(self, prometheus, dashboard, values, start, end):
        self._prometheus, self._dashboard, self._values = prometheus, dashboard, values
        self._start, self._end = start, end

    def _curves(self, expression):
        return self._prometheus.over(dashboards.fill(expression, self._values), self._start, self._end)

    def _all(self, panel):
        """-> (legend, times from the start, values) of every curve of a panel."""
        for target in panel["targets"]:
            for labels, points in sorted(self._curves(target["expr"]), key=lambda curve: sorted(curve[0].items())):
                times, values = np.array(points).T
                yield legend_of(target, labels), times - self._start, values

    def _stat(self, axes, panel):
        axes.axis("off")
        defaults = panel["fieldConfig"]["defaults"]
        if panel["options"]["textMode"] == "name":
            target, = panel["targets"]
            found = self._prometheus.now(dashboards.fill(target["expr"], self._values))
            text, value = ", ".join(legend_of(target, labels) for labels, _ in found) or "-", math.nan
        else:
            curves = list(self._all(panel))
            value = curves[0][2][-1] if curves else math.nan
            text = written(value, defaults["unit"], defaults.get("decimals"))
        limits = defaults["thresholds"]["steps"]
        color = [limit["color"] for limit in limits if limit["value"] is None or value >= limit["value"]][-1]
        axes.text(0.5, 0.42, text, ha="center", va="center", fontsize=17, color=NAMED[color], transform=axes.transAxes)

    def _lines(self, axes, panel):
        defaults = panel["fieldConfig"]["defaults"]
        unit, custom = defaults["unit"], defaults["custom"]
        curves = list(self._all(panel))
        below = np.zeros(int(self._end - self._start) + 2)
        for i, (name, times, values) in enumerate(curves):
            color = COLORS[i % len(COLORS)]
            label = f"{name}  {written(values[-1], unit)}"
            if custom["stacking"]["mode"] == "normal":
                at = np.rint(times).astype(int)
                top = below.copy()
                top[at] += np.nan_to_num(values)
                axes.fill_between(at, below[at], top[at], color=color, alpha=0.45, linewidth=0)
                axes.plot(at, top[at], color=color, linewidth=1, label=label)
                below = top
            else:
                axes.plot(times, values, color=color, linewidth=1, label=label)
        if custom["scaleDistribution"]["type"] == "log":
            axes.set_yscale("log")
            axes.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
        elif "min" in defaults:
            axes.set_ylim(bottom=defaults["min"])
        if "max" in defaults:
            axes.set_ylim(top=defaults["max"] + 0.03 * (defaults["max"] - axes.get_ylim()[0]))
        axes.yaxis.set_major_formatter(lambda value, _: written(value, unit))
        if custom["thresholdsStyle"]["mode"] == "dashed":
            for limit in defaults["thresholds"]["steps"][1:]:
                axes.axhline(limit["value"], color=NAMED[limit["color"]], linestyle="--", linewidth=0.8)
        if curves:
            axes.legend(loc="center left", bbox_to_anchor=(1.005, 0.5), fontsize=6, frameon=False, labelcolor=INK,
                        handlelength=1)

    def _states(self, axes, panel):
        curves = list(self._all(panel))
        for row, (_, times, values) in enumerate(curves):
            for time_, value in zip(times, values):
                axes.barh(-row, 1.05, left=time_, height=0.7, color=NAMED["green" if value else "red"], linewidth=0)
        axes.set_yticks([-row for row in range(len(curves))], [name for name, *_ in curves])
        axes.set_ylim(0.6 - max(len(curves), 5), 0.6)
        axes.grid(False)

    def _heatmap(self, axes, panel):
        target, = panel["targets"]
        curves = sorted(((float(labels["le"]), points) for labels, points in self._curves(target["expr"])))
        counts = np.diff(np.nan_to_num([[value for _, value in points] for _, points in curves]), axis=0, prepend=0)
        shown = np.flatnonzero(counts.sum(axis=1) > 0)
        first, last = shown[0], shown[-1] + 1
        axes.imshow(np.sqrt(np.maximum(counts[first:last], 0)), aspect="auto", origin="lower", cmap="inferno",
                    extent=(0, self._end - self._start, 0, last - first), interpolation="nearest")
        axes.set_yticks(np.arange(1, last - first + 1), [written(bound, "s") for bound, _ in curves[first:last]])
        axes.grid(False)

    def _table(self, axes, panel):
        axes.axis("off")
        columns, rows = [target["legendFormat"] for target in panel["targets"]], {}
        for column, target in enumerate(panel["targets"]):
            unit = panel["fieldConfig"]["overrides"][column]["properties"][0]["value"]
            for labels, value in self._prometheus.now(dashboards.fill(target["expr"], self._values)):
                rows.setdefault(labels["model"], ["-"] * len(columns))[column] = written(value, unit)
        drawn = axes.table([[model, *rows[model]] for model in sorted(rows)], colLabels=["model", *columns],
                           loc="upper center", cellLoc="left", edges="horizontal")
        drawn.scale(1, 1.4)
        for cell in drawn.get_celld().values():
            cell.get_text().set_color(INK)
            cell.get_text().set_fontsize(8)
            cell.set_edgecolor("#34373d")

    def _events(self, axes):
        """Annotations: where their expression has a value that it had not a moment before."""
        for annotation in self._dashboard["annotations"]["list"]:
            for _, points in self._curves(annotation["expr"]):
                axes.axvline(points[0][0] - self._start, color=NAMED[annotation["iconColor"]], linewidth=0.9,
                             linestyle=":")

    def _frame(self, figure, panel, height):
        """-> the axes of a panel, where Grafana puts it, under its title."""
        place, kind = panel["gridPos"], panel["type"]
        left, width = place["x"] / 24 + 0.003, place["w"] / 24 - 0.006
        top, tall = 1 - (place["y"] + 1.6) * ROW / height, (place["h"] - 0.2) * ROW / height
        figure.add_artist(plt.Rectangle((left, top - tall), width, tall, color=PANEL, zorder=-1))
        figure.text(left + 0.005, top - 0.65 * ROW / height, panel["title"], color=INK, fontsize=8, va="center")
        start, share = {"stat": (0.01, 0.98), "table": (0.01, 0.98), "timeseries": (0.09, 0.6)}.get(kind, (0.22, 0.75))
        axes = figure.add_axes((left + start * width, top - tall + 0.9 * ROW / height, share * width,
                                tall - 2.1 * ROW / height), facecolor=PANEL)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.tick_params(colors=FAINT, labelsize=6, length=0)
        axes.grid(color="#2c2f34", linewidth=0.5)
        if kind not in ("stat", "table"):
            axes.set_xlim(0, self._end - self._start)
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f} s")
        return axes

    def draw(self, file):
        panels = self._dashboard["panels"]
        rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
        height = (rows + 1.6) * ROW
        figure = plt.figure(figsize=(WIDTH, height), facecolor=BACK)
        line = 1 - 0.9 * ROW / height
        figure.text(0.006, line, self._dashboard["title"], color=INK, fontsize=12, va="center")
        asked = {variable["name"] for variable in self._dashboard["templating"]["list"]}
        shown = f"model {self._values['model']}, {SECONDS} seconds" if "model" in asked else f"{SECONDS} seconds"
        figure.text(0.994, line, shown, color=FAINT, fontsize=9, va="center", ha="right")
        kinds = {"stat": self._stat, "timeseries": self._lines, "state-timeline": self._states,
                 "heatmap": self._heatmap, "table": self._table}
        for panel in panels:
            axes = self._frame(figure, panel, height)
            kinds[panel["type"]](axes, panel)
            if panel["type"] == "timeseries":
                self._events(axes)
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=75, facecolor=BACK)
        plt.close(figure)
        PIL.Image.open(drawn).convert("RGB").quantize(96, dither=PIL.Image.Dither.NONE).save(file, optimize=True)


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else dashboards.tandemd.ROOT / "docs/images")
    if observed.missing():
        sys.exit(f"{observed.missing()} is not here")
    with tempfile.TemporaryDirectory() as work, observed.observed(pathlib.Path(work), at_once=False) as scene:
        for share, step in ((0.25, observed.promote), (0.45, observed.demote), (0.6, observed.swap),
                            (0.8, observed.fail)):
            until(lambda: time.time() > scene.since + share * SECONDS, "the next step")
            step(scene)
        until(lambda: time.time() > scene.since + SECONDS, "the end")
        for name in dashboards.NAMES:
            values = {"job": ".*", "instance": ".*", "version": ".*", "model": "fashion_mnist"}
            Painter(scene.prometheus, dashboards.load(name), values, scene.since,
                    scene.since + SECONDS).draw(folder / f"dashboard_{name}.png")


if __name__ == "__main__":
    main()
