#!/usr/bin/env python3
"""Sends labelled images to a running Tandem from several gRPC clients at a time, and says how it went.

    client.py --grpc HOST:PORT [--http HOST:PORT] [--model NAME] [--variant fp32|int8] [--images N] [--clients N]

Every request holds one image, as a service behind a web page would send it.
"""
import argparse
import multiprocessing
import os
import queue
import sys
import threading
import time
import urllib.request

import numpy as np

import picture
from fashion_mnist import dataset

REPORT_EVERY = 25  # answers between two messages to the progress bar


def ask(client, grpcclient, args, images, indices, report):
    """One client: sends its images one after the other."""
    parameters = {"variant": args.variant} if args.variant else None
    results = []
    for index in indices:
        tensor = grpcclient.InferInput("pixels", [1, 1, 28, 28], "FP32")
        tensor.set_data_from_numpy(images[index].astype(np.float32).reshape(1, 1, 28, 28))
        start = time.perf_counter()
        answer = client.infer(args.model, [tensor], parameters=parameters)
        seconds = time.perf_counter() - start
        probabilities = answer.as_numpy("probabilities")[0]
        results.append((index, int(probabilities.argmax()), float(probabilities.max()), seconds))
        if len(results) == REPORT_EVERY:
            report(results)
            results = []
    report(results)


def client_process(args, images, shares, outbox, start):
    """A few clients, one thread and one connection each."""
    import tritonclient.grpc as grpcclient

    def run(client, indices):
        try:
            ask(client, grpcclient, args, images, indices, outbox.put)
        except Exception as error:  # reported by the parent, whatever it is
            outbox.put(f"{type(error).__name__}: {error}")

    # A connection of its own for each client: without this argument, gRPC would share one.
    clients = [grpcclient.InferenceServerClient(args.grpc, channel_args=[("grpc.use_local_subchannel_pool", 1)])
               for _ in shares]
    threads = [threading.Thread(target=run, args=pair) for pair in zip(clients, shares)]
    start.wait()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def show_progress(done, total, started):
    width = 30
    filled = width * done // total
    rate = done / max(time.perf_counter() - started, 1e-9)
    end = "\n" if done == total else ""
    print(f"\r  [{'#' * filled}{'.' * (width - filled)}] {done}/{total} images, {rate:.0f} a second ", end=end, flush=True)


def collect(outbox, total, processes):
    """-> results of all clients, and the seconds they took."""
    results = []
    started = time.perf_counter()
    last_shown = 0.0
    while len(results) < total:
        try:
            message = outbox.get(timeout=1)
        except queue.Empty:
            if not any(process.is_alive() for process in processes):
                raise RuntimeError("the clients ended early") from None
            continue
        if isinstance(message, str):
            raise RuntimeError(message)
        results += message
        now = time.perf_counter()
        if len(results) == total or (sys.stdout.isatty() and now - last_shown > 0.1):
            show_progress(len(results), total, started)
            last_shown = now
    return results, time.perf_counter() - started


def send_all(args, images):
    """-> (index, class, probability, seconds) of every image, and the seconds it took altogether."""
    context = multiprocessing.get_context("spawn")  # gRPC does not survive a fork
    outbox = context.Queue()
    shares = [range(i, len(images), args.clients) for i in range(args.clients)]
    count = min(args.clients, max(2, len(os.sched_getaffinity(0))))
    start = context.Barrier(count + 1)
    processes = [context.Process(target=client_process, daemon=True,
                                 args=(args, images, shares[i::count], outbox, start))
                 for i in range(count)]
    for process in processes:
        process.start()
    start.wait(timeout=60)
    return collect(outbox, len(images), processes)


def show_images(results, images, labels):
    """A row of pictures: some that were recognized, and one that was not."""
    right = [r for r in results if r[1] == labels[r[0]]]
    wrong = [r for r in results if r[1] != labels[r[0]]]
    columns = picture.columns()
    chosen = right[:columns - 1] + wrong[:1] if columns > 1 else right[:1]
    pictures = []
    for index, predicted, probability, _ in chosen:
        mark = "right" if predicted == labels[index] else "wrong"
        pictures.append((images[index], [f"says {dataset.CLASSES[predicted]}, {probability:.0%}",
                                         f"is {dataset.CLASSES[labels[index]]}: {mark}"]))
    print("\n" + picture.row(pictures) + "\n")


def show_figures(results, labels, seconds):
    latencies = np.array([r[3] for r in results]) * 1e3
    hits = sum(r[1] == labels[r[0]] for r in results)
    confused = {}
    for index, predicted, _, _ in results:
        if predicted != labels[index]:
            pair = f"{dataset.CLASSES[labels[index]]} taken for {dataset.CLASSES[predicted]}"
            confused[pair] = confused.get(pair, 0) + 1
    worst = max(confused, key=confused.get, default="nothing")
    p50, p90, p99 = np.percentile(latencies, [50, 90, 99])
    print(f"  accuracy     {hits / len(results):.2%}  ({hits} of {len(results)}; "
          f"most frequent mistake: {worst}, {confused.get(worst, 0)} times)")
    print(f"  throughput   {len(results) / seconds:.0f} requests a second, one image each")
    print(f"  latency      p50 {p50:.2f} ms, p90 {p90:.2f} ms, p99 {p99:.2f} ms, largest {latencies.max():.2f} ms, "
          "measured by the clients\n")
    return hits


def show_metrics(address, lines=14):
    """What the server says of itself: its own counters, without the histograms' buckets."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    own = [line for line in text.splitlines() if line.startswith("tandem_") and "_bucket{" not in line]
    busy = [line for line in own if not line.endswith(" 0")]
    print(f"  From http://{address}/metrics ({len(own)} values besides the histograms' buckets):")
    for line in busy[:lines]:
        print(f"    {line}")


def argument_parser(description):
    """What every program that sends the images takes."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grpc", required=True, help="address of the server's gRPC port")
    parser.add_argument("--http", help="address of its HTTP port, to show some metrics")
    parser.add_argument("--model", default="fashion_mnist")
    parser.add_argument("--images", type=int, default=10000, help="how many of the 10,000 test images to send")
    parser.add_argument("--clients", type=int, default=8, help="how many clients send at a time")
    return parser


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--variant", help="fp32 or int8; as the server decides when absent")
    parser.add_argument("--min-accuracy", type=float, default=0.0, help="exit with 1 below this fraction")
    args = parser.parse_args()

    images, labels = dataset.load("t10k")
    images, labels = images[:args.images], labels[:args.images]
    print(f"Sending {len(images)} labelled images from {args.clients} clients to {args.model} at {args.grpc}")
    try:
        results, seconds = send_all(args, images)
    except (RuntimeError, threading.BrokenBarrierError) as error:
        sys.exit(f"client: {error or 'the client processes did not start'}")
    results.sort()
    show_images(results, images, labels)
    hits = show_figures(results, labels, seconds)
    if args.http:
        show_metrics(args.http)
    if hits < args.min_accuracy * len(results):
        sys.exit(f"client: accuracy is below {args.min_accuracy:.2%}")


if __name__ == "__main__":
    main()
