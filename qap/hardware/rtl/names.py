"""Names that a generated Verilog module may have."""

from __future__ import annotations

import re

from qap.errors import QapError

_SIGNALS = """
    clk ce x y class_index aclk aresetn error in_flight waiting finished beat complete skipping take at_last result
    left sent core dut stimuli expected resetn in_valid out_ready in_data in_last in_ready out_valid out_last
    out_data received errors cycles cycle LUT6_2 CARRY4 CARRY8
"""
SIGNALS = frozenset(_SIGNALS.split())
"""Names of ports, signals and instances in the modules and their test benches, and of cells that they instantiate."""
_KEYWORDS = """
    accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before begin bind
    bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos config
    const constraint context continue cover covergroup coverpoint cross deassign default defparam design disable
    dist do edge else end endcase endchecker endclass endclocking endconfig endfunction endgenerate endgroup
    endinterface endmodule endpackage endprimitive endprogram endproperty endsequence endspecify endtable endtask
    enum event eventually expect export extends extern final first_match for force foreach forever fork forkjoin
    function generate genvar global highz0 highz1 if iff ifnone ignore_bins illegal_bins implements implies import
    incdir include initial inout input inside instance int integer interconnect interface intersect join join_any
    join_none large let liblist library local localparam logic longint macromodule matches medium modport module
    nand negedge nettype new nexttime nmos nor noshowcancelled not notif0 notif1 null or output package packed
    parameter pmos posedge primitive priority program property protected pull0 pull1 pulldown pullup
    pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime ref reg
    reject_on release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually s_nexttime
    s_until s_until_with scalared sequence shortint shortreal showcancelled signed small soft solve specify
    specparam static string strong strong0 strong1 struct super supply0 supply1 sync_accept_on sync_reject_on table
    tagged task this throughout time timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand trior trireg
    type typedef union unique unique0 unsigned until until_with untyped use uwire var vectored virtual void wait
    wait_order wand weak weak0 weak1 while wildcard wire with within wor xnor xor
"""
KEYWORDS = frozenset(_KEYWORDS.split())
"""Of SystemVerilog (IEEE 1800-2017), which many tools read .v files as."""
MOST_LETTERS = 64
"""File systems take 255 in all, and tools add to them."""


def checked_name(name: str) -> str:
    """The name, if a Verilog module may have it.

    Raises:
        QapError: it is not an identifier, too long, a keyword, or a name that the modules use themselves.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise QapError(f"{name!r} is not a Verilog name: letters, digits and _ are allowed, and no digit comes first")
    if len(name) > MOST_LETTERS:
        raise QapError(
            f"the module's name has {len(name)} letters, at most {MOST_LETTERS} are allowed: {name[:20]!r}..."
        )
    clashes = re.fullmatch(r"n\d+(_[a-z]\d+)?", name) or name in SIGNALS or name.startswith(("s_axis", "m_axis"))
    if name in KEYWORDS or clashes:
        what = "a Verilog keyword" if name in KEYWORDS else "the name of a port or a signal of the module"
        raise QapError(f"the module cannot be called {name!r}, which is {what}; choose another name")
    return name
