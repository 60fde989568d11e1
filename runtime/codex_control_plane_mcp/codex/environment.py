"""The environment of the app-server: it outlives the client that happened to start it.

Whatever it inherits reaches every command that Codex runs for every later client, so only what Codex needs
is passed on: where things are, who the user is, how the network is reached, and its own credentials.
"""

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Final

PASSED_ON: Final = (
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "SHELL",
    "TZ",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TMPDIR",
    "XDG_*_HOME",
    "XDG_RUNTIME_DIR",
    "CODEX_HOME",
    "CODEX_API_KEY",
    "CODEX_CA_CERTIFICATE",
    "*_PROXY",
    "*_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_ORGANIZATION",
    "OPENAI_PROJECT",
    "RUST_LOG",
)
"""Names of the variables that the app-server gets; `*` stands for anything."""


def clean_environment(environ: Mapping[str, str], *, also: Collection[str] = ()) -> dict[str, str]:
    """Return the part of `environ` that the app-server gets.

    `also` names further variables, such as the `env_key` of a model provider in Codex's `config.toml`;
    `*` stands for anything there too.
    """
    patterns = (*PASSED_ON, *also)
    return {
        name: value
        for name, value in environ.items()
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    }
