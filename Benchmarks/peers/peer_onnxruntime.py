"""ONNX Runtime: GPT-J of the shape with random weights, in the operators that its GenAI builder uses.

That builder has no GPT-J, so the graph is written here: packed projection, GroupQueryAttention with the
rotary embedding inside, MatMulNBits for 4- and 8-bit weights (activations rounded to int8 per block).
"""

import time
from pathlib import Path

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper

FILE = "model.onnx"
BLOCK = 32
CONTEXT = 2048


class Graph:
    """Nodes and weights as they come; large weights go straight into a file beside the model."""

    def __init__(self, work: dict, folder: Path):
        self.bits = {"int8": 8, "q4_0": 4, "f32": 0}[work["dtype"]]
        self.nodes, self.weights = [], []
        self.data = open(folder / (FILE + ".data"), "wb")
        self.random = numpy.random.default_rng(1)

    def weight(self, name: str, values: numpy.ndarray) -> str:
        tensor = TensorProto(
            name=name, dims=values.shape, data_type=helper.np_dtype_to_tensor_dtype(values.dtype),
            data_location=TensorProto.EXTERNAL)
        self.data.write(bytes(-self.data.tell() % 4096))
        for key, value in {"location": FILE + ".data", "offset": self.data.tell(),
                           "length": values.nbytes}.items():
            tensor.external_data.add(key=key, value=str(value))
        self.data.write(numpy.ascontiguousarray(values).data)
        self.weights.append(tensor)
        return name

    def node(self, kind: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes) -> str:
        self.nodes.append(helper.make_node(kind, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    def normal(self, rows: int, columns: int) -> numpy.ndarray:
        values = self.random.standard_normal((rows, columns), dtype=numpy.float32)
        values *= 0.02
        return values

    def linear(self, name: str, rows: int, columns: int, source: str, bias: bool = False) -> str:
        if self.bits:
            blocks = columns // BLOCK
            packed = self.random.integers(0, 256, (rows, blocks, BLOCK * self.bits // 8), dtype=numpy.uint8)
            scales = numpy.full((rows, blocks), 0.02 / 2 ** (self.bits - 2), numpy.float32)
            inputs = [source, self.weight(name, packed), self.weight(name + ".scales", scales)]
            product = self.node(
                "MatMulNBits", inputs, [name + ".product"], "com.microsoft", K=columns, N=rows,
                bits=self.bits, block_size=BLOCK, accuracy_level=4)
        else:
            product = self.node(
                "MatMul", [source, self.weight(name, self.normal(columns, rows))], [name + ".product"])
        if not bias:
            return product
        zeros = self.weight(name + ".bias", numpy.zeros(rows, numpy.float32))
        return self.node("Add", [product, zeros], [name + ".sum"])

    def norm(self, name: str, width: int, source: str) -> str:
        gain = self.weight(name + ".gain", numpy.ones(width, numpy.float32))
        shift = self.weight(name + ".shift", numpy.zeros(width, numpy.float32))
        return self.node("LayerNormalization", [source, gain, shift], [name], axis=-1, epsilon=1e-5)


def make(work: dict, folder: Path) -> None:
    width, hidden, vocabulary, heads = (work[key] for key in ("width", "hidden", "vocabulary", "heads"))
    head_width = width // heads
    graph = Graph(work, folder)
    angles = numpy.arange(CONTEXT)[:, None] / 10000 ** (numpy.arange(0, work["rotary"], 2) / work["rotary"])
    cosine = graph.weight("cosine", numpy.cos(angles).astype(numpy.float32))
    sine = graph.weight("sine", numpy.sin(angles).astype(numpy.float32))
    inputs = [helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "rows"]),
              helper.make_tensor_value_info("last", TensorProto.INT32, [1]),
              helper.make_tensor_value_info("positions", TensorProto.INT32, [])]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1, vocabulary])]
    table = graph.weight("embedding", graph.normal(vocabulary, width))
    stream = graph.node("Gather", [table, "ids"], ["embedded"])
    for layer in range(work["layers"]):
        past = [f"past.{layer}.keys", f"past.{layer}.values"]
        present = [f"present.{layer}.keys", f"present.{layer}.values"]
        for names, length, values in ((past, "past", inputs), (present, "present", outputs)):
            values += [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, heads, length, head_width])
                      for name in names]
        normed = graph.norm(f"{layer}.norm", width, stream)
        packed = graph.linear(f"{layer}.qkv", 3 * width, width, normed)
        mixed = graph.node(
            "GroupQueryAttention", [packed, "", "", *past, "last", "positions", cosine, sine],
            [f"{layer}.mixed", *present], "com.microsoft", num_heads=heads, kv_num_heads=heads, do_rotary=1,
            rotary_interleaved=1)
        attention = graph.linear(f"{layer}.attention", width, width, mixed)
        inner = graph.linear(f"{layer}.inner", hidden, width, normed, bias=True)
        active = graph.node("FastGelu", [inner], [f"{layer}.active"], "com.microsoft")
        outer = graph.linear(f"{layer}.outer", width, hidden, active, bias=True)
        both = graph.node("Add", [attention, outer], [f"{layer}.both"])
        stream = graph.node("Add", [stream, both], [f"{layer}.stream"])
    # Only the last position's logits.
    bounds = ["from", "to", "axis"]
    graph.weights += [helper.make_tensor(name, TensorProto.INT64, [1], [value])
                      for name, value in zip(bounds, (-1, 2**62, 1))]
    final = graph.norm("final", width, graph.node("Slice", [stream, *bounds], ["end"]))
    logits = graph.linear("head", vocabulary, width, final, bias=True)
    graph.node("Identity", [logits], ["logits"])
    graph.data.close()
    model = helper.make_model(
        helper.make_graph(graph.nodes, "gpt-j", inputs, outputs, graph.weights),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)], ir_version=8)
    onnx.save(model, folder / FILE)


class Runner:
    def __init__(self, work: dict, folder: Path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = work["threads"], 1
        self.session = onnxruntime.InferenceSession(folder / FILE, options, ["CPUExecutionProvider"])
        # The cache lies in one buffer as long as the context and is written in place, as GenAI does.
        shape = (1, work["heads"], work["prompt_tokens"] + work["generate_tokens"],
                 work["width"] // work["heads"])
        self.caches = {
            f"{layer}.{part}": onnxruntime.OrtValue.ortvalue_from_numpy(numpy.zeros(shape, numpy.float32))
            for layer in range(work["layers"]) for part in ("keys", "values")}
        self.versions = {"onnxruntime": onnxruntime.__version__}

    def measure(self, ids: list[int], generate: int) -> tuple[float, float]:
        started = time.perf_counter()
        token = self.step(ids, 0)
        prefill = time.perf_counter() - started
        started = time.perf_counter()
        for step in range(generate):
            token = self.step([token], len(ids) + step)
        return prefill, time.perf_counter() - started

    def step(self, ids: list[int], past: int) -> int:
        binding = self.session.io_binding()
        binding.bind_cpu_input("ids", numpy.array([ids], numpy.int64))
        binding.bind_cpu_input("last", numpy.array([past + len(ids) - 1], numpy.int32))
        binding.bind_cpu_input("positions", numpy.array(past + len(ids), numpy.int32))
        binding.bind_output("logits")
        for name, value in self.caches.items():
            binding.bind_ortvalue_input("past." + name, value)
            binding.bind_ortvalue_output("present." + name, value)
        self.session.run_with_iobinding(binding)
        return int(binding.get_outputs()[0].numpy()[0, -1].argmax())
