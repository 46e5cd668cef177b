"""The `hub` command. Exit codes: 0 done, 1 failed, 2 wrong use."""

from __future__ import annotations

import sys
from collections.abc import Sequence

DONE, FAILED, WRONG_USE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code. Whatever goes wrong is told in a sentence on standard error."""
    from crm_core.errors import CoreError
    from hub.cli.app import app
    from hub.cli.output import Failure
    from hub.settings import SettingsError

    try:
        app(args=list(arguments) if arguments is not None else None, prog_name="hub")
    except SystemExit as err:
        return err.code if isinstance(err.code, int) else FAILED
    except (CoreError, SettingsError, Failure) as err:
        print(f"hub: {err}", file=sys.stderr)
        return FAILED
    except OSError as err:
        print(f"hub: {err.strerror or err}{f': {err.filename}' if err.filename else ''}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    except Exception as err:
        if sys.flags.dev_mode:
            raise
        print(f"hub: internal error, {type(err).__name__}: {err}", file=sys.stderr)
        print("hub: `python -X dev -m hub …` shows where; please report it", file=sys.stderr)
        return FAILED
    return DONE
