"""What the image's build relies on: the packages that programs need, and the list of what is in it."""
import json
import os
import re
import shutil
import subprocess

import pytest

import tandemd

DOCKER = tandemd.ROOT / "deploy/docker"

pytestmark = pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="needs dpkg")


def run(program, *arguments, **environment):
    return subprocess.run([DOCKER / program, *arguments], capture_output=True, text=True, check=False,
                          env={**os.environ, **environment})


def test_packages_of_a_program_are_named():
    done = run("runtime_packages", "/bin/bash")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["libc6", "libtinfo6"]


def test_a_library_without_a_package_is_named(tmp_path):
    linked = subprocess.run(["ldd", "/bin/bash"], capture_output=True, text=True, check=True).stdout
    library = re.search(r"(libtinfo\S+) => (\S+)", linked)
    shutil.copy(library.group(2), tmp_path / library.group(1))
    done = run("runtime_packages", "/bin/bash", LD_LIBRARY_PATH=str(tmp_path))
    assert done.returncode == 1
    assert f"{tmp_path}/{library.group(1)} belongs to no package" in done.stderr


def test_a_program_that_is_not_there_is_an_error(tmp_path):
    assert run("runtime_packages", tmp_path / "nothing").returncode == 1
    assert run("runtime_packages").returncode == 1


def test_the_list_of_parts_is_spdx():
    done = run("sbom", "1.2.3", SOURCE_DATE_EPOCH="0")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["spdxVersion"] == "SPDX-2.3" and document["creationInfo"]["created"] == "1970-01-01T00:00:00Z"
    names = [package["name"] for package in document["packages"]]
    assert names[0] == "tandem" and {"bash", "libc6"} <= set(names)
    identifiers = [package["SPDXID"] for package in document["packages"]]
    assert len(set(identifiers)) == len(identifiers)
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", identifier) for identifier in identifiers)
    related = {relation["relatedSpdxElement"] for relation in document["relationships"]}
    assert related == set(identifiers)
    assert done.stdout == run("sbom", "1.2.3", SOURCE_DATE_EPOCH="0").stdout


def test_the_image_is_built_from_sources_alone():
    ignored = (tandemd.ROOT / ".dockerignore").read_text().split()
    assert {".git", ".deps", "build"} <= set(ignored)
