#!/usr/bin/env python3
"""Reads a line of text in a picture.

    read_text.py [--server HOST:PORT] [--model NAME] --characters FILE PICTURE...

The model is the recognizer of PP-OCRv4 (ppocr_v4_rec). It takes lines of any length, 48 pixels high, and gives a score
for each character at each place; FILE has the characters, one a line (ppocr_keys_v1.txt).
"""
import argparse
import pathlib

import numpy as np
import tandem_client
from PIL import Image

HEIGHT, LEAST_WIDTH = 48, 320


def pixels(path):
    """-> float32 [1, 3, 48, W]: blue, green and red from -1 to 1, filled up with grey on the right."""
    picture = Image.open(path).convert("RGB")
    width = max(16, round(HEIGHT * picture.width / picture.height))
    values = np.asarray(picture.resize((width, HEIGHT), Image.Resampling.BILINEAR), np.float32)[:, :, ::-1] / 127.5 - 1
    return np.pad(values.transpose(2, 0, 1), ((0, 0), (0, 0), (0, max(0, LEAST_WIDTH - width))))[None]


def text(scores, characters):
    """The best character at each place; repetitions are one, and 0 is between characters."""
    best = scores.argmax(1)
    return "".join(characters[k] for k, before in zip(best, [0, *best[:-1]]) if k not in (0, before))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="127.0.0.1:8001")
    parser.add_argument("--model", default="ppocr_v4_rec")
    parser.add_argument("--characters", required=True, help="the characters that the model knows")
    parser.add_argument("picture", nargs="+")
    args = parser.parse_args()

    characters = ["", *pathlib.Path(args.characters).read_text(encoding="utf8").rstrip("\n").split("\n"), " "]
    with tandem_client.Client(args.server) as client:
        metadata = client.metadata(args.model)
        given, answer = metadata.inputs[0].name, metadata.outputs[0].name
        for picture in args.picture:
            scores = client.infer(args.model, {given: pixels(picture)})[answer][0]
            print(f"{picture}: {text(scores, characters)}")


if __name__ == "__main__":
    main()
