#!/usr/bin/env python3
"""Classifies the rows of a table.

    classify_rows.py [--server HOST:PORT] [--model NAME] [TABLE.csv]

The table, or else standard input, has the features of one item a line. The model takes them as they are, as tab_digits
does, and gives a score for each class. All rows go on one stream, so the server sees many at a time.
"""
import argparse
import sys

import numpy as np
import tandem_client


def requests(args, name, table):
    """One a row, whose number is its id."""
    for number, row in enumerate(table):
        yield tandem_client.InferRequest(args.model, {name: row[None]}, request_id=str(number))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="127.0.0.1:8001")
    parser.add_argument("--model", default="tab_digits")
    parser.add_argument("table", nargs="?", type=argparse.FileType(), default=sys.stdin)
    args = parser.parse_args()

    table = np.loadtxt(args.table, np.float32, delimiter=",", ndmin=2)
    with tandem_client.Client(args.server) as client:
        metadata = client.metadata(args.model)
        answers = list(client.stream(requests(args, metadata.inputs[0].name, table)))
    for answer in sorted(answers, key=lambda answer: int(answer.request_id)):
        scores = answer.result()[metadata.outputs[0].name][0]
        print(f"row {answer.request_id}: class {scores.argmax()} ({scores.max():.1%})")


if __name__ == "__main__":
    main()
