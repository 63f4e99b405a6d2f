"""The programs in examples/ give right answers from raw inputs, by real models behind a running server."""
import csv
import json
import os
import re
import shutil
import subprocess
import wave

import numpy as np
import pytest

import python_client
import tandemd
from small_models import digits, model_file

DATA = tandemd.SHARED / "data"
MODELS = ("kws_dscnn", "mobilenet_v2_224", "ppocr_v4_rec", "tab_digits", "use_lite_en")
GRPCURL = tandemd.ROOT / ".deps/go/bin/grpcurl"
RATE = 16000


@pytest.fixture(scope="module", name="server")
def run_server():
    if not all(model_file(name).exists() for name in MODELS) or not DATA.exists():
        pytest.skip("../shared with the models and their data is not here")
    with tandemd.running(*map(model_file, MODELS)) as running:
        yield running


def run(program, *arguments, **options):
    """-> what an example printed, line by line."""
    command = [python_client.environment().python, tandemd.ROOT / "examples" / program, *arguments]
    done = subprocess.run([str(part) for part in command], text=True, capture_output=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def rows(path):
    with open(path, encoding="utf8", newline="") as file:
        return list(csv.DictReader(file))


def test_pictures_are_classified(server, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"name of {index}\n" for index in range(1000)))
    right = 0
    for row in rows(DATA / "imagenet_500/labels.csv")[:10]:
        shown = run("classify_image.py", "--server", server.grpc, "--labels", labels, "--top", 2,
                    DATA / "imagenet_500" / row["file"])
        assert len(shown) == 2 and re.fullmatch(r"name of \d+: [\d.]+%", shown[0])
        right += shown[0].startswith(f"name of {row['class_0_999']}:")
    assert right >= 7  # nine of ten on all pictures


def test_lines_of_text_are_read(server):
    lines = rows(DATA / "ocr_lines/labels.csv")[:20]
    shown = run("read_text.py", "--server", server.grpc, "--characters", tandemd.SHARED / "models/ppocr_keys_v1.txt",
                *(DATA / "ocr_lines" / line["file"] for line in lines))
    read = [line.split(": ", 1)[1] for line in shown]
    assert sum(got == line["text"] for got, line in zip(read, lines)) >= 17


def speak(word, path):
    """Writes a second with a spoken word, as the model expects it: at 16 kHz, in a quiet room."""
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "130", "-w", path, word], check=True)
    with wave.open(str(path)) as file:
        rate, samples = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    samples = np.interp(np.arange(0, len(samples), rate / RATE), np.arange(len(samples)), samples)
    loud = np.nonzero(np.abs(samples) > 300)[0]
    samples = samples[loud[0]:loud[-1]]
    before = (RATE - len(samples)) // 2
    second = np.pad(samples, (before, RATE - len(samples) - before))
    second += np.random.default_rng(0).normal(0, 20, RATE)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, RATE, "NONE", ""))
        file.writeframes(second.clip(-32768, 32767).astype("<i2").tobytes())


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not here; scripts/setup installs it")
@pytest.mark.parametrize("word, expected", (("left", "left"), ("off", "off"), ("right", "right"), ("yes", "yes"),
                                            ("house", "(another word)")))
def test_a_spoken_word_is_recognized(server, tmp_path, word, expected):
    speak(word, tmp_path / "word.wav")
    (shown,) = run("spot_keyword.py", "--server", server.grpc, tmp_path / "word.wav")
    assert f": {expected} (" in shown


def test_sentences_that_people_find_close_are_close(server, tmp_path):
    """The data are token ids and have no text: a vocabulary of made-up words gives them one."""
    ids, scores = np.load(DATA / "sick/token_ids.npy"), np.load(DATA / "sick/scores.npy")
    vocabulary = tmp_path / "vocabulary.json"
    vocabulary.write_text(json.dumps([[f"\u2581w{number}w", -10.0] for number in range(8002)]))
    sentence = lambda row: " ".join(f"w{number}w" for number in row if number >= 0)
    closeness = []
    chosen = [n for n in np.argsort(scores, kind="stable")[::200] if ids[n][ids[n] >= 0].min() >= 6]
    for n in chosen:
        (shown,) = run("compare_sentences.py", "--server", server.grpc, "--vocabulary", vocabulary,
                       sentence(ids[n][0]), sentence(ids[n][1]))
        closeness.append(float(shown.split()[0]))
    assert len(chosen) >= 8
    assert np.corrcoef(closeness, scores[chosen])[0, 1] > .6  # .80 on all pairs


def table(values):
    return "\n".join(",".join(map(str, row)) for row in values) + "\n"


def test_rows_of_a_table_are_classified(server):
    import onnxruntime
    values = digits(20).round()
    expected = onnxruntime.InferenceSession(model_file("tab_digits")).run(None, {"x": values})[0]
    shown = run("classify_rows.py", "--server", server.grpc, input=table(values))
    assert [line.split(" (")[0] for line in shown] == [f"row {n}: class {c}" for n, c in enumerate(expected.argmax(1))]


@pytest.mark.skipif(not GRPCURL.exists(), reason="grpcurl is not here; scripts/setup compiles it")
def test_grpcurl_alone_is_enough(server):
    import onnxruntime
    values = digits(2).round()
    expected = onnxruntime.InferenceSession(model_file("tab_digits")).run(None, {"x": values})[0]
    done = subprocess.run([tandemd.ROOT / "examples/ask.sh", server.grpc, "tab_digits", "64"], input=table(values),
                          text=True, capture_output=True, check=True, env={**os.environ, "GRPCURL": str(GRPCURL)})
    ready, given, computed, numbers = done.stdout.splitlines()
    assert (ready, given, computed) == ("ready: true", "input: x, 2 x 64", "computed by: fp32, version 1")
    np.testing.assert_allclose(np.array(numbers.split(), np.float32).reshape(2, 10), expected, atol=1e-5)
