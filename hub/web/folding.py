"""What a template says with constants alone is said once, when it is compiled, not each time it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer


class Folding(NodeTransformer):
    """Puts constants where `pure` functions, by their names, are called with constants: what they give must depend on
    nothing else. Call `visit` with a parsed template."""

    def __init__(self, pure: Mapping[str, Callable[..., Any]]) -> None:
        self._pure = pure

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 — so jinja2 calls it
        """A call, or what it gives."""
        self.generic_visit(node)
        called, given = node.node, [each.value for each in node.args if isinstance(each, nodes.Const)]
        plain = not (node.kwargs or node.dyn_args or node.dyn_kwargs) and len(given) == len(node.args)
        if plain and isinstance(called, nodes.Name) and called.name in self._pure:
            return nodes.Const(self._pure[called.name](*given), lineno=node.lineno)
        return node
