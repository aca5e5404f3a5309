// Self-checking test bench of classifier_axis: frames with random stalls on both sides. Run it in this folder, where the
// vectors are.
`timescale 1ns / 1ps

module classifier_axis_tb;

reg clk = 0;
always #5 clk = ~clk;

reg [31:0] stimuli [0:2499];
reg [31:0] expected [0:99];
reg resetn = 0, in_valid = 0, out_ready = 0;
reg [31:0] in_data = 0;
reg in_last = 0;
wire in_ready, out_valid, out_last, error;
wire [31:0] out_data;
integer sent, received, errors, cycles;

classifier_axis dut (
    .aclk(clk), .aresetn(resetn),
    .s_axis_tdata(in_data), .s_axis_tvalid(in_valid), .s_axis_tready(in_ready), .s_axis_tlast(in_last),
    .m_axis_tdata(out_data), .m_axis_tvalid(out_valid), .m_axis_tready(out_ready), .m_axis_tlast(out_last),
    .error(error)
);

initial begin
    $readmemh("stimuli.mem", stimuli);
    $readmemh("expected.mem", expected);
    sent = 0;
    received = 0;
    errors = 0;
    cycles = 0;
    repeat (4) @(negedge clk);
    resetn = 1;
    // everything is decided between two rising edges: what is valid and ready then is taken at the next
    while (received < 100 && cycles < 53000) begin
        @(negedge clk);
        cycles = cycles + 1;
        if (!in_valid && sent < 2500 && ($random & 3) != 0) begin
            in_valid = 1;
            in_data = stimuli[sent];
            in_last = (sent % 25) == 24;
        end
        out_ready = ($random & 3) != 0;
        #1;
        if (out_valid && out_ready) begin
            if (out_data !== expected[received] || out_last !== ((received % 1) == 0)) begin
                errors = errors + 1;
                if (errors <= 10)
                    $display("beat %0d: got %h, expected %h", received, out_data, expected[received]);
            end
            received = received + 1;
        end
        if (in_valid && in_ready) begin
            sent = sent + 1;
            @(posedge clk);
            #1 in_valid = 0;
        end
    end
    if (errors == 0 && received == 100 && error === 1'b0) $display("PASS: 100 samples");
    else $display("FAIL: %0d wrong beats, %0d of 100 received, error flag %b", errors, received, error);
    $finish;
end

endmodule
