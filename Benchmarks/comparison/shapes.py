"""Shapes that are compared, and what one token costs in each."""

from dataclasses import dataclass

# Bytes of a weight, block scales included.
WEIGHT_BYTES = {"int8": 1.0, "q4_0": 18 / 32, "q4_k": 144 / 256, "bf16": 2.0, "f32": 4.0}


@dataclass(frozen=True)
class Shape:
    name: str
    layers: int
    heads: int
    rotary: int
    width: int
    hidden: int
    vocabulary: int
    matrices: int  # of width x hidden, in one MLP

    def with_layers(self, layers: int | None) -> "Shape":
        return Shape(**(vars(self) | {"layers": layers or self.layers}))

    @property
    def layer_weights(self) -> int:
        return 4 * self.width**2 + self.matrices * self.width * self.hidden

    @property
    def pass_weights(self) -> int:
        """Weights that one position with logits multiplies with."""
        return self.layers * self.layer_weights + self.width * self.vocabulary

    def model_bytes(self, dtype: str) -> float:
        """All weights in memory, the embedding among them."""
        return (self.pass_weights + self.width * self.vocabulary) * WEIGHT_BYTES[dtype]

    def prefill_operations(self, prompt: int) -> float:
        """Of a whole prompt, two for a multiply-add; only the last position has logits."""
        return (2 * self.layers * self.layer_weights * prompt + 2 * self.width * self.vocabulary
                + self.attention_operations(prompt * (prompt + 1) / 2))

    def decode_operations(self, prompt: int, generate: int) -> float:
        """Of `generate` tokens after a prompt."""
        return 2 * self.pass_weights * generate + self.attention_operations(
            generate * prompt + generate * (generate + 1) / 2)

    def attention_operations(self, pairs: float) -> float:
        """Scores and weighted values of that many pairs of query and key."""
        return 4 * self.width * self.layers * pairs


SHAPES = {
    "gpt-j-6b": Shape("gpt-j-6b", 28, 16, 64, 4096, 16384, 50400, matrices=2)}

# llama.cpp has no graph for GPT-J; it runs its own of the same width.
LLAMA = Shape("llama-7b", 32, 32, 128, 4096, 11008, 32000, matrices=3)
