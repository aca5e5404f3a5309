// What the cells of Xilinx that the core instantiates compute, for simulation alone: synthesis has its own.

`default_nettype none

module LUT6_2 #(parameter [63:0] INIT = 64'h0) (
    input  wire I0, I1, I2, I3, I4, I5,
    output wire O5, O6
);
wire [4:0] row = {I4, I3, I2, I1, I0};
assign O5 = INIT[{1'b0, row}];
assign O6 = INIT[{I5, row}];
endmodule

module CARRY4 (
    input  wire CI, CYINIT,
    input  wire [3:0] DI, S,
    output wire [3:0] O, CO
);
wire c0 = CI | CYINIT;
wire c1 = S[0] ? c0 : DI[0];
wire c2 = S[1] ? c1 : DI[1];
wire c3 = S[2] ? c2 : DI[2];
wire c4 = S[3] ? c3 : DI[3];
assign O = S ^ {c3, c2, c1, c0};
assign CO = {c4, c3, c2, c1};
endmodule

module CARRY8 (
    input  wire CI, CI_TOP,
    input  wire [7:0] DI, S,
    output wire [7:0] O, CO
);
// CI_TOP is for two chains of four bits, which are not used
CARRY4 low (.CI(CI), .CYINIT(1'b0), .DI(DI[3:0]), .S(S[3:0]), .O(O[3:0]), .CO(CO[3:0]));
CARRY4 high (.CI(CO[3]), .CYINIT(1'b0), .DI(DI[7:4]), .S(S[7:4]), .O(O[7:4]), .CO(CO[7:4]));
endmodule

`default_nettype wire
