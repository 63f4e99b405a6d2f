"""The compose file against its specification, and what it mounts against what is here."""
import re
import shutil
import subprocess
import sys

import pytest
import yaml

import tandemd

COMPOSE = tandemd.ROOT / "deploy/compose"


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((COMPOSE / "compose.yaml").read_text())


def test_it_is_as_the_specification_says():
    checked = subprocess.run([sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec",
                              COMPOSE / "compose.yaml"], capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_is_mounted_is_here(compose):
    for service in compose["services"].values():
        for volume in service["volumes"]:
            source = re.sub(r"\$\{.*\}", "$", volume).split(":")[0]
            if source.startswith("."):
                assert (COMPOSE / source).exists(), volume
            elif source != "$":
                assert source in compose["volumes"], volume


def test_only_this_machine_can_reach_it_and_nothing_has_rights(compose):
    for service in compose["services"].values():
        assert service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_prometheus_scrapes_the_server(compose):
    config = yaml.safe_load((COMPOSE / "prometheus.yml").read_text())
    targets = {target.split(":")[0] for job in config["scrape_configs"] for static in job["static_configs"]
               for target in static["targets"]}
    assert targets <= set(compose["services"])
    source = yaml.safe_load((tandemd.ROOT / "deploy/grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"][0]
    assert re.fullmatch(r"http://(\w+):9090", source["url"]).group(1) in compose["services"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here (package prometheus)")
def test_prometheus_takes_its_configuration(tmp_path):
    # As it is laid out in the container.
    shutil.copy(COMPOSE / "prometheus.yml", tmp_path)
    shutil.copytree(tandemd.ROOT / "deploy/prometheus", tmp_path / "tandem", dirs_exist_ok=True)
    checked = subprocess.run(["promtool", "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True,
                             check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr
