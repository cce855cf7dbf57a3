"""edge/openapi.yaml as data: its operations, and what fits its schemas."""

import re
import urllib.parse

import jsonschema
import yaml

from node import ROOT

FILE = yaml.safe_load((ROOT / "edge/openapi.yaml").read_text())
METHODS = ("get", "put", "post", "patch", "delete")
#: operationId: (method, path)
OPERATIONS = {
    FILE["paths"][where][how]["operationId"]: (how.upper(), where)
    for where in FILE["paths"] for how in METHODS if how in FILE["paths"][where]}


def find(thing):
    """What a reference stands for."""
    while "$ref" in thing:
        at = FILE
        for step in thing["$ref"].removeprefix("#/").split("/"):
            at = at[step]
        thing = at
    return thing


def check(schema, content):
    jsonschema.Draft202012Validator({
        **schema, "components": FILE["components"]}).validate(content)


def fits(schema, content):
    try:
        check(schema, content)
    except jsonschema.ValidationError:
        return False
    return True


def operation_of(name):
    method, where = OPERATIONS[name]
    return FILE["paths"][where][method.lower()]


def parameters_of(name, place):
    """{name: schema} of those in `path`, `query` or `header`."""
    shared = FILE["paths"][OPERATIONS[name][1]].get("parameters", [])
    found = [find(one) for one in
             shared + operation_of(name).get("parameters", [])]
    return {one["name"]: one["schema"] for one in found if one["in"] == place}


def body_of(name):
    """The schema of the body, or None where none belongs."""
    body = operation_of(name).get("requestBody")
    return find(body)["content"]["application/json"]["schema"] if body else None


def target_of(name, **parameters):
    """The path with these in it, escaped."""
    return re.sub(r"{(\w+)}", lambda m: urllib.parse.quote(
        parameters[m[1]], safe=""), OPERATIONS[name][1])


def sample(schema):
    """Something small that fits."""
    schema = find(schema)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return sample(schema["anyOf"][-1])
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        known = schema.get("properties", {})
        wanted = schema.get("required") or list(known)[:schema.get(
            "minProperties", 0)]
        return {key: sample(known[key]) for key in wanted}
    if kind == "array":
        return [sample(schema["items"])] if schema.get("minItems") else []
    return {"string": "x" * max(1, schema.get("minLength", 1)),
            "integer": schema.get("minimum", 0), "number": 0.5,
            "boolean": True, "null": None}[kind]
