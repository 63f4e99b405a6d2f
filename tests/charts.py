"""The Helm chart for tests: rendering it, and finding what was rendered."""
import functools
import shutil
import subprocess

import pytest
import yaml

import tandemd

CHART = tandemd.ROOT / "deploy/helm/tandem"
VALUES = CHART / "ci"
HELM = next(filter(None, (shutil.which(str(tandemd.ROOT / ".deps/go/bin/helm")), shutil.which("helm"))), None)
KUBERNETES = ("1.25", "1.37")  # the oldest and the newest that the chart is held to

needs_helm = pytest.mark.skipif(HELM is None, reason="helm is not here: scripts/setup compiles it")


def helm(*arguments):
    return subprocess.run([HELM, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)


def template(*arguments):
    """Helm that was compiled by hand takes every cluster for an old one, unless it is told."""
    return helm("template", "tandem", CHART, "--namespace", "tandem", "--kube-version", KUBERNETES[0], *arguments)


@functools.cache
def render(*arguments):
    done = template(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(text):
    return [document for document in yaml.safe_load_all(text) if document]


def one(documents, kind, name=None):
    found = [d for d in documents if d["kind"] == kind and name in (None, d["metadata"]["name"])]
    assert len(found) == 1, (kind, name, len(found))
    return found[0]
