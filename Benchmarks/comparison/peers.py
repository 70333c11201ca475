"""Who is compared: packages, number types, and why a type is missing."""

from dataclasses import dataclass, field

from .environments import Environment
from .shapes import LLAMA, Shape

NATIVE = {"CMAKE_ARGS": "-DGGML_NATIVE=ON -DCMAKE_BUILD_TYPE=Release"}
LARGE = "several gigabytes"

LLAMA_CPP = Environment(
    ("llama-cpp-python==0.3.36", "gguf"), ("llama_cpp", "gguf"), "this takes ten minutes or more",
    source=("llama-cpp-python",), variables=NATIVE)

# From its wheel, since its source package lacks a file; Benchmarks/README.md says what that means.
IK_LLAMA_CPP = Environment(("ik-llama-cpp-python==0.1.5", "gguf"), ("ik_llama_cpp", "gguf"))


@dataclass(frozen=True)
class Peer:
    name: str
    module: str  # in peers/
    environment: Environment
    types: tuple[str, ...]
    missing: str  # why it has no other type
    own_shape: bool = False  # it runs the LLaMA shape and is compared per operation
    memory: float = 1.3  # resident bytes of a run, by bytes of the weights
    variables: dict = field(default_factory=dict)

    def shape(self, wanted: Shape) -> Shape:
        return LLAMA.with_layers(wanted.layers) if self.own_shape else wanted


PEERS = {peer.name: peer for peer in (
    Peer("ctranslate2", "peer_ctranslate2",
         Environment(("ctranslate2==4.8.5", "numpy"), ("ctranslate2", "numpy")),
         ("int8", "f32"), "computes int8 and f32 only on a CPU"),
    Peer("pytorch", "peer_pytorch",
         Environment(("torch==2.15.0", "transformers==5.24.0", "numpy"), ("torch", "transformers"), LARGE),
         ("bf16", "f32"), "transformers has no CPU route for this type"),
    Peer("llama.cpp", "peer_llama", LLAMA_CPP, ("int8", "q4_0", "q4_k", "bf16", "f32"), "", own_shape=True,
         memory=2.2),
    Peer("ik_llama.cpp", "peer_ik_llama", IK_LLAMA_CPP, ("int8", "q4_0", "q4_k", "bf16", "f32"), "",
         own_shape=True, memory=3.2),
    Peer("openvino", "peer_openvino",
         Environment(("openvino==2026.4.1", "optimum-intel==2.2.0", "nncf==3.4.0", "numpy"),
                     ("openvino", "optimum.intel", "nncf"), LARGE),
         ("int8", "q4_0", "bf16", "f32"), "its 4-bit weights are compared with q4_0", memory=2.2),
    Peer("onnxruntime", "peer_onnxruntime",
         Environment(("onnxruntime==1.32.0", "onnx==1.23.2", "numpy"), ("onnxruntime", "onnx")),
         ("int8", "q4_0", "f32"), "its CPU operators have no bf16, its 4-bit weights are compared with q4_0",
         memory=1.8))}

TYPES = ("int8", "q4_0", "q4_k", "bf16", "f32")
