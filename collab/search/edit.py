"""The change to `recipes.py` that makes a proposal the recipe.

A recipe's settings stand in one of two forms: an entry of `FAST`, changes of a faithful model, or
a call of the estimator's class. That text alone is written anew, and where the recipe was chosen.
"""

import ast
import difflib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from collab.base.errors import CollabError
from collab.estimators import recipes
from collab.estimators.api import Recipe

SOURCE = Path(recipes.__file__)
NAME = "collab/estimators/recipes.py"
PREFIX = "fast_"
WIDTH = 100


def diff_of(proposed: list[Recipe], source: str | None = None) -> str:
    """A unified diff for `git apply` or `patch -p1`; empty of no proposal.

    Args:
        proposed: recipes by the names they have, `chosen_on` what they were found on.
        source: of `recipes.py`; by default as it stands.

    Raises:
        CollabError: the settings of one stand there in no form that is known.
    """
    before = SOURCE.read_text(encoding="utf-8") if source is None else source
    old, new = (text.splitlines(keepends=True) for text in (before, edited(before, proposed)))
    return "".join(difflib.unified_diff(old, new, f"a/{NAME}", f"b/{NAME}"))


def edited(source: str, proposed: list[Recipe]) -> str:
    """The source with the recipes proposed in place of those of their names."""
    if not proposed:
        return source
    tree = ast.parse(source)
    changed = [(settings_node(tree, recipe.name), recipe) for recipe in proposed]
    texts = {node: settings_text(node, recipe) for node, recipe in changed}
    told = assigned(tree, "CHOSEN_ON")
    chosen = ast.literal_eval(told) | {recipe.name: recipe.chosen_on for recipe in proposed}
    texts[told] = mapping(chosen, indent=0, one_a_line=True)
    return replaced(source, texts)


def replaced(source: str, texts: Mapping[ast.expr, str]) -> str:
    """The source with other texts for some nodes; ast counts columns in bytes."""
    lines = source.encode().splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
    whole = source.encode()
    for node in sorted(texts, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        assert node.end_lineno
        assert node.end_col_offset
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        whole = whole[:start] + texts[node].encode() + whole[end:]
    return whole.decode()


def settings_node(tree: ast.Module, name: str) -> ast.expr:
    """Where the settings of a recipe stand.

    Raises:
        CollabError: they stand in no form that is known.
    """
    fast = assigned(tree, "FAST")
    assert isinstance(fast, ast.Dict)
    for key, value in zip(fast.keys, fast.values, strict=True):
        if name.startswith(PREFIX) and is_text(key, name.removeprefix(PREFIX)):
            return value
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple) and len(node.elts) > 1 and is_text(node.elts[0], name):
            return node.elts[1]
        if isinstance(node, ast.Call):
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if "estimator" in given and is_text(given.get("name"), name):
                return given["estimator"]
    raise CollabError(f"{SOURCE} does not say how {name} is made in a form that can be changed.")


def assigned(tree: ast.Module, name: str) -> ast.expr:
    """What a name of the module is declared as."""
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and node.value and ast.unparse(node.target) == name:
            return node.value
    raise CollabError(f"{SOURCE} declares no {name}.")


def is_text(node: ast.expr | None, text: str) -> bool:
    """Whether a node is that string."""
    return isinstance(node, ast.Constant) and node.value == text


def settings_text(node: ast.expr, recipe: Recipe) -> str:
    """The new text of a recipe's settings, which stood as `node`."""
    estimator: Any = recipe.estimator
    values = {f.name: getattr(estimator, f.name) for f in fields(estimator)}
    if recipe.name.startswith(PREFIX):
        base = recipes.fast_base(recipe.name.removeprefix(PREFIX))
        changes = {k: v for k, v in values.items() if v != getattr(base, k)}
        return mapping(changes, indent=4, one_a_line=False)
    defaults = {f.name: f.default for f in fields(estimator) if f.default is not MISSING}
    given = [f"{k}={literal(v)}" for k, v in values.items() if v != defaults.get(k, MISSING)]
    line = f"{type(estimator).__name__}({', '.join(given)})"
    if node.col_offset + len(line) < WIDTH:
        return line
    lines = "".join(f"{' ' * 16}{value},\n" for value in given)
    return f"{type(estimator).__name__}(\n{lines}{' ' * 12})"


def mapping(values: Mapping[str, Any], *, indent: int, one_a_line: bool) -> str:
    """A dict over several lines, as full as they may be or one entry each."""
    inner, lines = " " * (indent + 4), [""]
    for name, value in values.items():
        entry = f"{literal(name)}: {literal(value)},"
        room = len(inner) + len(lines[-1]) + 1 + len(entry) <= WIDTH
        if lines[-1] and (one_a_line or not room):
            lines.append("")
        lines[-1] = f"{lines[-1]} {entry}".strip()
    body = "".join(f"{inner}{line}\n" for line in lines)
    return "{\n" + body + " " * indent + "}"


def literal(value: Any) -> str:
    """A value as the house writes it: strings in double quotes."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        inner = ", ".join(literal(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)
