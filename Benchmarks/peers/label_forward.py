"""Scores label words with transformers the plain way: for each prompt and label one forward of both together.

Reads one JSON object: folder, prompts, labels (with their blanks), dtype, threads. Writes one: seconds for each
prompt, the labels' probabilities, versions. Loading and a first forward are not counted.
"""

import json
import sys
import time

import torch
import transformers


@torch.inference_mode()
def main() -> None:
    work = json.load(sys.stdin)
    torch.set_num_threads(work["threads"])
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[work["dtype"]]
    model = transformers.AutoModelForCausalLM.from_pretrained(work["folder"], dtype=dtype).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(work["folder"])

    def score(prompt: str, label: str) -> float:
        before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        ids = tokenizer(prompt + label, add_special_tokens=False)["input_ids"]
        count = len(ids) - len(before)
        # Only the logits before the label's tokens are asked for; without this it takes longer.
        logits = model(torch.tensor([ids]), logits_to_keep=count + 1, use_cache=False).logits[0, :-1]
        return logits.float().log_softmax(-1)[range(count), ids[-count:]].sum().exp().item()

    score(work["prompts"][0], work["labels"][0])
    seconds, probabilities = [], []
    for prompt in work["prompts"]:
        started = time.perf_counter()
        probabilities.append([score(prompt, label) for label in work["labels"]])
        seconds.append(time.perf_counter() - started)
    json.dump({
        "seconds": seconds, "probabilities": probabilities,
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__}}, sys.stdout)


if __name__ == "__main__":
    main()
