# The clock of classifier_axis; its ports are not bound to pins (out of context).
create_clock -name clock -period 5.000 [get_ports aclk]
