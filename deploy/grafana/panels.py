"""Grafana's JSON (schema version 39), as far as Tandem's dashboards need it: panels, variables, annotations."""
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24  # columns of Grafana's grid

GREEN, YELLOW, RED = "green", "yellow", "red"


def query(expr, legend="", instant=False, form="time_series"):
    return {"expr": expr, "legendFormat": legend or "__auto", "instant": instant, "range": not instant, "format": form,
            "datasource": DATASOURCE}


def steps(*limits):
    """(colour, from this value on) ... -> thresholds; the first holds from the lowest value."""
    return {"mode": "absolute",
            "steps": [{"color": color, "value": None if i == 0 else value} for i, (color, value) in enumerate(limits)]}


def _panel(kind, title, description, queries, width, height, defaults, options):
    targets = [{**target, "refId": chr(ord("A") + i)} for i, target in enumerate(queries)]
    return {"type": kind, "title": title, "description": description, "datasource": DATASOURCE, "targets": targets,
            "gridPos": {"h": height, "w": width, "x": 0, "y": 0}, "options": options,
            "fieldConfig": {"defaults": defaults, "overrides": []}}


def stat(title, description, expr, unit="short", thresholds=None, decimals=None, legend="", width=4):
    """One number; or, with a legend, the names of the series that there are now, in its place."""
    defaults = {"unit": unit, "thresholds": thresholds or steps(("text", None)), "color": {"mode": "thresholds"},
                "noValue": "-"}
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "value",
               "graphMode": "none" if legend else "area", "textMode": "name" if legend else "value",
               "justifyMode": "auto", "orientation": "auto", "wideLayout": True, "showPercentChange": False,
               "percentChangeColorMode": "standard"}
    return _panel("stat", title, description, [query(expr, legend, instant=bool(legend))], width, 4, defaults, options)


def lines(title, description, unit, *queries, stacked=False, thresholds=None, low=0, high=None, log=False, width=12):
    """Curves over time. Thresholds are drawn as dashed lines."""
    custom = {"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "showPoints": "never",
              "spanNulls": False, "fillOpacity": 40 if stacked else 8,
              "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
              "scaleDistribution": {"type": "log", "log": 10} if log else {"type": "linear"},
              "thresholdsStyle": {"mode": "dashed" if thresholds else "off"}}
    defaults = {"unit": unit, "color": {"mode": "palette-classic"}, "custom": custom,
                "thresholds": thresholds or steps((GREEN, None))}
    if low is not None and not log:
        defaults["min"] = low
    if high is not None:
        defaults["max"] = high
    options = {"legend": {"displayMode": "table", "placement": "right", "calcs": ["mean", "lastNotNull"],
                          "showLegend": True},
               "tooltip": {"mode": "multi", "sort": "desc"}}
    return _panel("timeseries", title, description, queries, width, 8, defaults, options)


def states(title, description, *queries, width=12):
    """One bar a series, for as long as it is 1."""
    mapping = {"type": "value", "options": {"1": {"text": "yes", "color": GREEN, "index": 0},
                                            "0": {"text": "no", "color": "text", "index": 1}}}
    defaults = {"mappings": [mapping], "color": {"mode": "thresholds"}, "thresholds": steps((GREEN, None)),
                "custom": {"fillOpacity": 70, "lineWidth": 0}}
    options = {"mergeValues": True, "showValue": "never", "alignValue": "left", "rowHeight": 0.8,
               "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
               "tooltip": {"mode": "single", "sort": "none"}}
    return _panel("state-timeline", title, description, queries, width, 8, defaults, options)


def heatmap(title, description, expr, unit, width=12):
    """The buckets of a histogram over time."""
    defaults = {"custom": {"scaleDistribution": {"type": "linear"}}}
    options = {"calculate": False, "yAxis": {"unit": unit, "axisPlacement": "left"}, "rowsFrame": {"layout": "auto"},
               "color": {"mode": "scheme", "scheme": "Spectral", "steps": 64, "exponent": 0.5, "reverse": False,
                         "fill": "dark-orange"},
               "cellGap": 1, "showValue": "never", "exemplars": {"color": "rgba(255,0,255,0.7)"}, "filterValues": {"le": 1e-9}, "legend": {"show": True},
               "tooltip": {"mode": "single", "yHistogram": True, "showColorScale": True}}
    return _panel("heatmap", title, description, [query(expr, "{{le}}", form="heatmap")], width, 8, defaults, options)


def table(title, description, columns, width=24):
    """`columns`: (heading, unit, expression) of instant queries whose results share their labels, which come first."""
    queries = [query(expr, heading, instant=True, form="table") for heading, _, expr in columns]
    names = {f"Value #{chr(ord('A') + i)}": heading for i, (heading, _, _) in enumerate(columns)}
    panel = _panel("table", title, description, queries, width, 8,
                   {"custom": {"align": "auto", "filterable": True, "inspect": False}},
                   {"showHeader": True, "cellHeight": "sm", "frameIndex": 0})
    panel["fieldConfig"]["overrides"] = [
        {"matcher": {"id": "byName", "options": heading}, "properties": [{"id": "unit", "value": unit}]}
        for heading, unit, _ in columns]
    panel["transformations"] = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": {"Time": True}, "renameByName": names}}]
    return panel


def _datasource_variable():
    return {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "hide": 0,
            "regex": "", "includeAll": False, "multi": False, "options": [], "refresh": 1}


def variable(name, label, values, several):
    """Choices that are the values of a label: `values` is label_values(...)."""
    made = {"type": "query", "name": name, "label": label, "datasource": DATASOURCE, "definition": values, "hide": 0,
            "query": {"query": values, "refId": f"Variable-{name}", "qryType": 1}, "refresh": 2, "regex": "", "sort": 3,
            "includeAll": several, "multi": several, "options": []}
    if several:
        # Without a value of its own, "All" is the list of values: processes that are not Tandem's stay out.
        made["current"] = {"text": "All", "value": "$__all"}
    return made


def annotation(name, color, expr, text):
    return {"name": name, "datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": color, "expr": expr,
            "step": "15s", "titleFormat": text, "textFormat": "{{instance}}", "useValueForTime": False}


def _placed(panels):
    """Panels from left to right; the next line begins where the last one is full."""
    x = y = height = 0
    for number, panel in enumerate(panels, 1):
        place = panel["gridPos"]
        if x + place["w"] > WIDTH:
            x, y, height = 0, y + height, 0
        place |= {"x": x, "y": y}
        panel["id"] = number
        x, height = x + place["w"], max(height, place["h"])
    return panels


def dashboard(uid, title, description, variables, annotations, panels):
    links = {"type": "dashboards", "title": "Tandem", "tags": ["tandem"], "asDropdown": True, "icon": "external link",
             "includeVars": True, "keepTime": True, "targetBlank": False, "tooltip": "", "url": ""}
    return {"uid": uid, "title": title, "description": description, "tags": ["tandem"], "schemaVersion": 39,
            "version": 1, "editable": True, "graphTooltip": 1, "refresh": "30s", "timezone": "browser",
            "time": {"from": "now-1h", "to": "now"}, "timepicker": {}, "fiscalYearStartMonth": 0, "weekStart": "",
            "annotations": {"list": annotations}, "templating": {"list": [_datasource_variable(), *variables]},
            "links": [links], "panels": _placed(panels)}
