#!/usr/bin/env python3
"""Says how close the meanings of sentences are to that of the first.

    compare_sentences.py [--server HOST:PORT] [--model NAME] --vocabulary FILE SENTENCE SENTENCE...

The model is the Universal Sentence Encoder lite (use_lite_en): token ids, filled up with -1, to vectors of length 1.
FILE is its vocabulary as TensorFlow.js has it, a JSON list of [piece, score]; the place in the list is the id.
"""
import argparse
import json
import pathlib

import numpy as np
import tandem_client

RESERVED = 6  # the first ids are no pieces of text
WORD = "\u2581"  # stands for the space before a word


def tokens(sentence, scores):
    """The ids of the pieces that make up a sentence with the highest sum of scores. Unknown characters are skipped.

    `scores` has (id, score) by piece.
    """
    text = WORD + sentence.strip().lower().replace(" ", WORD)
    longest = max(map(len, scores))
    best = [(0.0, [])]  # of the first n characters: the sum, and the ids
    for end in range(1, len(text) + 1):
        found = [(best[start][0] + scores[piece][1], best[start][1] + [scores[piece][0]])
                 for start in range(max(0, end - longest), end) if (piece := text[start:end]) in scores]
        best.append(max(found, default=(best[-1][0] - 100, best[-1][1])))
    return best[-1][1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="127.0.0.1:8001")
    parser.add_argument("--model", default="use_lite_en")
    parser.add_argument("--vocabulary", required=True, help="the pieces of words that the model knows")
    parser.add_argument("sentence", nargs="+")
    args = parser.parse_args()

    pieces = json.loads(pathlib.Path(args.vocabulary).read_text(encoding="utf8"))
    scores = {piece: (number, score) for number, (piece, score) in enumerate(pieces) if number >= RESERVED}
    sentences = [tokens(sentence, scores) for sentence in args.sentence]
    ids = np.full((len(sentences), max(map(len, sentences))), -1, np.int64)
    for row, sentence in zip(ids, sentences):
        row[:len(sentence)] = sentence
    with tandem_client.Client(args.server) as client:
        vectors = client.infer(args.model, {"ids": ids})["embedding"]
    for sentence, closeness in zip(args.sentence[1:], vectors[1:] @ vectors[0]):
        print(f"{closeness:.3f}  {sentence}")


if __name__ == "__main__":
    main()
