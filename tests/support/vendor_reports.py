# ruff: noqa: E501 (reports are as wide as they are)
"""Reports in the formats of the vendors' tools, written by hand with numbers of our own."""

from __future__ import annotations


def csynth_xml(
    *, version: str = "2023.2", dsp: str = "DSP", part: str = "xczu7ev-ffvc1156-2-e", top: str = "toy", lut: int = 4321,
    worst: str = "17", interval: str = "4", uram: bool = True,
) -> str:  # fmt: skip
    """`csynth.xml`; Vivado HLS counts DSP48E, Vitis HLS counts DSP."""
    ultra = "<URAM>3</URAM>" if uram else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<profile>
<section name = "Vitis HLS Report for '{top}'" level="0"><item name = "Date">Mon Jan 01 00:00:00 2024</item></section>
<ReportVersion><Version>{version}</Version></ReportVersion>
<UserAssignments>
  <unit>ns</unit><ProductFamily>zynquplus</ProductFamily><Part>{part}</Part><TopModelName>{top}</TopModelName>
  <TargetClockPeriod>5.00</TargetClockPeriod><ClockUncertainty>1.35</ClockUncertainty><FlowTarget>vivado</FlowTarget>
</UserAssignments>
<PerformanceEstimates>
  <PipelineType>dataflow</PipelineType>
  <SummaryOfTimingAnalysis><unit>ns</unit><EstimatedClockPeriod>4.000</EstimatedClockPeriod></SummaryOfTimingAnalysis>
  <SummaryOfOverallLatency>
    <unit>clock cycles</unit><Best-caseLatency>11</Best-caseLatency><Average-caseLatency>14</Average-caseLatency>
    <Worst-caseLatency>{worst}</Worst-caseLatency><Best-caseRealTimeLatency>55 ns</Best-caseRealTimeLatency>
    <Interval-min>1</Interval-min><Interval-max>{interval}</Interval-max>
  </SummaryOfOverallLatency>
</PerformanceEstimates>
<AreaEstimates>
  <Resources>
    <BRAM_18K>6</BRAM_18K><{dsp}>29</{dsp}><FF>1234</FF><LUT>{lut}</LUT>{ultra}
  </Resources>
  <AvailableResources>
    <BRAM_18K>624</BRAM_18K><{dsp}>1728</{dsp}><FF>460800</FF><LUT>230400</LUT><URAM>96</URAM>
  </AvailableResources>
</AreaEstimates>
</profile>
"""


MODULE_2018 = """

================================================================
== Vivado HLS Report for 'toy'
================================================================
* Date:           Mon Jan 01 00:00:00 2019

* Version:        2018.3 (Build 1 on Mon Jan 01 00:00:00 MST 2018)
* Project:        toy_prj
* Solution:       solution1
* Product family: kintexu
* Target device:  xcku115-flvb2104-2-i


================================================================
== Performance Estimates
================================================================
+ Timing (ns):
    * Summary:
    +--------+-------+----------+------------+
    |  Clock | Target| Estimated| Uncertainty|
    +--------+-------+----------+------------+
    |ap_clk  |   5.00|     4.000|        0.62|
    +--------+-------+----------+------------+

+ Latency (clock cycles):
    * Summary:
    +-----+-----+-----+-----+----------+
    |  Latency  |  Interval | Pipeline |
    | min | max | min | max |   Type   |
    +-----+-----+-----+-----+----------+
    |   11|   17|    1|    4| function |
    +-----+-----+-----+-----+----------+

    + Detail:
        * Instance:
        +-----------+--------+-----+-----+-----+-----+----------+
        |           |        |  Latency  |  Interval | Pipeline |
        |  Instance | Module | min | max | min | max |   Type   |
        +-----------+--------+-----+-----+-----+-----+----------+
        |grp_a_fu_1 |a       |    3|    3|    1|    1| function |
        +-----------+--------+-----+-----+-----+-----+----------+


================================================================
== Utilization Estimates
================================================================
* Summary:
+-----------------+---------+-------+---------+--------+
|       Name      | BRAM_18K| DSP48E|    FF   |   LUT  |
+-----------------+---------+-------+---------+--------+
|DSP              |        -|      -|        -|       -|
|Expression       |        -|     20|        0|    4000|
|Register         |        0|      -|     1000|      64|
+-----------------+---------+-------+---------+--------+
|Total            |        6|     29|     1234|    4321|
+-----------------+---------+-------+---------+--------+
|Available        |     4320|   5520|  1326720|  663360|
+-----------------+---------+-------+---------+--------+
|Utilization (%)  |    ~0   |   ~0  |    ~0   |   ~0   |
+-----------------+---------+-------+---------+--------+

+ Detail:
    * Instance:
    +-----------+--------+---------+-------+----+-----+
    |  Instance | Module | BRAM_18K| DSP48E| FF | LUT |
    +-----------+--------+---------+-------+----+-----+
    |Total      |        |        6|      9| 234|  257|
    +-----------+--------+---------+-------+----+-----+
"""

MODULE_2024 = """
================================================================
== Vitis HLS Report for 'toy'
================================================================
* Date:           Mon Jan 01 00:00:00 2024

* Version:        2024.1 (Build 1 on Jan 01 2024)
* Project:        toy
* Solution:       hls (Vivado IP Flow Target)
* Product family: virtexuplus
* Target device:  xcvu13p-flga2577-2-e


================================================================
== Performance Estimates
================================================================
+ Timing:
    * Summary:
    +--------+---------+----------+------------+
    |  Clock |  Target | Estimated| Uncertainty|
    +--------+---------+----------+------------+
    |ap_clk  |  5.00 ns|  4.000 ns|     1.35 ns|
    +--------+---------+----------+------------+

+ Latency:
    * Summary:
    +---------+---------+-----------+-----------+-----+-----+---------+
    |  Latency (cycles) |   Latency (absolute)  |  Interval | Pipeline|
    |   min   |   max   |    min    |    max    | min | max |   Type  |
    +---------+---------+-----------+-----------+-----+-----+---------+
    |        ?|        ?|          ?|          ?|    ?|    ?|       no|
    +---------+---------+-----------+-----------+-----+-----+---------+

    + Detail:
        * Instance:
        N/A


================================================================
== Utilization Estimates
================================================================
* Summary:
+---------------------+---------+-------+---------+---------+------+
|         Name        | BRAM_18K|  DSP  |    FF   |   LUT   | URAM |
+---------------------+---------+-------+---------+---------+------+
|DSP                  |        -|     29|        -|        -|     -|
|Register             |        -|      -|     1234|        -|     -|
+---------------------+---------+-------+---------+---------+------+
|Total                |        6|     29|     1234|     4321|     3|
+---------------------+---------+-------+---------+---------+------+
|Available SLR        |     1344|   3072|   864000|   432000|   320|
+---------------------+---------+-------+---------+---------+------+
|Available            |     5376|  12288|  3456000|  1728000|  1280|
+---------------------+---------+-------+---------+---------+------+

+ Detail:
    * DSP:
    N/A
"""

SUMMARY_2021 = """

================================================================
== Synthesis Summary Report of 'toy'
================================================================
+ General Information:
    * Date:           Mon Jan 01 00:00:00 2022
    * Version:        2021.1 (Build 1 on Fri Jan 01 00:00:00 MDT 2021)
    * Project:        toy_prj
    * Solution:       solution1 (Vivado IP Flow Target)
    * Product family: zynq
    * Target device:  xc7z020-clg400-1


+ Performance & Resource Estimates:

    PS: '+' for module; 'o' for loop; '*' for dataflow
    +-----------------+-------+------+---------+--------+----------+---------+------+----------+--------+---------+-----------+-----------+-----+
    |     Modules     | Issue |      | Latency | Latency| Iteration|         | Trip |          |        |         |           |           |     |
    |     & Loops     |  Type | Slack| (cycles)|  (ns)  |  Latency | Interval| Count| Pipelined|  BRAM  |   DSP   |     FF    |    LUT    | URAM|
    +-----------------+-------+------+---------+--------+----------+---------+------+----------+--------+---------+-----------+-----------+-----+
    |+ toy            |      -|  0.10|       17|  85.000|         -|        4|     -|  dataflow|  6 (2%)| 29 (13%)|  1234 (1%)|  4321 (8%)|    -|
    | + dense         |      -|  0.20|        3|  15.000|         -|        1|     -|       yes|       -|  9 (~0%)|  234 (~0%)|  257 (~0%)|    -|
    |  o loop         |      -|  3.65|        2|  10.000|         1|        1|     2|       yes|       -|        -|          -|          -|    -|
    +-----------------+-------+------+---------+--------+----------+---------+------+----------+--------+---------+-----------+-----------+-----+


================================================================
== HW Interfaces
================================================================
* Other Ports
"""


def utilization_7series(state: str = "Synthesized", lut: int = 2468, star: str = "*", design: str = "toy") -> str:
    """`report_utilization` of a 7-series part; after synthesis it says that the LUTs may still shrink."""
    return f"""Copyright 1986-2019 Xilinx, Inc. All Rights Reserved.
---------------------------------------------------------------------------------------------
| Tool Version : Vivado v.2019.2 (lin64) Build 1 Tue Jan  1 00:00:00 MST 2019
| Date         : Tue Jan  1 00:00:00 2019
| Host         : host running 64-bit Linux
| Command      : report_utilization -file toy.rpt
| Design       : {design}
| Device       : 7z020clg400-1
| Design State : {state}
---------------------------------------------------------------------------------------------

Utilization Design Information

Table of Contents
-----------------
1. Slice Logic
1.1 Summary of Registers by Type
2. Memory
3. DSP

1. Slice Logic
--------------

+----------------------------+------+-------+-----------+-------+
|          Site Type         | Used | Fixed | Available | Util% |
+----------------------------+------+-------+-----------+-------+
| Slice LUTs{star}                | {lut} |     0 |     53200 |  4.64 |
|   LUT as Logic             | 2400 |     0 |     53200 |  4.51 |
|   LUT as Memory            |   68 |     0 |     17400 |  0.39 |
|     LUT as Distributed RAM |    8 |     0 |           |       |
|     LUT as Shift Register  |   60 |     0 |           |       |
| Slice Registers            | 1357 |     0 |    106400 |  1.28 |
|   Register as Flip Flop    | 1357 |     0 |    106400 |  1.28 |
| F7 Muxes                   |    7 |     0 |     26600 | <0.01 |
+----------------------------+------+-------+-----------+-------+
* Warning! The Final LUT count, after physical optimizations and full implementation, is typically lower.


1.1 Summary of Registers by Type
--------------------------------

+-------+--------------+-------------+--------------+
| Total | Clock Enable | Synchronous | Asynchronous |
+-------+--------------+-------------+--------------+
| 1357  |          Yes |       Reset |            - |
+-------+--------------+-------------+--------------+


2. Memory
---------

+-------------------+------+-------+-----------+-------+
|     Site Type     | Used | Fixed | Available | Util% |
+-------------------+------+-------+-----------+-------+
| Block RAM Tile    |  2.5 |     0 |       140 |  1.79 |
|   RAMB36/FIFO*    |    2 |     0 |       140 |  1.43 |
|   RAMB18          |    1 |     0 |       280 |  0.36 |
+-------------------+------+-------+-----------+-------+


3. DSP
------

+----------------+------+-------+-----------+-------+
|    Site Type   | Used | Fixed | Available | Util% |
+----------------+------+-------+-----------+-------+
| DSPs           |   31 |     0 |       220 | 14.09 |
|   DSP48E1 only |   31 |       |           |       |
+----------------+------+-------+-----------+-------+

"""


UTILIZATION_ULTRASCALE = """Copyright 1986-2022 Xilinx, Inc. All Rights Reserved.
------------------------------------------------------------------------------------------------
| Tool Version : Vivado v.2023.2 (lin64) Build 1 Fri Jan  6 00:00:00 MDT 2023
| Command      : report_utilization -file toy_utilization_placed.rpt -pb toy_utilization_placed.pb
| Design       : toy
| Device       : xczu7ev-ffvc1156-2-e
| Speed File   : -2
| Design State : Fully Placed
------------------------------------------------------------------------------------------------

Utilization Design Information

Table of Contents
-----------------
1. CLB Logic
2. CLB Logic Distribution
3. BLOCKRAM
4. ARITHMETIC

1. CLB Logic
------------

+----------------------------+------+-------+------------+-----------+-------+
|          Site Type         | Used | Fixed | Prohibited | Available | Util% |
+----------------------------+------+-------+------------+-----------+-------+
| CLB LUTs                   | 2468 |     0 |          0 |    230400 |  1.07 |
|   LUT as Logic             | 2400 |     0 |          0 |    230400 |  1.04 |
|   LUT as Memory            |   68 |     0 |          0 |    101760 |  0.07 |
|     LUT as Distributed RAM |    8 |     0 |            |           |       |
|     LUT as Shift Register  |   60 |     0 |            |           |       |
| CLB Registers              | 1357 |     0 |          0 |    460800 |  0.29 |
| CARRY8                     |   44 |     0 |          0 |     28800 |  0.15 |
+----------------------------+------+-------+------------+-----------+-------+


2. CLB Logic Distribution
-------------------------

+----------------------------+------+-------+------------+-----------+-------+
|          Site Type         | Used | Fixed | Prohibited | Available | Util% |
+----------------------------+------+-------+------------+-----------+-------+
| CLB                        |  500 |     0 |          0 |     28800 |  1.74 |
| CLB Registers              | 9999 |     0 |          0 |    460800 |  2.17 |
+----------------------------+------+-------+------------+-----------+-------+


3. BLOCKRAM
-----------

+-------------------+------+-------+------------+-----------+-------+
|     Site Type     | Used | Fixed | Prohibited | Available | Util% |
+-------------------+------+-------+------------+-----------+-------+
| Block RAM Tile    |  0.5 |     0 |          0 |       312 |  0.16 |
|   RAMB36/FIFO*    |    0 |     0 |          0 |       312 |  0.00 |
|   RAMB18          |    1 |     0 |          0 |       624 |  0.16 |
| URAM              |    2 |     0 |          0 |        96 |  2.08 |
+-------------------+------+-------+------------+-----------+-------+


4. ARITHMETIC
-------------

+----------------+------+-------+------------+-----------+-------+
|    Site Type   | Used | Fixed | Prohibited | Available | Util% |
+----------------+------+-------+------------+-----------+-------+
| DSPs           |   31 |     0 |          0 |      1728 |  1.79 |
|   DSP48E2 only |   31 |       |            |           |       |
+----------------+------+-------+------------+-----------+-------+

"""


UTILIZATION_VERSAL = """Copyright 1986-2022 Xilinx, Inc. All Rights Reserved. Copyright 2022-2024 Advanced Micro Devices, Inc.
------------------------------------------------------------------------------------------------
| Tool Version : Vivado v.2024.2 (lin64) Build 1 Mon Jan  1 00:00:00 MDT 2024
| Command      : report_utilization -file toy.rpt
| Design       : toy
| Device       : xcvc1902-vsva2197-2MP-e-S
| Speed File   : -2MP
| Design State : Routed
------------------------------------------------------------------------------------------------

Utilization Design Information

Table of Contents
-----------------
1. Netlist Logic
1.1 Summary of Registers by Type
2. CLB Distribution
3. BLOCKRAM
4. ARITHMETIC

1. Netlist Logic
----------------

+----------------------------+------+-------+------------+-----------+-------+
|          Site Type         | Used | Fixed | Prohibited | Available | Util% |
+----------------------------+------+-------+------------+-----------+-------+
| Registers                  | 1357 |     0 |          0 |   1799680 |  0.08 |
|   Register as Flip Flop    | 1357 |     0 |          0 |   1799680 |  0.08 |
|   Register as Latch        |    0 |     0 |          0 |   1799680 |  0.00 |
| CLB LUTs                   | 2468 |     0 |          0 |    899840 |  0.27 |
|   LUT as Logic             | 2400 |     0 |          0 |    899840 |  0.27 |
|   LUT as Memory            |   68 |     0 |          0 |    449920 |  0.02 |
|     LUT as Distributed RAM |    8 |     0 |            |           |       |
|     LUT as Shift Register  |   60 |     0 |            |           |       |
| LOOKAHEAD8                 |   44 |     0 |          0 |    112480 |  0.04 |
+----------------------------+------+-------+------------+-----------+-------+


1.1 Summary of Registers by Type
--------------------------------

+-------+--------------+-------------+--------------+
| Total | Clock Enable | Synchronous | Asynchronous |
+-------+--------------+-------------+--------------+
| 1357  |          Yes |       Reset |            - |
+-------+--------------+-------------+--------------+


2. CLB Distribution
-------------------

+-----------+------+-------+------------+-----------+-------+
| Site Type | Used | Fixed | Prohibited | Available | Util% |
+-----------+------+-------+------------+-----------+-------+
| SLICE     |  500 |     0 |          0 |    112480 |  0.44 |
| Registers | 9999 |     0 |          0 |   1799680 |  0.56 |
+-----------+------+-------+------------+-----------+-------+


3. BLOCKRAM
-----------

+-------------------+------+-------+------------+-----------+-------+
|     Site Type     | Used | Fixed | Prohibited | Available | Util% |
+-------------------+------+-------+------------+-----------+-------+
| Block RAM Tile    |  1.5 |     0 |          0 |       967 |  0.16 |
|   RAMB36E5        |    1 |     0 |          0 |       967 |  0.10 |
|   RAMB18E5        |    1 |     0 |          0 |      1934 |  0.05 |
| URAM              |    2 |     0 |          0 |       463 |  0.43 |
+-------------------+------+-------+------------+-----------+-------+


4. ARITHMETIC
-------------

+------------+------+-------+------------+-----------+-------+
|  Site Type | Used | Fixed | Prohibited | Available | Util% |
+------------+------+-------+------------+-----------+-------+
| DSP Slices |   31 |     0 |          0 |      1968 |  1.58 |
|   DSP58    |   31 |       |            |           |       |
+------------+------+-------+------------+-----------+-------+

"""


def timing_summary(
    state: str | None = None, wns: str = " 1.250", command: str = "timing_summary_routed.rpt", design: str = "toy"
) -> str:
    """`report_timing_summary` of three clocks: a slow one, the one with the least slack, and one without paths."""
    design_state = f"| Design State : {state}\n" if state else ""
    rule = "------------------------------------------------------------------------------------------------"
    header = "WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)      THS(ns)"
    dashes = "-------      -------  ---------------------  -------------------      -------      -------"
    return f"""Copyright 1986-2019 Xilinx, Inc. All Rights Reserved.
{rule}
| Tool Version : Vivado v.2019.2 (lin64) Build 1 Tue Jan  1 00:00:00 MST 2019
| Command      : report_timing_summary -max_paths 10 -file {command}
| Design       : {design}
| Device       : 7z020-clg400
| Speed File   : -1  PRODUCTION 1.11 2014-09-11
{design_state}{rule}

Timing Summary Report

{rule}
| Design Timing Summary
| ---------------------
{rule}

    {header}
    {dashes}
     {wns}        0.000                      0                  900        0.024        0.000


All user specified timing constraints are met.


{rule}
| Clock Summary
| -------------
{rule}

Clock       Waveform(ns)       Period(ns)      Frequency(MHz)
-----       ------------       ----------      --------------
slow        {{0.000 10.000}}     20.000          50.000
clk         {{0.000 2.500}}      5.000           200.000
  feedback  {{0.000 1.000}}      2.000           500.000


{rule}
| Intra Clock Table
| -----------------
{rule}

Clock             {header}
-----             {dashes}
slow                9.000        0.000                      0                  100        0.100        0.000
clk                {wns}        0.000                      0                  800        0.024        0.000
  feedback                                                                                                      0.500


{rule}
| Inter Clock Table
| -----------------
{rule}

From Clock    To Clock          {header}
----------    --------          {dashes}
"""
