"""The references in docs/ name what the server has, and nothing else."""
import re
import subprocess
import urllib.request

import pytest

import tandemd

MODEL = tandemd.ROOT / "demo/fashion_mnist/model.onnx"


def documented(page, pattern):
    return set(re.findall(pattern, (tandemd.ROOT / "docs" / page).read_text(encoding="utf8"), re.M))


@pytest.fixture(scope="module")
def exposition():
    with tandemd.running(MODEL) as server:
        with urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10) as answer:
            yield answer.read().decode()


def test_every_metric_is_in_the_reference(exposition):
    families = set(re.findall(r"^# TYPE (\w+)", exposition, re.M))
    # A family without a value yet may be missing from the exposition, but not the other way round.
    assert families - documented("metrics.md", r"^\| `(\w+)`") == set()


def test_the_reference_has_no_metric_that_is_not_there(exposition):
    names = set(re.findall(r"^# (?:TYPE|HELP) (\w+)", exposition, re.M))
    # Only once a request was refused, or a load failed.
    unseen = {"tandem_refused_requests_total", "tandem_version_load_failures_total"}
    assert documented("metrics.md", r"^\| `(\w+)`") - names - unseen == set()


def test_every_option_is_in_the_reference():
    shown = subprocess.run([tandemd.BINARIES / "tandemd", "--help"], capture_output=True, text=True, check=True).stdout
    options = set(re.findall(r"^ +(?:-\w,)?(--[\w-]+)", shown, re.M))
    assert options == documented("operations.md", r"(?<=[|,] )`(--[\w-]+)")
