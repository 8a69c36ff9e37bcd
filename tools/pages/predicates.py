"""The predicates of the ledger's statements, from their schemas."""

from __future__ import annotations

from toadstone.core.finding import Json
from toadstone.ledger.predicates import OWN, schema
from tools.pages.markdown import GENERATED, page, table

_INTRODUCTION = """
Records of the [ledger](ledger.md) are in-toto statements (`https://in-toto.io/Statement/v1`). These are the predicates
of our own; their JSON Schemas are part of the package (`toadstone/ledger/schemas`,
`toadstone.ledger.predicates.schema`). The host of the type is one that nobody can own (RFC 2606): a type is a name, and
nothing is ever fetched from it. Consumers ignore fields that they do not know; a field that changes its meaning makes a
new version. `digest` is an object of digests by algorithm wherever it stands, and the ledger finds records by every one
of them.
"""


def _kind(form: dict[str, Json]) -> str:
    """Tell the type of a field in a few words."""
    if "$ref" in form:
        return str(form["$ref"]).rsplit("/", 1)[-1]
    if isinstance(values := form.get("enum"), list):
        return " \\| ".join(f"`{value}`" for value in values)
    if form.get("type") == "array" and isinstance(items := form.get("items"), dict):
        return f"list of {_kind(items)}"
    if form.get("type") == "object" and isinstance(fields := form.get("properties"), dict):
        return f"object of {', '.join(f'`{name}`' for name in fields)}"
    return str(form.get("type", "anything"))


def predicates() -> str:
    """Write the page."""
    blocks: list[str] = [GENERATED, "# Predicates of the ledger", _INTRODUCTION]
    for kind, name in OWN.items():
        form = schema(kind)
        required, fields = form["required"], form["properties"]
        assert isinstance(required, list)
        assert isinstance(fields, dict)
        rows = []
        for field, said in fields.items():
            assert isinstance(said, dict)
            rows.append(
                (
                    f"`{field}`",
                    _kind(said).replace("\\|", "|"),
                    "yes" if field in required else "",
                    str(said.get("description", "")),
                )
            )
        blocks += [
            f"## `{name}`",
            f"{form['title']}. Type: `{kind}`",
            "\n".join(table(("field", "type", "required", "meaning"), rows)),
        ]
    return page(*blocks)
