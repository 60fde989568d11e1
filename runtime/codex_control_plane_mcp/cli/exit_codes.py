"""What an exit code of a command says."""

from typing import Final

OK: Final = 0
"""All is well."""

FOUND: Final = 1
"""Something was found that somebody has to look at."""

UNUSABLE: Final = 2
"""The state file, the settings or the call itself cannot be used."""
