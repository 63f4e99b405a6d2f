#!/usr/bin/env python3
"""Says what is in a picture.

    classify_image.py [--server HOST:PORT] [--model NAME] [--labels FILE] [--top N] PICTURE

The model is a MobileNet for ImageNet as TensorFlow trained it (mobilenet_v2_224): 224 x 224 pixels from -1 to 1, and
1001 scores, of which the first is of the background. FILE has the names of the other 1000 classes, one a line.
"""
import argparse
import pathlib

import numpy as np
import tandem_client
from PIL import Image

SIZE = 224


def pixels(path):
    """-> float32 [1, 3, 224, 224]: the middle of the picture."""
    picture = Image.open(path).convert("RGB")
    scale = SIZE / min(picture.size)
    width, height = (max(SIZE, round(side * scale)) for side in picture.size)
    left, top = (width - SIZE) // 2, (height - SIZE) // 2
    picture = picture.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + SIZE, top + SIZE))
    return (np.asarray(picture, np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="127.0.0.1:8001")
    parser.add_argument("--model", default="mobilenet_v2_224")
    parser.add_argument("--labels", help="names of the classes")
    parser.add_argument("--top", type=int, default=3, help="how many classes to show")
    parser.add_argument("picture")
    args = parser.parse_args()

    names = pathlib.Path(args.labels).read_text(encoding="utf8").splitlines() if args.labels else None
    with tandem_client.Client(args.server) as client:
        scores = client.infer(args.model, {"input": pixels(args.picture)})["output"][0, 1:]
    for index in np.argsort(-scores)[:args.top]:
        print(f"{names[index] if names else f'class {index}'}: {scores[index]:.1%}")


if __name__ == "__main__":
    main()
