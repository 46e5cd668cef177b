"""`hub journal …`."""

import typer

journal = typer.Typer()
