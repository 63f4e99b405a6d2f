#!/usr/bin/env python3
"""Says which keyword is spoken in a WAV file.

    spot_keyword.py [--server HOST:PORT] [--model NAME] FILE.wav

The model is the DS-CNN of MLPerf Tiny (kws_dscnn): it takes the cepstrum of a second of speech and knows ten words.
"""
import argparse
import sys
import wave

import numpy as np
import tandem_client

WORDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "(silence)", "(another word)")
RATE = 16000             # samples a second, and samples that the model looks at
WINDOW, STEP, FFT = 480, 320, 512
MEL_BANDS, LOWEST, HIGHEST = 40, 20.0, 4000.0
COEFFICIENTS = 10


def read_second(path):
    """-> the first second of a mono file of 16 bits at 16 kHz, padded with silence, its peak at 1."""
    with wave.open(path) as file:
        form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        if form != (1, 2, RATE):
            sys.exit(f"{path}: expected 1 channel of 2 bytes at {RATE} Hz, got {form[0]} of {form[1]} at {form[2]} Hz")
        samples = np.frombuffer(file.readframes(RATE), "<i2").astype(np.float32)
    samples = np.pad(samples, (0, RATE - len(samples)))
    return samples / max(samples.max(), 1)


def mel(hertz):
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


def mel_weights():
    """What each frequency of the spectrum adds to each band: triangles between equal steps in mel."""
    edges = np.linspace(mel(LOWEST), mel(HIGHEST), MEL_BANDS + 2)
    frequencies = mel(np.linspace(0, RATE / 2, FFT // 2 + 1))[1:, None]
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    return np.pad(np.maximum(0, np.minimum(rising, falling)), ((1, 0), (0, 0)))  # nothing of the constant part


def cepstrum(samples):
    """-> float32 [1, 1, 49, 10]: the first coefficients of the cosine transform of 49 log mel spectra."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::STEP]
    spectra = np.abs(np.fft.rfft(frames * np.hanning(WINDOW + 1)[:-1], FFT))
    loudness = np.log(spectra @ mel_weights() + 1e-6)
    angles = np.pi / MEL_BANDS * np.outer(np.arange(MEL_BANDS) + 0.5, np.arange(COEFFICIENTS))
    return (loudness @ np.cos(angles) * np.sqrt(2 / MEL_BANDS)).astype(np.float32)[None, None]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="127.0.0.1:8001")
    parser.add_argument("--model", default="kws_dscnn")
    parser.add_argument("file")
    args = parser.parse_args()

    features = cepstrum(read_second(args.file))
    with tandem_client.Client(args.server) as client:
        scores = client.infer(args.model, {"input": features})["output"][0]
    best = int(scores.argmax())
    print(f"{args.file}: {WORDS[best]} ({scores[best]:.0%})")


if __name__ == "__main__":
    main()
