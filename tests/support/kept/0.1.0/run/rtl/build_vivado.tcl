# Out-of-context synthesis and implementation of classifier_axis with its reports.
#     vivado -mode batch -source build_vivado.tcl [-tclargs PART]
set part "xc7z020clg400-1"
if {$argc > 0} { set part [lindex $argv 0] }
set here [file dirname [file normalize [info script]]]
set reports [file join $here reports]
file mkdir $reports

read_verilog [file join $here classifier.v]
read_verilog [file join $here classifier_axis.v]
read_xdc -mode out_of_context [file join $here classifier_axis.xdc]

synth_design -top classifier_axis -part $part -mode out_of_context -flatten_hierarchy rebuilt
report_utilization -file [file join $reports utilization_synth.rpt]
report_timing_summary -file [file join $reports timing_synth.rpt]
write_checkpoint -force [file join $reports synth.dcp]

opt_design
place_design
phys_opt_design
route_design
report_utilization -file [file join $reports utilization_route.rpt]
report_timing_summary -file [file join $reports timing_route.rpt]
report_power -file [file join $reports power_route.rpt]
write_checkpoint -force [file join $reports route.dcp]
