"""The transcripts as pytest cases; CKOPS_BIN names the program."""

import os

import pytest

import transcripts

PROGRAM = os.environ.get("CKOPS_BIN", "")
CORPUS = transcripts.default_corpus()
CASES = transcripts.select(CORPUS, None, None) if os.path.isdir(CORPUS) else []
DIFFERENT = transcripts.read_tsv("different.tsv")
NOTYET = transcripts.read_tsv("notyet.tsv")


@pytest.mark.skipif(not PROGRAM, reason="CKOPS_BIN is not set")
@pytest.mark.parametrize("case", CASES)
def test_transcript(case, pytestconfig):
    kind, result = transcripts.classify(PROGRAM, CORPUS, case, DIFFERENT, NOTYET)
    pytestconfig.ck_transcripts[kind] += 1
    if kind == "skipped":
        pytest.skip(result.skip)
    if kind == "notyet":
        pytest.skip("not offered yet")
    lines = [line for part in transcripts.PARTS for line in result.problems.get(part, [])]
    assert kind in ("passed", "different"), "\n".join(lines)
    assert not result.note, result.note
