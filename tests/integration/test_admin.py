"""The admin port and tandemctl: what operators do by hand, who may, and what survives."""
import os
import random
import re
import signal
import subprocess
import threading
import time
import urllib.request

import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

import tandemd
from small_models import add_constant, add_constant_int8, tensor, until
from tandemctl import Tandemctl

ONES = np.ones((1, 2), np.float32)
TOKEN = "0123456789abcdef"


@pytest.fixture(scope="module", autouse=True)
def built():
    if not (tandemd.BINARIES / "tandemctl").exists():
        pytest.skip("tandemctl was not built")


@pytest.fixture
def repository(tmp_path):
    """Model m answers x + 10 in fp32, and x + 20 in a ready-made int8, whose verdict is inconclusive."""
    folder = tmp_path / "repository"
    add_constant(folder / "m/1/model.onnx", 10)
    add_constant_int8(folder / "m/1/int8/model.onnx", 20)
    return folder


@pytest.fixture
def serve(repository, tmp_path):
    """Starts servers that share one state folder, one after the other."""
    def start(*arguments):
        return tandemd.running("--model-repository", repository, "--poll-interval", "20ms", "--state-dir",
                               tmp_path / "state", *arguments)
    return start


def metrics(server):
    return urllib.request.urlopen(f"http://{server.http}/metrics", timeout=10).read().decode()


def answer(server, variant=None):
    with triton.InferenceServerClient(server.grpc) as client:
        result = client.infer("m", [tensor("x", ONES)], parameters={"variant": variant} if variant else None)
        return float(result.as_numpy("y")[0, 0]) - 1


def int8_of(ctl):
    versions = ctl.json("models", "status", "m")["model"]["versions"]
    return next((variant for variant in versions[-1]["variants"] if variant["name"] == "int8"), {})


def wait_for_int8(ctl):
    """It joins soon after fp32 serves."""
    until(lambda: int8_of(ctl).get("loaded"), "int8")


def route_of(ctl):
    return ctl.json("route", "show", "m")["route"]


def test_what_is_loaded_is_listed(serve):
    with serve() as server:
        ctl = Tandemctl(server.admin)
        wait_for_int8(ctl)
        header, row = ctl.text("models", "list").splitlines()
        assert header.split() == ["MODEL", "VERSION", "STATE", "ROUTE", "ANSWERS", "INT8", "REASON"]
        assert re.match(r"m +1 +published +auto \(shadow 5 %\) +fp32 +inconclusive", row)
        model, = ctl.json("models", "list")["models"]
        assert (model["name"], model["serving_version"]) == ("m", "1")
        fp32, int8 = ctl.json("models", "status", "m")["model"]["versions"][0]["variants"]
        assert (fp32["state"], int8["state"], int8["loaded"]) == ("published", "inconclusive", True)
        assert "version 1 is published, answers in fp32" in ctl.text("models", "status", "m")
        assert ctl.refused("models", "status", "k") == 'unknown model "k"'


def test_routes_are_overridden_and_cleared(serve, repository):
    with serve() as server:
        ctl = Tandemctl(server.admin)
        wait_for_int8(ctl)
        assert answer(server) == 10
        ctl.text("route", "set", "m", "int8", "--why", "a trial")
        assert answer(server) == 20
        override = route_of(ctl)["override"]
        assert override["route"]["mode"] == "int8" and override["author"]["why"] == "a trial"
        assert "@" in override["author"]["who"] and override["author"]["when"]
        assert "config.yaml has auto" in ctl.text("route", "show", "m")
        (repository / "m/config.yaml").write_text("route: {mode: fp32, shadow_rate: 1%}\n")
        until(lambda: route_of(ctl)["desired"]["mode"] == "fp32", "the look at config.yaml")
        assert answer(server) == 20
        assert ctl.json("route", "clear", "m")["route"]["effective"]["mode"] == "fp32"
        assert answer(server) == 10
        assert "no route but that of its config.yaml" in ctl.refused("route", "clear", "m")
        set_route = ctl.json("route", "set", "m", "split", "--weight", "int8=25%")["route"]
        assert set_route["effective"] == {"mode": "split", "weights": {"fp32": 0.75, "int8": 0.25},
                                          "shadow_rate": 0.01, "candidate_version": "0"}
        kinds = [event["kind"] for event in ctl.json("history", "m")["events"]]
        assert kinds[:3] == ["route", "clear_route", "route"]


@pytest.mark.parametrize("arguments, code, reason", (
    (("k", "fp32"), 1, 'unknown model "k"'),
    (("m", "int4"), 2, "int4 not in"),
    (("m", "split", "--weight", "int8=0.5", "--weight", "fp32=0.6"), 1, "together they must be 1, not 1.1"),
    (("m", "split", "--weight", "bf16=0.5"), 1, 'there is no variant "bf16"'),
    (("m", "split", "--weight", "int8=2"), 2, "expected a share"),
    (("m", "shadow", "--shadow-rate", "many"), 2, "--shadow-rate: expected a share"),
))
def test_what_is_no_route_is_refused(admin, arguments, code, reason):
    assert reason in admin.refused("route", "set", *arguments, code=code)
    assert "override" not in route_of(admin)


@pytest.fixture(scope="module")
def admin(tmp_path_factory):
    """Of a server that a test leaves as it was."""
    model = add_constant(tmp_path_factory.mktemp("admin") / "m.onnx", 1)
    with tandemd.running(model) as server:
        yield Tandemctl(server.admin)


def test_shells_complete_commands_and_options(admin):
    def completed(*words):
        script = admin.text("completion", "bash") + (
            f"COMP_WORDS=({' '.join(words)} '')\nCOMP_CWORD={len(words)}\n_tandemctl\necho ${{COMPREPLY[@]}}\n")
        shell = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
        return shell.stdout.split()

    assert {"models", "route", "--address"} <= set(completed("tandemctl"))
    assert {"list", "status", "load", "unload"} <= set(completed("tandemctl", "--output", "json", "models"))
    assert {"--weight", "--why", "--output", "--tls-ca"} <= set(completed("tandemctl", "route", "set", "m"))
    assert "bashcompinit" in admin.text("completion", "zsh")
    assert "__fish_seen_subcommand_from models" in admin.text("completion", "fish")


def test_usage_and_unreachable_servers_have_exit_codes_of_their_own(admin):
    assert admin.refused(code=2) == "A subcommand is required"
    assert admin.refused("route", "show", code=2) == "MODEL is required"
    assert admin.refused("models", "list", "--output", "xml", code=2).startswith("--output: ")
    assert Tandemctl("127.0.0.1:1").refused("models", "list").startswith("cannot reach 127.0.0.1:1 (--address): ")
    assert "EXIT STATUS" in admin.text("--help") and admin.text("--version").startswith("tandemctl ")


def test_what_was_unloaded_by_hand_stays_away_until_it_is_loaded(serve, repository):
    with serve() as server:
        ctl = Tandemctl(server.admin)
        ctl.text("models", "unload", "m", "--why", "maintenance")
        with pytest.raises(InferenceServerException, match="unloaded by request"):
            answer(server)
        add_constant(repository / "m/2/model.onnx", 30)
    with serve("--strict-readiness") as server:  # which does not wait for it
        ctl = Tandemctl(server.admin)
        assert ctl.json("models", "status", "m")["model"]["versions"][0]["state"] == "unloaded"
        assert ctl.json("models", "load", "m")["model"]["serving_version"] == "2"
        assert answer(server) == 30
        assert "is in no repository" in ctl.refused("models", "load", "k")
    with serve() as server:
        assert answer(server) == 30


def test_a_rollback_stays_until_it_is_undone(serve, repository):
    add_constant(repository / "m/2/model.onnx", 30)
    with serve() as server:
        ctl = Tandemctl(server.admin)
        assert answer(server) == 30
        assert "version 1 answers" in ctl.text("rollback", "m", "--why", "worse")
        assert answer(server) == 10
        assert ctl.json("history", "--kind", "rollback")["events"][0]["version"] == "1"
        ctl.refused("rollback", "m")  # there is none before it
        ctl.refused("rollback", "m", "--to", "7")
    with serve() as server:
        assert answer(server) == 10
        assert Tandemctl(server.admin).json("models", "load", "m")["model"]["serving_version"] == "2"
        assert answer(server) == 30


def test_a_rollback_waits_for_what_is_still_in_use(serve, repository):
    # A request waits for company that never comes, and holds its version meanwhile.
    (repository / "m/config.yaml").write_text("keep_previous: 0\nmax_delay: 2s\nmax_batch_size: 64\n")
    with serve() as server, triton.InferenceServerClient(server.grpc) as client:
        ctl = Tandemctl(server.admin)
        states = lambda: {v["number"]: v["state"] for v in ctl.json("models", "status", "m")["model"]["versions"]}
        client.async_infer("m", [tensor("x", ONES)], lambda result, error: None, parameters={"variant": "fp32"})
        until(lambda: "tandem_requests_in_flight 1" in metrics(server), "its arrival")
        add_constant(repository / "new/model.onnx", 30)
        (repository / "new").rename(repository / "m/2")
        ctl.text("models", "load", "m")
        assert states()["1"] == "draining"
        assert "version 1 answers" in ctl.text("rollback", "m", "--to", "1")
        assert answer(server) == 10


def test_overrides_survive_restarts_and_wait_for_their_model(serve, repository):
    with serve() as server:
        Tandemctl(server.admin).text("route", "set", "m", "int8")
    os.rename(repository / "m", repository.parent / "m")
    with serve() as server:
        ctl = Tandemctl(server.admin)
        assert route_of(ctl)["effective"]["mode"] == "int8"
        os.rename(repository.parent / "m", repository / "m")
        ctl.text("models", "load", "m")
        wait_for_int8(ctl)
        assert answer(server) == 20


def test_a_second_server_and_an_older_one_keep_off_the_state(serve, repository, tmp_path):
    with serve():
        with pytest.raises(RuntimeError, match=r"state is in use by another tandemd, process \d+"), serve():
            pass
    subprocess.run([".deps/tests/bin/python", "-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1])"
                    ".execute('PRAGMA user_version = 99')", tmp_path / "state/state.db"], cwd=tandemd.ROOT, check=True)
    with pytest.raises(RuntimeError, match="state.db: it has format 99, which a newer Tandem wrote"), serve():
        pass


def test_without_a_state_folder_it_serves_and_refuses_what_would_be_forgotten(serve, tmp_path):
    (tmp_path / "state").write_text("a file")
    with serve() as server:
        ctl = Tandemctl(server.admin)
        assert "no state is kept" in server.log.read_text()
        assert "this server keeps no state" in ctl.refused("route", "set", "m", "int8")
        assert answer(server) == 10
        ctl.text("models", "unload", "m")
        ctl.text("models", "load", "m")
        assert answer(server) == 10


def test_a_token_is_asked_for_where_there_is_one(serve, tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")
    with serve("--admin-token-file", tmp_path / "token") as server:
        assert "asks for a token" in Tandemctl(server.admin).refused("models", "list")
        assert "not the token" in Tandemctl(server.admin, "another token").refused("route", "set", "m", "fp32")
        assert Tandemctl(server.admin, TOKEN).json("models", "list")["models"]
    (tmp_path / "token").write_text("short")
    with pytest.raises(RuntimeError, match="16 characters at least"), serve("--admin-token-file", tmp_path / "token"):
        pass


def test_other_hosts_are_kept_out_without_a_token():
    started = subprocess.run([tandemd.BINARIES / "tandemd", tandemd.ROOT / "demo/fashion_mnist/model.onnx",
                              "--admin-address", "0.0.0.0:0"], capture_output=True, text=True, check=False)
    assert started.returncode == 2 and "give an --admin-token-file" in started.stderr


def test_what_was_acknowledged_survives_kill_9(repository, tmp_path):
    """Short by default; TANDEM_SOAK_SECONDS makes it go on."""
    rng = random.Random(7)
    end = time.monotonic() + float(os.environ.get("TANDEM_SOAK_SECONDS", 0))
    possible, rounds, both = set(), 0, 0  # weights that may be found
    while rounds < 10 or time.monotonic() < end:
        rounds += 1
        with pytest.raises(RuntimeError, match="ended with -9"), tandemd.running(
                "--model-repository", repository, "--state-dir", tmp_path / "state") as server:
            ctl = Tandemctl(server.admin)
            if possible:
                assert route_of(ctl)["override"]["route"]["weights"]["int8"] in possible, f"round {rounds}"
            *acknowledged, last = [round(rng.random(), 6) for _ in range(rng.randrange(2, 5))]
            for weight in acknowledged:
                ctl.text("route", "set", "m", "split", "--weight", f"int8={weight}")
            setting = ctl.start("route", "set", "m", "split", "--weight", f"int8={last}")
            threading.Event().wait(rng.uniform(0, 0.04))  # into the middle of it, or not
            server.process.send_signal(signal.SIGKILL)
            setting.communicate(timeout=60)
            possible = {last} if setting.returncode == 0 else {last, acknowledged[-1]}
            both += len(possible) == 2
            server.process.wait(60)
    print(f"{rounds} kills, {both} of them before the last change was acknowledged")


def test_a_bench_times_both_variants(serve):
    with serve() as server:
        ctl = Tandemctl(server.admin)
        wait_for_int8(ctl)
        told = ctl.json("bench", "m", "--grpc-address", server.grpc, "--seconds", "1", "--clients", "2")
        assert set(told) == {"fp32", "int8"}
        for result in told.values():
            assert result["requests"] > 10 and result["failed"] == 0
            assert 0 < result["p50_ms"] <= result["p99_ms"] <= result["max_ms"]
        header, row = ctl.text("bench", "m", "--grpc-address", server.grpc, "--seconds", "1", "--variant", "int8",
                               "--shape", "x:5,2").splitlines()
        assert header.split()[:2] == ["VARIANT", "REQUESTS/S"] and row.startswith("int8")
        assert 'unknown model "k"' in ctl.refused("bench", "k", "--grpc-address", server.grpc)
        assert "has no input" in ctl.refused("bench", "m", "--grpc-address", server.grpc, "--shape", "y:1")
        assert "expected shape" in ctl.refused("bench", "m", "--grpc-address", server.grpc, "--shape", "x:1,3",
                                               "--seconds", "1")
        assert "cannot reach 127.0.0.1:1 (--grpc-address)" in ctl.refused("bench", "m", "--grpc-address", "127.0.0.1:1")
