#!/usr/bin/env python3
"""Waits for a model's int8 sibling, sends every labelled test image to both variants and shows them side by side.

    compare.py --grpc HOST:PORT --tool build/bin/tandem-model --fp32 FILE --artifacts FOLDER [--clients N] [--images N]

Every request holds one image, as a service behind a web page would send it; first all go to fp32, then all to int8.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import threading
import time

import numpy as np

import client
from fashion_mnist import dataset

WAIT_SECONDS = 120
ROUNDS = 3  # of timing the engine, in turn


def parameters_of(grpc_client, model):
    parameters = grpc_client.get_model_config(model).config.parameters
    return {key: parameters[key].string_value for key in parameters}


def wait_for_int8(address, model):
    """Polls until the sibling's life has come to an end -> what the server tells of it."""
    import tritonclient.grpc as grpcclient

    deadline = time.monotonic() + WAIT_SECONDS
    with grpcclient.InferenceServerClient(address) as grpc_client:
        while True:
            told = parameters_of(grpc_client, model)
            state = told.get("variant.int8.state", "absent")
            settled = state not in ("building", "built") and (state != "absent" or "variant.int8.reason" in told)
            if settled or time.monotonic() > deadline:
                return told
            if sys.stdout.isatty():
                share = float(told.get("variant.int8.done", 0))
                print(f"\r  building int8: {told.get('variant.int8.stage', 'waiting'):<10} {share:4.0%} ", end="",
                      flush=True)
            time.sleep(0.05)


def verdict_text(told):
    """What has become of the sibling, and why."""
    state, reason = told.get("variant.int8.state", "absent"), told.get("variant.int8.reason")
    return f"{state}: {reason}" if reason else state


def engine_ms(tool, files):
    """The fastest median of one image on one thread, over rounds that take turns -> one figure a file."""
    best = [float("inf")] * len(files)
    for _ in range(ROUNDS):
        for i, file in enumerate(files):
            shown = subprocess.run([tool, "bench", file, "--seconds", "0.3", "--output", "json"], capture_output=True,
                                   text=True, check=True).stdout
            best[i] = min(best[i], json.loads(shown.splitlines()[-1])["p50_ms"])
    return best


def send(args, variant, images):
    print(f"  {variant}")
    results, seconds = client.send_all(argparse.Namespace(**vars(args), variant=variant), images)
    return sorted(results), seconds


def show_table(files, runs, engine, labels):
    """runs: (results, seconds) one a variant, fp32 first."""
    latencies = [np.array([r[3] for r in results]) * 1e3 for results, _ in runs]
    hits = [sum(r[1] == labels[r[0]] for r in results) for results, _ in runs]
    count = len(labels)
    rows = [
        ("size", [f"{file.stat().st_size / 1e6:.2f} MB" for file in files],
         files[0].stat().st_size / files[-1].stat().st_size),
        ("accuracy", [f"{hit / count:.2%}" for hit in hits], None),
        ("engine, 1 image", [f"{ms:.3f} ms" for ms in engine], engine[0] / engine[-1]),
        ("request p50", [f"{np.percentile(ms, 50):.2f} ms" for ms in latencies],
         np.percentile(latencies[0], 50) / np.percentile(latencies[-1], 50)),
        ("request p99", [f"{np.percentile(ms, 99):.2f} ms" for ms in latencies],
         np.percentile(latencies[0], 99) / np.percentile(latencies[-1], 99)),
        ("throughput", [f"{count / seconds:.0f}/s" for _, seconds in runs], runs[0][1] / runs[-1][1]),
    ]
    print("\n" + " " * 18 + "".join(f"{name:>12}" for name in ("fp32", "int8")[:len(runs)]))
    for name, values, ratio in rows:
        gain = f"{ratio:11.2f} x" if ratio is not None and len(runs) > 1 else ""
        print(f"  {name:<16}" + "".join(f"{value:>12}" for value in values) + gain)
    if len(runs) == 1:
        return
    changed = [(a[1], b[1], labels[a[0]]) for a, b in zip(runs[0][0], runs[1][0]) if a[1] != b[1]]
    better = sum(b == label for _, b, label in changed)
    worse = sum(a == label for a, _, label in changed)
    print(f"\n  {len(changed)} of {count} images changed their answer: {better} to the right one, {worse} away from it, "
          f"{len(changed) - better - worse} from one mistake to another")


def main():
    parser = client.argument_parser(__doc__)
    parser.add_argument("--tool", type=pathlib.Path, required=True, help="tandem-model, to time the engine alone")
    parser.add_argument("--fp32", type=pathlib.Path, required=True, help="the original's file")
    parser.add_argument("--artifacts", type=pathlib.Path, required=True, help="where the server keeps what it built")
    args = parser.parse_args()

    images, labels = dataset.load("t10k")
    images, labels = images[:args.images], labels[:args.images]
    started = time.monotonic()
    told = wait_for_int8(args.grpc, args.model)
    print(f"\r  int8 after {time.monotonic() - started:.1f} s: {verdict_text(told)}")
    variants = told.get("variants", "fp32").split(",")
    files = [args.fp32] + (list(args.artifacts.glob("*/model.onnx"))[:1] if "int8" in variants else [])
    engine = engine_ms(args.tool, files)
    print(f"Sending {len(images)} labelled test images from {args.clients} clients to {args.model} at {args.grpc}")
    try:
        runs = [send(args, variant, images) for variant in variants]
    except (RuntimeError, threading.BrokenBarrierError) as error:
        sys.exit(f"compare: {error or 'the client processes did not start'}")
    client.show_images(runs[0][0], images, labels)
    show_table(files, runs, engine, labels)
    if args.http:
        print()
        client.show_metrics(args.http)


if __name__ == "__main__":
    main()
