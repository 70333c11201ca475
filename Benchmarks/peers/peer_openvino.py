"""OpenVINO: GPT-J of the shape with random weights, exported by optimum-intel, run by the CPU plugin."""

import time
from pathlib import Path

import numpy
import openvino
from openvino import opset13

FILE = "openvino_model.xml"


def make(work: dict, folder: Path) -> None:
    import nncf
    import torch
    import transformers
    from optimum.exporters.openvino import export_from_model
    from optimum.intel import OVConfig

    config = transformers.GPTJConfig(
        vocab_size=work["vocabulary"], n_positions=2048, n_embd=work["width"], n_layer=work["layers"],
        n_head=work["heads"], rotary_dim=work["rotary"], n_inner=work["hidden"])
    torch.manual_seed(1)
    # Types of 16 bits are stored as such and computed as the plug-in is told.
    export_from_model(
        transformers.GPTJForCausalLM(config).eval(), output=folder, task="text-generation-with-past",
        ov_config=OVConfig(dtype="fp16" if work["dtype"] == "bf16" else "fp32"), stateful=True)
    modes = {
        "int8": {"mode": nncf.CompressWeightsMode.INT8_SYM},
        "q4_0": {"mode": nncf.CompressWeightsMode.INT4_SYM, "group_size": 128, "ratio": 1.0,
                 "all_layers": True}}
    if work["dtype"] in modes:
        plain, packed = folder / FILE, folder / "packed.xml"
        openvino.save_model(
            nncf.compress_weights(openvino.Core().read_model(plain), **modes[work["dtype"]]), packed)
        for suffix in (".xml", ".bin"):
            packed.with_suffix(suffix).replace(plain.with_suffix(suffix))


class Runner:
    def __init__(self, work: dict, folder: Path):
        core = openvino.Core()
        model = core.read_model(folder / FILE)
        only_last_logits(model)
        precision = {"bf16": "bf16", "f32": "f32"}.get(work["dtype"], work.get("precision", "f32"))
        self.request = core.compile_model(model, "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": work["threads"],
            "INFERENCE_PRECISION_HINT": precision}).create_infer_request()
        self.inputs = {port.any_name for port in model.inputs}
        self.versions = {"openvino": openvino.__version__.split("-")[0]}

    def measure(self, ids: list[int], generate: int) -> tuple[float, float]:
        self.request.reset_state()
        started = time.perf_counter()
        token = self.step(ids, 0)
        prefill = time.perf_counter() - started
        started = time.perf_counter()
        for step in range(generate):
            token = self.step([token], len(ids) + step)
        return prefill, time.perf_counter() - started

    def step(self, ids: list[int], past: int) -> int:
        values = {
            "input_ids": numpy.array([ids], numpy.int64),
            "attention_mask": numpy.ones((1, past + len(ids)), numpy.int64),
            "position_ids": numpy.arange(past, past + len(ids), dtype=numpy.int64)[None],
            "beam_idx": numpy.zeros(1, numpy.int32)}
        self.request.infer({name: values[name] for name in self.inputs}, share_inputs=True)
        return int(self.request.get_output_tensor(0).data[0, -1].argmax())


def only_last_logits(model: openvino.Model) -> None:
    """Cuts the last position out before the vocabulary's matrix, as OpenVINO GenAI does."""
    node = model.output("logits").get_node().input_value(0).get_node()
    while node.get_type_name() != "MatMul":
        node = node.input_value(0).get_node()
    start, stop, step, axis = (
        openvino.op.Constant(numpy.array([value])) for value in (-1, 2**31 - 1, 1, 1))
    last = opset13.slice(node.input_value(0), start, stop, step, axis)
    node.input(0).replace_source_output(last.output(0))
    model.validate_nodes_and_infer_types()
