"""An hls4ml project as its C++ says it: the calls in order, the types, and where each weight comes from.

Read from the files of `firmware/`, which look alike from hls4ml 0.6 to 1.3 but for sizes (macros below 1.2), types
that are written in place (0.6) and a namespace around everything (`Namespace`, from 1.0): the top function is a chain
of `nnet::` calls, its types are typedefs of `defines.h` and of one `struct` a layer in `parameters.h`. Nothing is
executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from qap.errors import DataError, QapError
from qap.fixed import FixedPoint

FUNCTION = re.compile(r"\bvoid\s+(\w+)\s*\((?P<parameters>[^)]*)\)\s*\{")
PARAMETER = re.compile(r"(?P<type>[\w:<>]+)\s*(?P<stream>&)?\s*(?P<name>\w+)\s*(?:\[(?P<size>[^\]]+)\])?$")
STREAM = re.compile(r"hls::stream\s*<\s*([\w:]+)\s*>\s*&")
CALL = re.compile(
    r"^[ \t]*nnet::(?P<function>\w+)<(?P<types>[^;]*?)>\((?P<arguments>[^;]*?)\);[ \t]*(?://[ \t]*(?P<name>.*))?$", re.M
)
LOADED = re.compile(r"nnet::load_(?:\w*_)?weights_from_txt<\s*[\w:]+\s*,\s*\d+\s*>\(\s*(\w+)\s*,\s*\"([^\"]+)\"\s*\)")
TYPEDEF = re.compile(r"^[ \t]*typedef\s+(?P<type>[^;]+?)\s+(?P<name>\w+)\s*;", re.M)
USING = re.compile(r"^[ \t]*using\s+(?P<name>\w+)\s*=\s*(?P<type>ap_u?(?:fixed|int)\s*<[^;]*>)\s*;", re.M)
STRUCT = re.compile(r"^struct\s+(?P<name>\w+)\s*:\s*[\w:]+\s*\{(?P<body>.*?)^\};", re.M | re.S)
CONSTANT = re.compile(r"static\s+const(?:expr)?\s+[\w:]+\s+(\w+)\s*=\s*([^;]+);")
NAMESPACE = re.compile(r"^namespace\s+([\w:]+)\s*\{[ \t]*$", re.M)
DEFINE = re.compile(r"^#define\s+(\w+)\s+(\d+)\s*$", re.M)
NOT_LAYERS = {"load_weights_from_txt", "load_compressed_weights_from_txt", "load_exponent_weights_from_txt"}
TRACE = "save_layer_output"


@dataclass(frozen=True, slots=True)
class Port:
    """A parameter of the top function: its C++ type, name, count of numbers, and whether it is a stream."""

    type: str
    name: str
    size: int
    stream: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One `nnet::` call of the top function.

    Args:
        function: `dense`, `relu`, ...
        name: the layer's name, the comment behind the call; the result's variable where there is none.
        input_type: the typedef that it reads.
        result_type: the typedef that it writes.
        config: the name of its struct, "" where it has none.
        arguments: variables: input, result, then weights.
        text: the call as it stands in the C++.
    """

    function: str
    name: str
    input_type: str
    result_type: str
    config: str
    arguments: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class HlsSource:
    """What the C++ of a project says.

    Args:
        folder: of the project.
        name: of the top function and its files.
        inputs: what it reads; one.
        outputs: what it writes; one.
        calls: the layers, in order.
        typedefs: name -> C++ type of `defines.h`.
        configs: struct -> role (`accum_t`, ...) -> C++ type, as written.
        constants: struct -> name -> value, as written.
        texts: weight variable -> the text file that the simulation reads instead of the header.
        unused_parameters: how many more arguments the top function takes (hls4ml below 0.7: sizes).
        namespace: what all of it but the includes stands in (hls4ml from 1.0: `Namespace`); "" for none.
    """

    folder: Path
    name: str
    inputs: Port
    outputs: Port
    calls: tuple[Call, ...]
    typedefs: Mapping[str, str]
    configs: Mapping[str, Mapping[str, str]]
    constants: Mapping[str, Mapping[str, str]]
    texts: Mapping[str, str]
    unused_parameters: int
    namespace: str = ""

    @property
    def firmware(self) -> Path:
        """The folder of its C++."""
        return self.folder / "firmware"

    def resolved(self, type_name: str) -> str:
        """A C++ type with its typedefs followed to the end."""
        for _ in range(len(self.typedefs) + 1):
            if type_name not in self.typedefs:
                break
            type_name = self.typedefs[type_name]
        return type_name

    def format(self, type_name: str) -> FixedPoint | None:
        """The format of a typedef or of a type; None where `FixedPoint` does not know it."""
        text = self.resolved(type_name).replace(" ", "")
        inner = re.fullmatch(r"nnet::array<(.*),[^,<>]+>", text)
        try:
            return FixedPoint.parse(inner[1] if inner else text)
        except QapError:
            return None

    def constant(self, call: Call, name: str) -> int | None:
        """A whole number of a layer's struct, None where it says none."""
        text = self.constants.get(call.config, {}).get(name, "").strip()
        if text.lstrip("-").isdigit():
            return int(text)
        return self._defined(text)

    def _defined(self, text: str) -> int | None:
        return int(self.typedefs[f"#{text}"]) if f"#{text}" in self.typedefs else None


def read_source(folder: Path) -> HlsSource:
    """Read the C++ of an hls4ml project.

    Raises:
        DataError: it is not a project of hls4ml's Vivado or Vitis backend, or has several inputs or outputs.
    """
    firmware = folder / "firmware"
    if not folder.is_dir():
        raise DataError(f"--project {folder}: there is no such folder")
    if not firmware.is_dir():
        raise DataError(f"--project {folder}: it has no folder firmware/, so it is not an hls4ml project")
    defines, parameters = (_read(firmware / name) for name in ("defines.h", "parameters.h"))
    cpp = next((path for path in sorted(firmware.glob("*.cpp")) if (firmware / f"{path.stem}.h").is_file()), None)
    if cpp is None:
        raise DataError(f"{firmware} has no C++ file with a header of the same name; hls4ml writes one of each")
    text = _read(cpp)
    found = next((each for each in FUNCTION.finditer(text) if each[1] == cpp.stem), None)
    if found is None:
        raise DataError(f"{cpp} does not define the function {cpp.stem}, as hls4ml's projects do")
    macros = {f"#{name}": value for name, value in DEFINE.findall(defines)}
    ports, unused = _ports(cpp, found["parameters"], macros)
    calls = tuple(_calls(text[found.end() :]))
    if not calls:
        raise DataError(f"{cpp}: its function calls no layer of nnet::, so there is nothing to compare")
    writes = {call.arguments[1] for call in calls}
    inputs, outputs = [port for port in ports if port.name not in writes], [p for p in ports if p.name in writes]
    if len(inputs) != 1 or len(outputs) != 1:
        raise DataError(f"{cpp}: it has {len(inputs)} inputs and {len(outputs)} outputs, one each is supported")
    namespace = NAMESPACE.search(text[: found.start()])
    structs = {each["name"]: each["body"] for each in STRUCT.finditer(parameters)}
    return HlsSource(
        folder=folder,
        name=cpp.stem,
        inputs=inputs[0],
        outputs=outputs[0],
        calls=calls,
        typedefs=macros | _typedefs(defines),
        configs={name: _typedefs(body) for name, body in structs.items()},
        constants={name: dict(CONSTANT.findall(body)) for name, body in structs.items()},
        texts=dict(LOADED.findall(text)),
        unused_parameters=unused,
        namespace=namespace[1] if namespace else "",
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; an hls4ml project has it") from error


def _typedefs(text: str) -> dict[str, str]:
    return {each["name"]: each["type"].strip() for pattern in (TYPEDEF, USING) for each in pattern.finditer(text)}


def _ports(cpp: Path, parameters: str, macros: Mapping[str, str]) -> tuple[list[Port], int]:
    ports, unused = [], 0
    for text in parameters.split(","):
        if "const_size" in text:
            unused += 1
            continue
        found = PARAMETER.search(STREAM.sub(r"\1 &", " ".join(text.split())))
        if found is None:
            raise DataError(f"{cpp}: the parameter {text.strip()!r} cannot be understood")
        ports.append(Port(found["type"], found["name"], _size(found["size"], macros), bool(found["stream"])))
    return ports, unused


def _size(text: str | None, macros: Mapping[str, str]) -> int:
    size = 1
    for factor in (text or "0").split("*"):
        number = macros.get(f"#{factor.strip()}", factor.strip())
        if not number.isdigit():
            return 0
        size *= int(number)
    return size


def _calls(body: str) -> Iterator[Call]:
    for found in CALL.finditer(body):
        if found["function"] in NOT_LAYERS or found["function"] == TRACE:
            continue
        types = [each.strip() for each in found["types"].split(",")]
        arguments = tuple(each.strip() for each in found["arguments"].split(","))
        if len(types) < 2 or len(arguments) < 2:
            continue
        config = types[2] if len(types) > 2 else ""
        yield Call(
            found["function"], (found["name"] or arguments[1]).strip(), types[0], types[1], config, arguments,
            found[0].strip(),
        )  # fmt: skip
