"""The arithmetic of the comparison and its reports. Run: python3 -m unittest discover Benchmarks/tests"""

import sys
import unittest
import xml.etree.ElementTree
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from comparison import chart, shape_run, table
from comparison.contestants import Turn, Work
from comparison.environments import Unavailable, reason
from comparison.figures import cell, ratio, scaled, summary
from comparison.rounds import groups, interleave
from comparison.shapes import LLAMA, SHAPES, Shape


class Figures(unittest.TestCase):
    def test_a_ratio_is_one_of_medians(self):
        self.assertEqual(ratio(summary([1, 30, 900]), summary([9, 10, 11])), 3)

    def test_scaling_scales_every_value(self):
        self.assertEqual(scaled(summary([1, 2, 6]), 2), summary([2, 4, 12]))

    def test_a_cell_has_as_many_decimals_as_its_median_deserves(self):
        self.assertEqual(cell(summary([99, 1000, 2000.4])), "99 / 1,000 / 2,000")
        self.assertEqual(cell(summary([2, 9.27, 9.31])), "2.0 / 9.3 / 9.3")


class Costs(unittest.TestCase):
    # 2 layers: 4 x 8² + 2 x 8 x 16 = 512 weights each; head 8 x 10 = 80.
    tiny = Shape("tiny", 2, 2, 4, 8, 16, 10, matrices=2)

    def test_a_prompt_has_logits_once_and_a_triangle_of_attention(self):
        # 3 positions: 2 x 1024 x 3 + 2 x 80 + 4 x 8 x 2 x (1 + 2 + 3)
        self.assertEqual(self.tiny.prefill_operations(3), 6144 + 160 + 384)

    def test_each_generated_token_reads_all_before_it(self):
        # 2 tokens after 3: 2 x 1104 x 2 + 4 x 8 x 2 x (4 + 5)
        self.assertEqual(self.tiny.decode_operations(3, 2), 4416 + 576)

    def test_the_published_shapes_have_their_published_sizes(self):
        shape = SHAPES["gpt-j-6b"]
        self.assertAlmostEqual((shape.pass_weights + shape.width * shape.vocabulary) / 6.05e9, 1, places=2)
        self.assertAlmostEqual((LLAMA.pass_weights + LLAMA.width * LLAMA.vocabulary) / 6.74e9, 1, places=2)


class Groups(unittest.TestCase):
    def test_peers_share_a_group_while_they_fit(self):
        self.assertEqual(groups({"a": 4, "b": 4, "c": 4}, own=2, available=11), [["a", "b"], ["c"]])

    def test_one_that_never_fits_stands_alone(self):
        self.assertEqual(groups({"a": 1, "b": 99, "c": 1}, own=2, available=10), [["a"], ["b"], ["c"]])

    def test_without_peers_corvid_runs_alone(self):
        self.assertEqual(groups({}, own=2, available=10), [[]])


class Stand:
    """A contestant that counts its turns."""

    shape, versions = None, {}

    def __init__(self, name: str, log: list, until: int = 99):
        self.name, self.log, self.until, self.closed = name, log, until, False

    def turn(self) -> Turn:
        self.log.append(self.name)
        if self.log.count(self.name) > self.until:
            raise Unavailable("tired")
        return Turn(self.log.count(self.name), 1, 1)

    def close(self) -> None:
        self.closed = True


class Rounds(unittest.TestCase):
    def test_all_take_turns_and_the_first_round_is_thrown_away(self):
        log: list[str] = []
        stands = [Stand(name, log) for name in "ab"]
        result = interleave([(stand.name, lambda stand=stand: stand) for stand in stands], 2, self.fail)
        self.assertEqual(log, ["a", "b"] * 3)
        self.assertEqual([turn.prefill for turn in result["a"][1]], [2, 3])
        self.assertTrue(all(stand.closed for stand in stands))

    def test_one_that_stops_does_not_stop_the_others(self):
        log: list[str] = []
        reasons: dict[str, str] = {}

        def absent():
            raise Unavailable("not installed")

        starters = [("a", lambda: Stand("a", log)), ("b", lambda: Stand("b", log, until=0)), ("c", absent)]
        result = interleave(starters, 1, reasons.__setitem__)
        self.assertEqual(reasons, {"b": "tired", "c": "not installed"})
        self.assertEqual(list(result), ["a"])


class Reports(unittest.TestCase):
    def setUp(self):
        shape = SHAPES["gpt-j-6b"].with_layers(4)
        work = Work(shape, "q4_0", 256, 32, 2)
        part = {
            "corvid": shape_run.figure(shape, [Turn(300, 50, 1e9, 0.5, 0.9)], work),
            "onnxruntime": shape_run.figure(shape, [Turn(100, 25, 2e9)], work),
            "llama.cpp": shape_run.figure(LLAMA.with_layers(4), [Turn(200, 50, 2e9)], work),
            "corvid llama": shape_run.figure(LLAMA.with_layers(4), [Turn(300, 60, 1e9)], work)}
        for name, entry in part.items():
            shape_run.compare(entry, name, part)
        self.result = {
            "date": "2026-01-02T00:00:00+00:00", "command": "Benchmarks/compare", "corvid": "1",
            "machine": {"processor": "A & B <C>", "cores": 2, "system": "S", "load_before": 3.0,
                        "niceness": 0},
            "versions": {"onnxruntime": "1"}, "shape": vars(shape), "instruction_sets": [],
            "settings": {"rounds": 1, "threads": 2, "prompt_tokens": 256, "generate_tokens": 32},
            "peers": ["onnxruntime", "llama.cpp", "pytorch"],
            "types": {"q4_0": {"figures": part, "reasons": {"pytorch": "has no such type"}}}}

    def test_another_shape_is_compared_per_operation(self):
        stage = self.result["types"]["q4_0"]["figures"]["llama.cpp"]["prefill"]
        ours = 300 * SHAPES["gpt-j-6b"].with_layers(4).prefill_operations(256)
        theirs = 200 * LLAMA.with_layers(4).prefill_operations(256)
        self.assertAlmostEqual(stage["ratio"], ours / theirs)

    def test_the_table_has_rates_ratios_reasons_and_memory(self):
        text = table.markdown(self.result)
        self.assertIn("| q4_0 prefill | 300 / 300 / 300 | 50 % of peak | 100 / 100 / 100; **3.00 x** |", text)
        self.assertIn("1. PyTorch: has no such type.", text)
        self.assertIn("| q4_0 | 1.00 | 2.00 | 2.00 | - |", text)
        self.assertIn("load 3.0", text)
        for line in text.splitlines():
            if line.startswith("| q4_0 prefill | llama.cpp"):
                self.assertTrue(line.endswith("1.50 x |"), line)

    def test_every_row_has_as_many_cells_as_its_heading(self):
        width = 0
        for line in table.markdown(self.result).splitlines():
            if not line.startswith("|"):
                width = 0
            elif width == 0:
                width = line.count("|")
            else:
                self.assertEqual(line.count("|"), width, line)

    def test_the_chart_is_well_formed_and_names_everybody(self):
        root = xml.etree.ElementTree.fromstring(chart.svg(self.result))
        words = "".join(root.itertext())
        for name in ("Corvid", "ONNX Runtime", "llama.cpp", "A & B <C>", "Corvid 3.00 x"):
            self.assertIn(name, words)

    def test_a_type_that_nobody_ran_still_gives_a_report(self):
        self.result["types"]["q4_0"] = {"figures": {}, "reasons": {}}
        self.assertIn("not measured", table.markdown(self.result))
        xml.etree.ElementTree.fromstring(chart.svg(self.result))


class Reasons(unittest.TestCase):
    def test_the_last_error_of_a_long_complaint_is_the_reason(self):
        complaint = "Traceback\n  x\nValueError: no room\nnote: see above\n"
        self.assertEqual(reason(complaint), "ValueError: no room")
        self.assertEqual(reason(""), "no message")


if __name__ == "__main__":
    unittest.main()
