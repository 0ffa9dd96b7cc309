"""Records tests/data/schemas/attributes.txt: the attributes of every ONNX operator in its newest version, as the onnx package has them.

Usage: attributes.py OUT.txt      (onnx; recorded with 1.23.2, opset 28)
A line an attribute: operator, attribute, kind, and "required", "optional" or "= default"; an operator without attributes has its name alone.
"""
import pathlib
import sys

from onnx import AttributeProto, defs, helper

KINDS = {"INT": "i", "FLOAT": "f", "STRING": "s", "INTS": "ints", "FLOATS": "floats", "STRINGS": "strings"}


def text(value):
    if isinstance(value, list):
        return "[" + ",".join(text(v) for v in value) + "]"
    return value.decode() if isinstance(value, bytes) else f"{value:.9g}" if isinstance(value, float) else str(value)


lines = []
names = sorted({s.name for s in defs.get_all_schemas() if s.domain == "" and not s.deprecated})
for name in names:
    attributes = sorted(defs.get_schema(name).attributes.items())
    for attribute, spec in attributes:
        kind = KINDS.get(spec.type.name, spec.type.name.lower())
        given = spec.default_value.type != AttributeProto.UNDEFINED
        value = "= " + text(helper.get_attribute_value(spec.default_value)) if given else "required" if spec.required else "optional"
        lines.append(f"{name} {attribute} {kind} {value}")
    if not attributes:
        lines.append(name)
pathlib.Path(sys.argv[1]).write_text("\n".join(lines) + "\n")
