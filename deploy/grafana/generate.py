#!/usr/bin/env python3
"""Writes dashboards/*.json, which Grafana reads, from dashboards.py. Run it after a change there; a test compares."""
import json
import pathlib

import dashboards

FOLDER = pathlib.Path(__file__).parent / "dashboards"


def rendered():
    """-> the text of each file by its name."""
    return {f"{name}.json": json.dumps(make(), indent=2) + "\n" for name, make in dashboards.ALL.items()}


if __name__ == "__main__":
    for file, text in rendered().items():
        (FOLDER / file).write_text(text)
