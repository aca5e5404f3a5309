"""The Verilog of the AXI4-Stream top around a core."""

from __future__ import annotations

from qap.hardware.rtl.axis import AxisFormat
from qap.hardware.rtl.project import RtlProject
from qap.hardware.rtl.verilog import fill_template


def stream_verilog(project: RtlProject, form: AxisFormat) -> str:
    """The source of the top of a project.

    Args:
        project: with a stream.
        form: the layout of its frames.
    """
    ports = project.ports
    captures: dict[int, list[tuple[int, int]]] = {}
    for position, index in enumerate(project.kept):
        beat, lane = divmod(index, form.lanes)
        captures.setdefault(beat, []).append((position * ports.input_width, lane * form.slot))
    fields = [f"{{{{{form.field - ports.class_width}{{1'b0}}}}, class_index}}"
              if form.field > ports.class_width else "class_index"]  # fmt: skip
    for logit in range(ports.logits):
        low, high = logit * ports.logit_width, (logit + 1) * ports.logit_width - 1
        fill = form.field - ports.logit_width
        sign = f"y[{high}]" if project.signed_logits else "1'b0"
        fields.append(f"{{{{{fill}{{{sign}}}}}, y[{high}:{low}]}}" if fill else f"y[{high}:{low}]")
    return fill_template(
        "axis.v.j2", name=project.top, core=project.name, comment=project.comment, form=form, ports=ports,
        latency=project.latency_cycles,
        captures=sorted(captures.items()), fields=list(reversed(fields)), signed=project.signed_logits,
        beat_width=max(1, (form.beats - 1).bit_length()),
        left_width=max(1, (form.result_beats - 1).bit_length()),
        padding=form.result_beats * form.width - (1 + form.outputs) * form.field,
    )  # fmt: skip
